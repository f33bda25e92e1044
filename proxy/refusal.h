/* Why the proxy sent a response of its own instead of the target's: its metrics count them. */
#ifndef PROXY_REFUSAL_H
#define PROXY_REFUSAL_H

enum refusal {
	REFUSED_HEAD,         /* not valid HTTP, not known here, or too large */
	REFUSED_SLOW_HEAD,    /* it took too long */
	REFUSED_BODY,         /* not valid HTTP */
	REFUSED_SLOW_BODY,    /* it took too long */
	REFUSED_HOST,         /* missing, or not one of our names */
	REFUSED_PATH,         /* not valid */
	REFUSED_UPGRADE,      /* not a valid WebSocket opening */
	REFUSED_NO_TABLE,     /* the hub has not told any routes yet */
	REFUSED_NO_ROUTE,     /* nothing is there, or nothing that this user may see */
	REFUSED_ORIGIN,       /* made by a page of another site */
	REFUSED_CREDENTIAL,   /* none, or none that is valid here; pages redirect to the sign-in */
	REFUSED_UNREACHABLE,  /* the target accepts no connection, or closes it before its response
			       */
	REFUSED_LATE,         /* the target has not responded in time */
	REFUSED_BAD_RESPONSE, /* the target's response is not valid HTTP */
	REFUSED_N,
};

#endif

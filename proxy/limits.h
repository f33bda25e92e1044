/* Every maximum and fixed delay of the proxy, each with its reason. What is an option has its
 * default in options.c; the table's are in cygnet/table.h. */
#ifndef PROXY_LIMITS_H
#define PROXY_LIMITS_H

enum {
	/* One read of a socket. A little under a power of two, because a buffer keeps one byte for
	 * itself; twice the largest head, so that a whole head always fits after a remainder. */
	PEER_IN_MAX = 32 * 1024 - 1,
	/* What waits for a socket that does not take it: one read re-framed, after one head. */
	PEER_OUT_MAX = 96 * 1024,
	/* Nothing more is decoded towards a socket that has this much waiting. */
	PEER_OUT_HIGH = 16 * 1024,
	/* Blocks kept for the next socket that needs one: of 32 KiB as a rule, 3 MiB at the most.
	 */
	PEER_SPARES = 32,

	/* Connections at the inner listener: a quarter of the public one's, in addition to them, so
	 * that no container can keep users out. */
	INNER_SHARE = 4,
	/* Descriptors besides clients and targets: the loop's, the listeners, control, the log. */
	FILES_RESERVED = 64,
	/* Steps of one connection in one turn of the loop: enough for one whole exchange, or for
	 * about four pipelined requests that are refused here. The rest waits for the next turn. */
	CLIENT_TURN_STEPS = 8,
	UPSTREAM_IDLE_MAX = 64,   /* kept-alive connections of one target */
	UPSTREAM_IDLE_MS = 30000, /* shorter than any server we know keeps them, but Node's 5 s */
	INTERIM_MAX = 4,          /* 1xx heads before one response: they share one buffer */
	JANITOR_MS = 250,         /* its period: what deadlines are rounded up to */
	LINGER_MS = 2000,      /* reading on after the last response, or a reset could destroy it */
	LINGER_MAX_MS = 30000, /* the same for a client that goes on sending */
	HALF_CLOSED_MS = 60000,   /* one direction ended and the other is silent */
	BODY_WINDOW_BYTES = 1024, /* a client that sends a body sends this much in body-timeout */
	CLIENT_READ_MS = 300000,  /* a client that reads nothing of its response */

	TOKEN_MAX = 256, /* bytes of a credential that are hashed at all */
	HOSTS_MAX = 64,  /* patterns of the Host allow-list */
	LABEL_MAX = 256, /* bytes of a path kept for the access log */
};

#endif

/* One try to sign in: from the request at a provider's way in to exactly one verdict, at once or
 * later. The request is the try's while it lives: providers neither answer it nor watch it. */
#ifndef HUB_SIGNIN_TRY_H
#define HUB_SIGNIN_TRY_H

#include "http/server.h"
#include "hub/access/people.h"
#include "hub/signin/signin.h"

struct signin_try {
	struct http_req *req;
	struct signin_provider *provider;
	const char *next;              /* where a user goes who is let in; in the request's arena */
	struct cyg_str name, password; /* SIGNIN_PASSWORD: in the request */
	void *data;                    /* the provider's own, until its verdict */
	/* Set by a provider that answers later: the client left. What data holds is freed, and no
	 * verdict follows. */
	void (*cancel)(struct signin_try *t);
};

enum signin_outcome {
	SIGNIN_PROVED,  /* the provider vouches for who it is */
	SIGNIN_REFUSED, /* by a code of signin_refuse.c */
	SIGNIN_SENT,    /* the browser is sent on, to the provider's own pages */
};

struct signin_verdict {
	enum signin_outcome outcome;
	const struct person_claim *claim; /* PROVED */
	const char *refusal;              /* REFUSED */
	const char *location;             /* SENT */
};

struct signin_try *signin_try_new(
    struct signin_provider *p, struct http_req *req, const char *next);
/* The verdict: answers the request and frees the try. Exactly once; what verdict points to is used
 * during the call only. */
void signin_done(struct signin_try *t, const struct signin_verdict *verdict);
void signin_done_refused(struct signin_try *t, const char *refusal);

/* signin_form.c: what the password form makes of a verdict, before it is carried out: failures are
 * counted. Returns the code of a refusal that stands in its way, or NULL. */
const char *signin_form_judge(const struct signin_try *t, const struct signin_verdict *verdict);

#endif

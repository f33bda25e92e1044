/* One try to sign in: from the first request to exactly one verdict, at once or later. While the
 * try lives, providers neither respond to its request nor watch it. */
#ifndef HUB_SIGNIN_TRY_H
#define HUB_SIGNIN_TRY_H

#include "http/server.h"
#include "hub/access/people.h"
#include "hub/signin/signin.h"

struct signin_try {
	struct http_req *req;
	struct signin_provider *provider;
	const char *next; /* where the user goes on; in the request's arena */
	/* SIGNIN_PASSWORD: in the request. SIGNIN_OIDC: who was refused, once that is known; in
	 * its arena. */
	struct cyg_str name;
	struct cyg_str password; /* SIGNIN_PASSWORD: in the request */
	void *data;              /* the provider's own, until its verdict */
	/* Set by a provider that decides later: the client left. What data holds is freed, and no
	 * verdict follows. */
	void (*cancel)(struct signin_try *t);
};

enum signin_outcome {
	SIGNIN_PROVED,  /* the provider has proved who it is */
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
/* The verdict: responds to the request and frees the try. Exactly once; what verdict points to is
 * used during the call only. */
void signin_done(struct signin_try *t, const struct signin_verdict *verdict);
void signin_done_refused(struct signin_try *t, const char *refusal);

/* signin_form.c: checks a verdict on the password form before it is carried out, and counts
 * failures. Returns the code of a refusal that replaces it, or NULL. */
const char *signin_form_judge(const struct signin_try *t, const struct signin_verdict *verdict);

#endif

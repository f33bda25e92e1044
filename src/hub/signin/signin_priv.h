/* Private to the sign-in: its root, and what its files share. */
#ifndef HUB_SIGNIN_PRIV_H
#define HUB_SIGNIN_PRIV_H

#include "hub/signin/signin.h"

struct attempts;
struct cyg_curl;
struct oidc_configs;
struct ratelimit;
struct reserved;
struct session;
struct signin_form;

struct signin {
	struct signin_opts opts;
	struct signin_provider providers[SIGNIN_PROVIDERS_MAX];
	size_t n;
	struct signin_form *form;
	struct reserved *reserved;
	struct oidc_configs *oidc; /* NULL, as the next three: no provider */
	struct attempts *attempts;
	struct ratelimit *begun; /* attempts per address */
	struct cyg_curl *curl;
};

/* The sign-in of a request to one of its endpoints. */
static inline struct signin *signin_of(const struct http_req *req)
{
	return req->ctx;
}

/* Adds a row; strings are borrowed for good. -CYG_ELIMIT when the table is full. */
int signin_add(struct signin *signin, const struct signin_provider *row, struct cyg_err *err);

/* ---- kinds of providers ---- */
/* signin_dev.c: the development sign-in. Refused unless the public address is on loopback. The
 * password is read from password-file, which is made with a new one when it is not there. */
int signin_dev_add(struct signin *signin, struct cyg_err *err);
/* signin_oidc.c and oidc_login.c: the providers of the file that the option providers names. */
int signin_oidc_add(struct signin *signin, struct cyg_err *err);
/* Ends what the rows used; after the rows. */
void signin_oidc_close(struct signin *signin);

/* ---- the end of a try ---- */
/* The claim was proved: account, session row, commit, table in force, then the cookie and the way
 * to next (200 JSON or 302). Responds in every case. */
void signin_complete(struct http_req *req, const struct person_claim *claim, const char *next);
/* Whose sign-in it would have been, as far as it is known. */
struct signin_subject {
	const char *provider; /* its id, or NULL */
	struct cyg_str name;  /* as it was typed, or as the provider said; or empty */
};
/* Responds to a refused sign-in by a code of signin_refuse.c: JSON with the message, or back to the
 * page with ?error=CODE. whose may be NULL. */
void signin_refuse(struct http_req *req, const char *code, const struct signin_subject *whose);

/* ---- signin_audit.c: what is told to the audit ---- */
/* A claim was taken: whether its user was known before, and an administrator. */
void signin_audit_claim(struct http_req *req, const struct person_claim *claim,
    const struct person *person, bool was_known, bool was_admin);
void signin_audit_in(struct http_req *req, const struct session *s);
/* The session is about to end: why is a short phrase. */
void signin_audit_out(struct http_req *req, const struct session *s, const char *why);
/* Where the refusal is one that is told. */
void signin_audit_refused(
    struct http_req *req, const char *code, const struct signin_subject *whose);

/* ---- endpoints ---- */
void signin_post(struct http_req *req);
void signin_begin(struct http_req *req);
void signin_get_refusal(struct http_req *req);
void signin_oidc_callback(struct http_req *req);
void signin_oidc_leave(struct http_req *req);
void signout_post(struct http_req *req);

#endif

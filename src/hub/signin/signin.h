/* Sign-in: a table of providers, and the one way in that all of them end in. A provider proves who
 * somebody is, now or later (signin_try.h), and hands over a claim; signin_complete makes the
 * session. */
#ifndef HUB_SIGNIN_H
#define HUB_SIGNIN_H

#include "http/server.h"
#include "hub/access/people.h"

enum { SIGNIN_PROVIDERS_MAX = 10, SIGNIN_MESSAGE_SIZE = 200 };

enum signin_kind { SIGNIN_PASSWORD, SIGNIN_OIDC };

struct signin_provider;
struct signin_try;

struct signin_ops {
	/* SIGNIN_PASSWORD: checks the try's name and password, and says what came of it by
	 * signin_done (signin_try.h), at once or later; a wrong password in constant time. */
	void (*verify)(struct signin_try *t);
	/* SIGNIN_OIDC: the browser is to go to the provider; ends in signin_done likewise. What the
	 * browser brings back makes a new try. */
	void (*begin)(struct signin_try *t);
	/* Where somebody who signed out here goes on to sign out at the provider: a path of ours in
	 * the request's arena, or NULL. May itself be NULL. */
	const char *(*sign_out)(struct signin_provider *p, struct http_req *req);
	void (*close)(struct signin_provider *p); /* may be NULL */
};

struct signin_provider {
	struct hub *hub;
	const char *id;
	const char *label; /* goes into "Sign in with LABEL" */
	enum signin_kind kind;
	const char *url;                   /* where the button goes, or NULL: a password */
	int64_t down_since_us;             /* 0: it answers */
	char message[SIGNIN_MESSAGE_SIZE]; /* what is known about why it is down */
	const struct signin_ops *ops;
	void *ctx;
};

/* The table of the configuration: development today; each OIDC provider adds a row. */
int signin_new(struct hub *hub, struct signin **ret, struct cyg_err *err);
void signin_free(struct signin *signin);
/* Adds a row; strings are borrowed for good. -CYG_ELIMIT when the table is full. */
int signin_add(struct signin *signin, const struct signin_provider *row, struct cyg_err *err);
struct signin_provider *signin_find(struct signin *signin, struct cyg_str id);
/* By index; NULL at the end. */
struct signin_provider *signin_at(struct signin *signin, size_t i);
/* Whether a new account may not have the name (reserved.h). */
bool signin_is_reserved(const struct signin *signin, const char *name);
bool signin_is_development(const struct signin *signin);

/* The claim was proved: account, session row, commit, table in force, then the cookie and the way
 * to next (200 JSON or 302). Answers the request in every case. */
void signin_complete(struct http_req *req, const struct person_claim *claim, const char *next);
/* Answers a refused sign-in by a code of signin_refuse.c: JSON with the message, or back to the
 * page with ?error=CODE. */
void signin_refuse(struct http_req *req, const char *code);
void signin_get_refusal(struct http_req *req);

/* ---- endpoints ---- */
void signin_post(struct http_req *req);
void signin_begin(struct http_req *req);
void signout_post(struct http_req *req);

/* signin_dev.c: the development sign-in. Refused unless the public address is on loopback. The
 * password is read from password-file, which is made with a new one when it is not there. */
int signin_dev_add(struct hub *hub, struct signin *signin, struct cyg_err *err);
/* True for "http://127.0.0.1:8000/", "http://[::1]:8000/", "http://localhost". Pure. */
bool signin_is_loopback(struct cyg_str url);

/* signin_oidc.c and oidc_login.c: the providers of the file that the option providers names. */
int signin_oidc_add(struct hub *hub, struct signin *signin, struct cyg_err *err);
/* Ends what the rows stood on; after signin_free. */
void signin_oidc_close(struct hub *hub);
void signin_oidc_callback(struct http_req *req);
void signin_oidc_leave(struct http_req *req);

#endif

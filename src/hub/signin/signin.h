/* Sign-in: a table of providers, and the one way in which all of them end. A provider proves who a
 * user is, now or later (signin_try.h), and hands over a claim; signin_complete makes the session.
 */
#ifndef HUB_SIGNIN_H
#define HUB_SIGNIN_H

#include "http/server.h"
#include "hub/access/people.h"

#include <uv.h>

enum { SIGNIN_PROVIDERS_MAX = 10, SIGNIN_MESSAGE_SIZE = 200 };

enum signin_kind { SIGNIN_PASSWORD, SIGNIN_OIDC };

struct audit;
struct proxy_link;
struct signin;
struct signin_provider;
struct signin_try;
struct store;

/* What the sign-in needs, and its own options. Everything is borrowed for good. */
struct signin_opts {
	uv_loop_t *uv;
	struct store *store;
	struct access *access; /* users and sessions */
	struct proxy_link *proxy;
	struct audit *audit; /* NULL: nothing is written */
	bool development;    /* the development sign-in is there */
	bool create_users;
	uint64_t session_ms;
	const char *public_url, *state_dir;
	const char *password_file;  /* of the development sign-in; NULL: in state_dir */
	const char *providers;      /* file of the OpenID providers, or NULL */
	const char *reserved_names; /* names, separated by commas, or NULL */
};

struct signin_ops {
	/* SIGNIN_PASSWORD: checks the try's name and password, and says what came of it by
	 * signin_done (signin_try.h), at once or later; a wrong password in constant time. */
	void (*verify)(struct signin_try *t);
	/* SIGNIN_OIDC: the browser is to go to the provider; ends in signin_done likewise. What the
	 * browser brings back makes a new try. */
	void (*begin)(struct signin_try *t);
	/* Where a user who signed out here goes on to sign out at the provider: a path of ours in
	 * the request's arena, or NULL. May itself be NULL. */
	const char *(*sign_out)(struct signin_provider *p, struct http_req *req);
	void (*close)(struct signin_provider *p); /* may be NULL */
};

struct signin_provider {
	struct signin *signin;
	const char *id;
	const char *label; /* goes into "Sign in with LABEL" */
	enum signin_kind kind;
	const char *url;                   /* where the button leads, or NULL: a password */
	int64_t down_since_us;             /* 0: it responds */
	char message[SIGNIN_MESSAGE_SIZE]; /* why it is down, as far as known */
	const struct signin_ops *ops;
	void *ctx;
};

/* The table of the configuration: development, and a row for each OIDC provider. */
int signin_new(const struct signin_opts *opts, struct signin **ret, struct cyg_err *err);
/* NULL is accepted. */
void signin_free(struct signin *signin);
struct signin_provider *signin_find(struct signin *signin, struct cyg_str id);
/* By index; NULL at the end. */
struct signin_provider *signin_at(struct signin *signin, size_t i);
/* Whether a new account may not have the name (reserved.h). */
bool signin_is_reserved(const struct signin *signin, const char *name);
bool signin_is_development(const struct signin *signin);

/* Its endpoints (signin_endpoints.c), ended by a NULL path: mounted at CYG_HUB_PATH with the struct
 * signin as ctx. docs/api/openapi.yaml describes them. */
extern const struct http_endpoint signin_endpoints[];

/* True for "http://127.0.0.1:8000/", "http://[::1]:8000/", "http://localhost". Pure. */
bool signin_is_loopback(struct cyg_str url);

#endif

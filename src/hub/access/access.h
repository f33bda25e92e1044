/* The part of the hub that knows users and their rights: users, sessions, services, groups, roles,
 * tokens. Each has a file of its own; they find each other through this struct. */
#ifndef HUB_ACCESS_ACCESS_H
#define HUB_ACCESS_ACCESS_H

#include "cygnet/err.h"
#include "cygnet/limits.h"
#include "hub/base/app.h"
#include "hub/base/secret.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

struct credential;
struct groups;
struct people;
struct roles;
struct services;
struct sessions;
struct srv;
struct tokens;

#define HUB_COOKIE "__Host-cygnet"

struct access_opts {
	struct store *store;
	uint64_t session_ms;          /* how long a sign-in lasts */
	const char *admin_token_file; /* NULL: no administrator's token */
	/* The active server of that id, if it is that user's, and its name (borrowed); else NULL.
	 * NULL: there are no servers. */
	struct srv *(*find_server)(
	    void *arg, const char *id, struct cyg_str user, const char **name);
	void *arg;
};

struct access {
	struct access_opts opts;
	struct people *people;
	struct sessions *sessions;
	struct services *services;
	struct groups *groups;
	struct roles *roles;
	struct tokens *tokens;
	void (*credential_changed)(void *arg, const struct credential *c, bool live);
	void *credential_arg;            /* of credentials.c */
	char admin_sum[SECRET_SUM_SIZE]; /* of the administrator's token, or "" */
};

/* Reads every row. */
int access_open(const struct access_opts *opts, struct access **ret, struct cyg_err *err);
/* Rows stay. NULL is accepted. */
void access_free(struct access *access);
static inline struct access *request_access(const struct http_req *req)
{
	return request_app(req)->access;
}

#endif

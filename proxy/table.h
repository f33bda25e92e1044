/* The proxy's table: the routes and credentials that the hub (or a file) sent last. The format is
 * in cygnet/table.h. A table is read whole (table_json.c) or changed in place (table_change.c);
 * finding a row is pure. */
#ifndef PROXY_TABLE_H
#define PROXY_TABLE_H

#include "base/hash.h"
#include "base/list.h"
#include "cygnet/err.h"
#include "cygnet/table.h"

#include <stdint.h>

enum { TABLE_SHA256 = 32 };

enum route_auth {
	ROUTE_NONE,    /* no check here; the target does its own */
	ROUTE_SESSION, /* only with a credential that has access to it */
	ROUTE_USER,    /* with any user's credential; the target checks the rest */
};

struct route {
	struct cyg_str host;   /* lower case without port; empty: any */
	struct cyg_str prefix; /* decoded; begins and ends with '/' */
	const char *target;    /* "unix:PATH" or "tcp:ADDRESS:PORT", checked */
	enum route_auth auth;
	const char *owner;     /* "" when there is none */
	const char *name;      /* of the owner's server; "" for the default one */
	const char *server;    /* server id, "" when there is none */
	struct cyg_list conns; /* exchanges that use it (route_link of struct client) */
	char text[];           /* of all the above */
};

struct cred {
	uint8_t sha256[TABLE_SHA256];
	const char *user;
	const char *host;   /* accepted only there; "" for anywhere */
	int64_t expires;    /* seconds since 1970, 0: never */
	const char *server; /* accepted only at the inner listener; "" for users' */
	const char *access; /* n_access terminated texts, one after the other */
	size_t n_access;
	struct cyg_list conns; /* exchanges that use it (cred_link of struct client) */
	char text[];
};

struct table {
	uint64_t generation;
	size_t n_routes;
	size_t n_creds;
	size_t prefix_max;                              /* longest prefix in it */
	size_t n_hosts;                                 /* routes that name a host */
	struct cyg_hash *routes;                        /* host + prefix → struct route, owned */
	struct cyg_hash *creds;                         /* SHA-256 → struct cred, owned */
	unsigned n_of_length[CYG_ROUTE_PREFIX_MAX + 1]; /* prefixes by their length */
};

/* Reads a whole table. It is refused whole, with a message that names the row and what is allowed.
 */
int table_parse(struct cyg_str json, struct table **ret, struct cyg_err *err);
/* NULL is accepted. */
void table_free(struct table *t);

/* ---- changing (table_change.c) ---- */
struct route_key {
	struct cyg_str host, prefix;
};

/* The difference between two generations. */
struct table_change {
	uint64_t from, to;
	struct table *set; /* rows that are new, or take another's place */
	struct route_key *drop_routes;
	uint8_t (*drop_creds)[TABLE_SHA256];
	size_t n_drop_routes, n_drop_creds;
};

/* Called for each row that is removed (now is NULL), added (old is NULL) or replaced, when the
 * table is already changed; old is freed after the call. */
struct table_watch {
	void (*route)(void *arg, struct route *old, struct route *now);
	void (*cred)(void *arg, struct cred *old, struct cred *now);
	void *arg;
};

int table_change_parse(struct cyg_str json, struct table_change **ret, struct cyg_err *err);
/* NULL is accepted. */
void table_change_free(struct table_change *c);
/* Checks whether the change can be applied: -CYG_EEXIST when it builds on another generation,
 * -CYG_ELIMIT when the table would grow too large. t may be NULL. */
int table_change_check(const struct table_change *c, const struct table *t, struct cyg_err *err);
/* Applies a change that was checked; its rows become t's. watch may be NULL. The cost depends on
 * the size of the change, not of the table. */
void table_apply(struct table *t, struct table_change *c, const struct table_watch *watch);

/* ---- finding ---- */
/* The route with the longest prefix of the decoded path; at equal length one that names the host
 * wins. NULL: none. *slash is set when the path is a route's prefix but for the closing '/'. */
struct route *table_find_route(
    const struct table *t, struct cyg_str host, struct cyg_str path, bool *slash);
/* The same among prefixes that are shorter than r's: for a request that may not use r. */
struct route *table_find_shorter(
    const struct table *t, struct cyg_str host, struct cyg_str path, const struct route *r);
/* True when the credential (NULL: none) may use the route. */
bool table_may_use(const struct cred *c, const struct route *r);
/* True when the target is a user's server: hub and browser do not trust it, whoever may use it. */
bool table_is_server(const struct route *r);
/* The route with exactly that host and prefix, or NULL. */
struct route *table_find_exact(const struct table *t, struct cyg_str host, struct cyg_str prefix);
/* The credential whose secret this is, unless it expired at or before now_s; NULL: none. */
struct cred *table_find_cred(const struct table *t, struct cyg_str secret, int64_t now_s);
/* The credential with that hash, expired or not, or NULL. */
struct cred *table_find_hash(const struct table *t, const uint8_t sha256[TABLE_SHA256]);
/* True when both rows are equal. */
bool table_same_route(const struct route *a, const struct route *b);
bool table_same_cred(const struct cred *a, const struct cred *b);

#endif

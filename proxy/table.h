/* What the proxy knows: routes and credentials, as the hub (or a file) last said. A table is built
 * whole, never changed, and replaced by the next one; finding in it is pure. */
#ifndef PROXY_TABLE_H
#define PROXY_TABLE_H

#include "base/arena.h"
#include "base/hash.h"
#include "base/list.h"
#include "cygnet/err.h"

#include <stdint.h>

enum { TABLE_SHA256 = 32 };

enum route_auth {
	ROUTE_NONE,    /* the target looks after itself */
	ROUTE_SESSION, /* only with a credential that may use it */
	ROUTE_USER,    /* with any user's credential; the target looks after the rest */
};

struct route {
	struct cyg_str host;   /* lower case without port; empty: any */
	struct cyg_str prefix; /* decoded; begins and ends with '/' */
	const char *target;    /* "unix:PATH" or "tcp:ADDRESS:PORT", checked */
	enum route_auth auth;
	const char *owner;  /* "" when there is none */
	const char *server; /* server id, "" when there is none */
};

struct cred {
	uint8_t sha256[TABLE_SHA256];
	const char *user;
	int64_t expires;       /* seconds since 1970, 0: never */
	const char *server;    /* good only at the inner door, for that server; "" for people's */
	struct cyg_list conns; /* connections that live by it (link: struct client) */
};

struct table {
	uint64_t generation;
	size_t n_routes;
	size_t n_creds;
	size_t prefix_max;        /* longest prefix in it */
	bool has_hosts;           /* some route names a host */
	struct cyg_hash *routes;  /* host + prefix → struct route */
	struct cyg_hash *creds;   /* SHA-256 → struct cred */
	struct cyg_hash *servers; /* server id → its struct route */
	struct cyg_arena arena;   /* all of the above's text and structs */
};

/* Reads a table from its JSON (design: contracts, PUT /table). It is refused whole, with a message
 * that names the row and what is allowed. */
int table_parse(struct cyg_str json, struct table **ret, struct cyg_err *err);
/* NULL is accepted. */
void table_free(struct table *t);

/* The route with the longest prefix of the decoded path; at equal length one that names the host
 * wins. NULL: none. *slash is set when the path is a route's prefix but for the closing '/'. */
struct route *table_find_route(
    const struct table *t, struct cyg_str host, struct cyg_str path, bool *slash);
/* The same among prefixes that are shorter than r's: where a request goes that r is not for. */
struct route *table_find_shorter(
    const struct table *t, struct cyg_str host, struct cyg_str path, const struct route *r);
/* True when the credential (NULL: none) may use the route. */
bool table_may_use(const struct cred *c, const struct route *r);
/* True when the target is a user's server, a stranger to the hub and to the browser, whoever may
 * reach it. */
bool table_is_server(const struct route *r);
/* The route with exactly that host and prefix, or NULL. */
struct route *table_find_exact(const struct table *t, struct cyg_str host, struct cyg_str prefix);
/* The credential whose secret this is, unless it expired at or before now_s; NULL: none. */
struct cred *table_find_cred(const struct table *t, struct cyg_str secret, int64_t now_s);
/* The credential with that hash, expired or not, or NULL. */
struct cred *table_find_hash(const struct table *t, const uint8_t sha256[TABLE_SHA256]);

#endif

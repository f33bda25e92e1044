/* One scope as JupyterHub writes it, "read:users!user=alice": its name, what it contains, and the
 * filter that says for which targets. Pure. Sets of scopes are in scope_set.h, principals in
 * principal.h. */
#ifndef HUB_ACCESS_SCOPE_H
#define HUB_ACCESS_SCOPE_H

#include "base/str.h"
#include "cygnet/err.h"

#include <stdint.h>

enum {
	/* A user's name, a slash and a server's name (CYG_NAME_MAX each), with room for groups of
	 * OpenID providers and directories, whose names are long. */
	SCOPE_NAME_MAX = 192,
	SCOPE_TEXT_MAX = 256, /* the longest scope, a filter and such a name */
};

/* In the order of the names, so that a list of them by number is sorted. */
enum scope_id {
	SCOPE_NO_SCOPE,
	SCOPE_ACCESS_SERVERS,
	SCOPE_ACCESS_SERVICES,
	SCOPE_ADMIN_UI,
	SCOPE_ADMIN_AUTH_STATE,
	SCOPE_ADMIN_GROUPS,
	SCOPE_ADMIN_SERVER_STATE,
	SCOPE_ADMIN_SERVERS,
	SCOPE_ADMIN_SERVICES,
	SCOPE_ADMIN_USERS,
	SCOPE_DELETE_GROUPS,
	SCOPE_DELETE_SERVERS,
	SCOPE_DELETE_USERS,
	SCOPE_GROUPS,
	SCOPE_GROUPS_SHARES,
	SCOPE_INHERIT,
	SCOPE_LIST_GROUPS,
	SCOPE_LIST_SERVICES,
	SCOPE_LIST_USERS,
	SCOPE_PROXY,
	SCOPE_READ_GROUPS,
	SCOPE_READ_GROUPS_NAME,
	SCOPE_READ_GROUPS_SHARES,
	SCOPE_READ_HUB,
	SCOPE_READ_METRICS,
	SCOPE_READ_ROLES,
	SCOPE_READ_ROLES_GROUPS,
	SCOPE_READ_ROLES_SERVICES,
	SCOPE_READ_ROLES_USERS,
	SCOPE_READ_SERVERS,
	SCOPE_READ_SERVICES,
	SCOPE_READ_SERVICES_NAME,
	SCOPE_READ_SHARES,
	SCOPE_READ_TOKENS,
	SCOPE_READ_USERS,
	SCOPE_READ_USERS_ACTIVITY,
	SCOPE_READ_USERS_GROUPS,
	SCOPE_READ_USERS_NAME,
	SCOPE_READ_USERS_SHARES,
	SCOPE_SELF,
	SCOPE_SERVERS,
	SCOPE_SHARES,
	SCOPE_SHUTDOWN,
	SCOPE_START_SERVERS,
	SCOPE_TOKENS,
	SCOPE_USERS,
	SCOPE_USERS_ACTIVITY,
	SCOPE_USERS_SHARES,
	SCOPE_N,
};

/* Many scopes at once: one bit each. */
typedef uint64_t scope_bits;
#define SCOPE_BIT(id) ((scope_bits)1 << (id))
/* The first of them; there is one. */
static inline enum scope_id scope_first(scope_bits scopes)
{
	return (enum scope_id)__builtin_ctzll(scopes);
}

/* What a scope is for, and what a request is about. */
enum scope_kind { SCOPE_ALL, SCOPE_USER, SCOPE_SERVER, SCOPE_GROUP, SCOPE_SERVICE };

struct scope_target {
	enum scope_kind kind;
	struct cyg_str name; /* "alice"; a server's is "alice/" or "alice/NAME"; empty with ALL */
};

struct scope {
	enum scope_id id;
	bool own; /* "!user", "!server", "!service": the holder's own, target.name is empty */
	struct scope_target target;
};

const char *scope_name(enum scope_id id);
/* False when there is none of that name. */
bool scope_find(struct cyg_str name, enum scope_id *ret);
/* The scope and all that it contains, directly or not. */
scope_bits scope_with_contained(enum scope_id id);
/* The scopes that the metascope "self" stands for. */
scope_bits scope_self(void);
/* The scopes whose target is a server. */
scope_bits scope_about_servers(void);
/* Of the scopes with a filter !server, those that can apply to a server: what is read of a user
 * does not. */
scope_bits scope_of_servers(scope_bits bits);

/* Reads one scope from its text; the name is borrowed from it. -CYG_EINVAL when it is none. */
int scope_parse(struct cyg_str text, struct scope *ret, struct cyg_err *err);
/* The user a server's name begins with. */
struct cyg_str scope_server_user(struct cyg_str server);

#endif

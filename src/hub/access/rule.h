/* The scope column of an endpoint's row: "anyone", "page", "read:users|read:servers". Pure.
 *
 * Words are separated by spaces. At most one names the kind of principal:
 *   anyone   everybody, also without a credential
 *   page     a user; without a session the browser is sent to the sign-in
 *   user     a user, by a session or token
 *   whoami   a user, a service, or a server by its own credential
 *   server   a server by its own credential alone
 * The others are scopes, of which one is enough, for the target that the path's {user}, {server},
 * {group} or {service} names; and how they are checked:
 *   own      the path has no {user}: the asking user is the target
 *   list     held for any target is enough: the handler shows those
 *   new      the user of the path need not exist
 *   forbid   403 instead of 404 where the scope is held for other targets only */
#ifndef HUB_ACCESS_RULE_H
#define HUB_ACCESS_RULE_H

#include "hub/access/scope.h"

enum rule_who { RULE_SCOPED, RULE_ANYONE, RULE_PAGE, RULE_USER, RULE_WHOAMI, RULE_SERVER };

struct rule {
	enum rule_who who;
	scope_bits any; /* one of them is needed; 0: none */
	bool own, list, may_be_new, forbids;
	enum scope_kind about; /* SCOPE_ALL: nothing that has a name */
};

/* The row's text and path. -CYG_EINVAL when it lets in by mistake: no word at all, an unknown one,
 * or a path that names a user and no scope for it. */
int rule_parse(const char *text, const char *path, struct rule *ret, struct cyg_err *err);
/* The number of a parameter, "{user}", in a path; -1 when it has none. */
int rule_param(const char *path, const char *name);
/* The names of the scopes, separated by ", ", for a message. Always terminated. */
void rule_names(const struct rule *rule, char *out, size_t size);

#endif

/* The scopes that a principal holds, expanded: without metascopes, with all that each contains, and
 * with names in place of bare filters. Sets live in an arena and are built once. Pure. JupyterHub's
 * scopes.py calls these functions expand, reduce, intersect and has_scope. */
#ifndef HUB_ACCESS_SCOPE_SET_H
#define HUB_ACCESS_SCOPE_SET_H

#include "base/arena.h"
#include "hub/access/scope.h"

/* Different filters of one set. A user's own is one; roles of groups and shared servers bring more.
 * Each request walks them, and two sets are compared pair by pair. */
enum { SCOPE_FILTERS_MAX = 256 };

struct scope_filter {
	scope_bits scopes;
	struct scope_target target;
};

struct scope_set {
	struct cyg_arena *arena;
	scope_bits all; /* those held for everything; the filters name none of them */
	struct scope_filter *filters;
	size_t n, cap;
};

/* The names that bare filters and "self" stand for; empty where there is none. A server's is
 * "USER/SERVER". */
struct scope_owner {
	struct cyg_str user, server, service;
};

/* Who is in which group; is_member NULL: groups have no members. */
struct scope_members {
	bool (*is_member)(const void *arg, struct cyg_str user, struct cyg_str group);
	const void *arg;
};

void scope_set_init(struct scope_set *set, struct cyg_arena *arena);
/* Adds a scope with what it contains. A bare filter without an owner of that kind adds nothing, as
 * "self" of a principal that is no user. -CYG_ELIMIT: too many filters. */
int scope_set_add(struct scope_set *set, const struct scope *scope, const struct scope_owner *owner,
    struct cyg_err *err);
/* The same from text. */
int scope_set_add_text(struct scope_set *set, struct cyg_str text, const struct scope_owner *owner,
    struct cyg_err *err);
/* Adds scopes for one target, just these. */
int scope_set_add_bits(struct scope_set *set, scope_bits scopes, const struct scope_target *target,
    struct cyg_err *err);
/* Adds to *ret (initialised) the scopes that both hold. A server is held with its user, and a user
 * and its servers with a group of the user. */
int scope_set_intersect(struct scope_set *ret, const struct scope_set *a, const struct scope_set *b,
    const struct scope_members *members, struct cyg_err *err);
/* Whether set holds every scope of part, filter by filter. */
bool scope_set_has(const struct scope_set *set, const struct scope_set *part);
/* Holds the scope at all, for whatever target. */
bool scope_set_holds(const struct scope_set *set, enum scope_id id);
/* Whether the scope is held for that target; SCOPE_ALL means everything of the kind, or a thing
 * without a name. */
bool scope_set_allows(const struct scope_set *set, enum scope_id id,
    const struct scope_target *target, const struct scope_members *members);
/* The targets for which the scope is held, one by one: start with *pos = 0; false at the end.
 * SCOPE_ALL comes alone. A list shows these; for a row of a list use scope_set_allows. */
bool scope_set_next(
    const struct scope_set *set, enum scope_id id, size_t *pos, struct scope_target *ret);
/* Every scope as text in turn, in no order; borrowed from the arena. */
void scope_set_each(
    const struct scope_set *set, void (*fn)(void *arg, const char *text), void *arg);

#endif

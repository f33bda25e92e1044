/* Sets of scopes: one word of bits for everything, and one for each filter. */
#include "hub/access/scope_set.h"

#include "base/mem.h"

#include <string.h>

static const char *const kinds[] = {
	[SCOPE_ALL] = "",
	[SCOPE_USER] = "!user=",
	[SCOPE_SERVER] = "!server=",
	[SCOPE_GROUP] = "!group=",
	[SCOPE_SERVICE] = "!service=",
};

void scope_set_init(struct scope_set *set, struct cyg_arena *arena)
{
	*set = (struct scope_set){ .arena = arena };
}

/* ---- building ---- */

static bool is_same(const struct scope_target *a, const struct scope_target *b)
{
	return a->kind == b->kind && cyg_str_same(a->name, b->name);
}

static const struct scope_filter *find(
    const struct scope_set *set, const struct scope_target *target)
{
	for (size_t i = 0; i < set->n; i++) {
		if (is_same(&set->filters[i].target, target))
			return &set->filters[i];
	}
	return NULL;
}

static int grow(struct scope_set *set, struct cyg_err *err)
{
	size_t cap = set->cap == 0 ? 4 : 2 * set->cap;

	if (set->n < set->cap)
		return 0;
	if (cap > SCOPE_FILTERS_MAX)
		return cyg_fail(
		    err, CYG_ELIMIT, "the scopes have more than %d filters", SCOPE_FILTERS_MAX);
	struct scope_filter *filters = cyg_arena_alloc(set->arena, cap * sizeof(*filters));
	if (set->n > 0)
		memcpy(filters, set->filters, set->n * sizeof(*filters));
	set->filters = filters;
	set->cap = cap;
	return 0;
}

/* A scope that is held for everything needs no filter. */
static void add_all(struct scope_set *set, scope_bits scopes)
{
	size_t n = 0;

	set->all |= scopes;
	for (size_t i = 0; i < set->n; i++) {
		set->filters[i].scopes &= ~scopes;
		if (set->filters[i].scopes != 0)
			set->filters[n++] = set->filters[i];
	}
	set->n = n;
}

int scope_set_add_bits(struct scope_set *set, scope_bits scopes, const struct scope_target *target,
    struct cyg_err *err)
{
	if (target->kind == SCOPE_ALL) {
		add_all(set, scopes);
		return 0;
	}
	scopes &= ~set->all;
	if (scopes == 0)
		return 0;
	for (size_t i = 0; i < set->n; i++) {
		if (!is_same(&set->filters[i].target, target))
			continue;
		set->filters[i].scopes |= scopes;
		return 0;
	}
	if (grow(set, err) < 0)
		return -CYG_ELIMIT;
	struct cyg_str name = { cyg_arena_dup(set->arena, target->name), target->name.len };
	set->filters[set->n++] = (struct scope_filter){ scopes, { target->kind, name } };
	return 0;
}

/* The target a bare filter means; false when the owner is none of that kind. */
static bool owned(enum scope_kind kind, const struct scope_owner *owner, struct scope_target *ret)
{
	ret->kind = kind;
	ret->name = kind == SCOPE_USER     ? owner->user
		    : kind == SCOPE_SERVER ? owner->server
					   : owner->service;
	return ret->name.len > 0;
}

int scope_set_add(struct scope_set *set, const struct scope *scope, const struct scope_owner *owner,
    struct cyg_err *err)
{
	struct scope_target target = scope->target;
	scope_bits scopes = scope_with_contained(scope->id);

	if (scope->own && !owned(scope->target.kind, owner, &target))
		return 0;
	if (scope->id == SCOPE_SELF && target.kind == SCOPE_ALL) {
		if (!owned(SCOPE_USER, owner, &target))
			return 0;
		scopes = scope_self();
	}
	if (target.kind == SCOPE_SERVER)
		scopes = scope_of_servers(scopes);
	return scope_set_add_bits(set, scopes, &target, err);
}

int scope_set_add_text(struct scope_set *set, struct cyg_str text, const struct scope_owner *owner,
    struct cyg_err *err)
{
	struct scope scope;

	if (scope_parse(text, &scope, err) < 0)
		return -CYG_EINVAL;
	return scope_set_add(set, &scope, owner, err);
}

/* ---- intersecting ---- */

static bool is_member(
    const struct scope_members *members, struct cyg_str user, struct cyg_str group)
{
	return members != NULL && members->is_member != NULL &&
	       members->is_member(members->arg, user, group);
}

/* Whether a scope held for the filter covers the target. */
static bool reaches(const struct scope_target *held, const struct scope_target *target,
    const struct scope_members *members)
{
	if (is_same(held, target))
		return true;
	if (target->kind != SCOPE_USER && target->kind != SCOPE_SERVER)
		return false;
	struct cyg_str user =
	    target->kind == SCOPE_USER ? target->name : scope_server_user(target->name);
	if (held->kind == SCOPE_USER)
		return target->kind == SCOPE_SERVER && cyg_str_same(held->name, user);
	return held->kind == SCOPE_GROUP && is_member(members, user, held->name);
}

/* The scopes of a's filters that b holds too. */
static int keep(struct scope_set *ret, const struct scope_set *a, const struct scope_set *b,
    const struct scope_members *members, struct cyg_err *err)
{
	for (size_t i = 0; i < a->n; i++) {
		const struct scope_filter *f = &a->filters[i];
		scope_bits scopes = f->scopes & b->all;
		for (size_t k = 0; k < b->n; k++) {
			if ((f->scopes & b->filters[k].scopes & ~scopes) != 0 &&
			    reaches(&b->filters[k].target, &f->target, members))
				scopes |= f->scopes & b->filters[k].scopes;
		}
		if (scope_set_add_bits(ret, scopes, &f->target, err) < 0)
			return -CYG_ELIMIT;
	}
	return 0;
}

int scope_set_intersect(struct scope_set *ret, const struct scope_set *a, const struct scope_set *b,
    const struct scope_members *members, struct cyg_err *err)
{
	add_all(ret, a->all & b->all);
	return keep(ret, a, b, members, err) < 0 || keep(ret, b, a, members, err) < 0 ? -CYG_ELIMIT
										      : 0;
}

/* ---- queries ---- */

bool scope_set_has(const struct scope_set *set, const struct scope_set *part)
{
	if ((part->all & ~set->all) != 0)
		return false;
	for (size_t i = 0; i < part->n; i++) {
		const struct scope_filter *f = find(set, &part->filters[i].target);
		scope_bits held = set->all | (f != NULL ? f->scopes : 0);
		if ((part->filters[i].scopes & ~held) != 0)
			return false;
	}
	return true;
}

bool scope_set_holds(const struct scope_set *set, enum scope_id id)
{
	size_t pos = 0;
	struct scope_target target;

	return scope_set_next(set, id, &pos, &target);
}

bool scope_set_allows(const struct scope_set *set, enum scope_id id,
    const struct scope_target *target, const struct scope_members *members)
{
	if ((set->all & SCOPE_BIT(id)) != 0)
		return true;
	if (target->kind == SCOPE_ALL)
		return false;
	for (size_t i = 0; i < set->n; i++) {
		if ((set->filters[i].scopes & SCOPE_BIT(id)) != 0 &&
		    reaches(&set->filters[i].target, target, members))
			return true;
	}
	return false;
}

bool scope_set_next(
    const struct scope_set *set, enum scope_id id, size_t *pos, struct scope_target *ret)
{
	if ((set->all & SCOPE_BIT(id)) != 0) {
		*ret = (struct scope_target){ .kind = SCOPE_ALL };
		return (*pos)++ == 0;
	}
	while (*pos < set->n) {
		const struct scope_filter *f = &set->filters[(*pos)++];
		if ((f->scopes & SCOPE_BIT(id)) == 0)
			continue;
		*ret = f->target;
		return true;
	}
	return false;
}

static const char *text_of(
    enum scope_id id, const struct scope_target *target, struct cyg_arena *arena)
{
	const struct cyg_str parts[] = { cyg_str_of(scope_name(id)),
		cyg_str_of(kinds[target->kind]), target->name };

	return target->kind == SCOPE_ALL ? parts[0].p : cyg_arena_join(arena, parts, CYG_N(parts));
}

void scope_set_each(const struct scope_set *set, void (*fn)(void *arg, const char *text), void *arg)
{
	for (int id = 0; id < SCOPE_N; id++) {
		struct scope_target t;
		size_t pos = 0;
		while (scope_set_next(set, (enum scope_id)id, &pos, &t))
			fn(arg, text_of((enum scope_id)id, &t, set->arena));
	}
}

/* Scopes as text from anybody who may make a token: one in each line, the first byte says whose.
 * What is taken is the same when it is written and read again, and no set is more than itself. */
#include "hub/access/principal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct scope_owner owners[] = {
	{ .user = { "alice", 5 } },
	{ .user = { "alice", 5 }, .server = { "alice/gpu", 9 } },
	{ .service = { "culler", 6 } },
	{ .user = { "", 0 } },
};

static bool is_member(const void *arg, struct cyg_str user, struct cyg_str group)
{
	(void)arg;
	return user.len > 0 && group.len > 0 && user.p[0] == group.p[0];
}

static void on_scope(void *arg, const char *text)
{
	struct scope_set *again = arg;
	struct scope scope;

	if (scope_parse(cyg_str_of(text), &scope, NULL) < 0 || scope.own ||
	    scope_set_add_bits(again, SCOPE_BIT(scope.id), &scope.target, NULL) < 0)
		abort();
}

static void check(const struct scope_set *set)
{
	static const struct scope_members members = { .is_member = is_member };
	struct scope_set again, both;

	scope_set_init(&again, set->arena);
	scope_set_init(&both, set->arena);
	scope_set_each(set, on_scope, &again);
	if (!scope_set_has(set, &again) || !scope_set_has(&again, set))
		abort();
	if (scope_set_intersect(&both, set, &again, &members, NULL) < 0 ||
	    !scope_set_has(&both, set) || !scope_set_has(set, &both))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cyg_str rest = { (const char *)data, size }, line;
	const struct scope_owner *owner = &owners[size > 0 ? data[0] % 4 : 0];
	struct cyg_arena a;
	struct scope_set set;

	if (size == 0 || size > 64 * 1024)
		return 0;
	rest = cyg_str_skip(rest, 1);
	cyg_arena_init(&a);
	scope_set_init(&set, &a);
	while (rest.len > 0 && cyg_str_next(&rest, '\n', &line))
		(void)scope_set_add_text(&set, line, owner, NULL);
	check(&set);
	cyg_arena_free(&a);
	return 0;
}

/* Scopes, roles and principals against what JupyterHub itself says: every row of scope_table.tsv
 * (written by tests/support/scope_table.py), and what the table does not hold. */
#include "base/mem.h"
#include "base/num.h"
#include "hub/access/principal.h"
#include "hub/access/role.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

enum { CELLS_MAX = 32, ITEMS_MAX = 256, ROWS_MIN = 2500 };

struct list {
	const char *items[ITEMS_MAX];
	size_t n;
};

struct row {
	char *cells[CELLS_MAX];
	size_t n;
	size_t line;
};

static struct row world[16];
static size_t n_world;
static struct row things;

static char *duplicate(struct cyg_arena *a, const char *s)
{
	return cyg_arena_dup(a, cyg_str_of(s));
}

static void split(
    struct cyg_arena *a, const char *text, char c, char **cells, size_t max, size_t *n)
{
	char *at = duplicate(a, text), *end;

	for (*n = 0; at != NULL; at = end) {
		end = strchr(at, c);
		if (end != NULL)
			*end++ = '\0';
		ck_assert_uint_lt(*n, max);
		cells[(*n)++] = at;
	}
}

static struct list list_of(struct cyg_arena *a, const char *text)
{
	struct list l = { .n = 0 };
	char *cells[ITEMS_MAX];

	if (text[0] == '\0' || strcmp(text, "-") == 0)
		return l;
	split(a, text, ' ', cells, ITEMS_MAX, &l.n);
	memcpy(l.items, cells, l.n * sizeof(cells[0]));
	return l;
}

static struct scope_texts texts_of(const struct list *l)
{
	return (struct scope_texts){ l->items, l->n };
}

static bool is_member(const void *arg, struct cyg_str user, struct cyg_str group)
{
	(void)arg;
	for (size_t i = 0; i < n_world; i++) {
		if (!cyg_str_eq(user, world[i].cells[1]))
			continue;
		for (size_t k = 2; k < world[i].n; k++) {
			if (cyg_str_eq(group, world[i].cells[k]))
				return true;
		}
	}
	return false;
}

static const struct scope_members members = { .is_member = is_member };

static struct scope_target target_of(const char *text)
{
	static const struct {
		const char *prefix;
		enum scope_kind kind;
	} kinds[] = { { "user=", SCOPE_USER }, { "server=", SCOPE_SERVER },
		{ "group=", SCOPE_GROUP }, { "service=", SCOPE_SERVICE } };

	for (size_t i = 0; i < CYG_N(kinds); i++) {
		if (strncmp(text, kinds[i].prefix, strlen(kinds[i].prefix)) == 0)
			return (struct scope_target){ kinds[i].kind,
				cyg_str_of(text + strlen(kinds[i].prefix)) };
	}
	return (struct scope_target){ .kind = SCOPE_ALL };
}

/* "user:alice" and the client "server=alice/gpu". */
static struct scope_owner owner_of(const char *who, const char *client)
{
	struct scope_owner o = { .user = CYG_STR("") };
	struct scope_target t = target_of(client);

	if (strncmp(who, "user:", 5) == 0)
		o.user = cyg_str_of(who + 5);
	else
		o.service = cyg_str_of(who + strlen("service:"));
	if (t.kind == SCOPE_SERVER)
		o.server = t.name;
	if (t.kind == SCOPE_SERVICE)
		o.service = t.name;
	return o;
}

/* ---- comparing a set with a list of texts ---- */

struct comparison {
	const struct list *expected;
	size_t seen, unknown;
};

static void on_scope(void *arg, const char *text)
{
	struct comparison *c = arg;

	for (size_t i = 0; i < c->expected->n; i++) {
		if (strcmp(text, c->expected->items[i]) == 0) {
			c->seen++;
			return;
		}
	}
	c->unknown++;
}

static bool is_set(const struct scope_set *set, const struct list *expected)
{
	struct comparison c = { .expected = expected };

	scope_set_each(set, on_scope, &c);
	return c.unknown == 0 && c.seen == expected->n;
}

/* ---- one kind of row each ---- */

static bool check_contains(struct cyg_arena *a, const struct row *r)
{
	struct list expected = list_of(a, r->cells[2]);
	enum scope_id id, inner;
	scope_bits bits = 0;

	ck_assert(scope_find(cyg_str_of(r->cells[1]), &id));
	for (size_t i = 0; i < expected.n; i++) {
		ck_assert(scope_find(cyg_str_of(expected.items[i]), &inner));
		bits |= SCOPE_BIT(inner);
	}
	return scope_with_contained(id) == bits && strcmp(scope_name(id), r->cells[1]) == 0;
}

static bool check_expand(struct cyg_arena *a, const struct row *r)
{
	struct list expected = list_of(a, r->cells[4]);
	struct scope_owner owner = owner_of(r->cells[1], r->cells[2]);
	struct scope_set set;

	scope_set_init(&set, a);
	ck_assert_int_eq(scope_set_add_text(&set, cyg_str_of(r->cells[3]), &owner, NULL), 0);
	return is_set(&set, &expected);
}

/* Cells from 1: WHO, scopes of the owner, CLIENT, scopes of the token. */
static struct principal principal_of(struct cyg_arena *a, const struct row *r)
{
	struct scope_owner owner = owner_of(r->cells[1], "-");
	struct scope_owner client = owner_of("user:", r->cells[3]);
	struct list of_owner = list_of(a, r->cells[2]), of_token = list_of(a, r->cells[4]);
	struct scope_texts held = texts_of(&of_owner), token = texts_of(&of_token);
	bool is_user = owner.user.len > 0;
	struct principal p;

	principal_init(&p, is_user ? PRINCIPAL_USER : PRINCIPAL_SERVICE, &owner, &members, a);
	ck_assert_int_eq(principal_add(&p, &held, NULL), 0);
	if (strcmp(r->cells[4], "-") != 0)
		ck_assert_int_eq(principal_narrow(&p, &token, &client, NULL), 0);
	return p;
}

static bool check_allow(struct cyg_arena *a, const struct row *r)
{
	static const char *const names[] = {
		[SCOPE_ALLOWED] = "allow", [SCOPE_LACKING] = "lack", [SCOPE_HIDDEN] = "hide"
	};
	struct principal p = principal_of(a, r);
	struct scope_target target = target_of(r->cells[6]);
	enum scope_id id;

	ck_assert(scope_find(cyg_str_of(r->cells[5]), &id));
	return strcmp(names[scope_allows(&p, SCOPE_BIT(id), &target)], r->cells[7]) == 0;
}

static bool check_list(struct cyg_arena *a, const struct row *r)
{
	struct principal p = principal_of(a, r);
	struct list expected = list_of(a, r->cells[6]);
	enum scope_id id;
	size_t n = 0;

	ck_assert(scope_find(cyg_str_of(r->cells[5]), &id));
	for (size_t i = 1; i < things.n; i++) {
		struct scope_target t = target_of(things.cells[i]);
		bool told = false;
		for (size_t k = 0; k < expected.n; k++)
			told = told || strcmp(expected.items[k], things.cells[i]) == 0;
		n += told;
		if (told != scope_set_allows(&p.scopes, id, &t, &members))
			return false;
	}
	return n == expected.n;
}

static bool check_grant(struct cyg_arena *a, const struct row *r)
{
	struct scope_owner owner = owner_of(r->cells[1], "-");
	struct list of_owner = list_of(a, r->cells[2]), asked = list_of(a, r->cells[3]);
	struct scope_texts held = texts_of(&of_owner), wanted = texts_of(&asked);
	struct principal p;

	principal_init(&p, PRINCIPAL_USER, &owner, &members, a);
	ck_assert_int_eq(principal_add(&p, &held, NULL), 0);
	return (principal_may_grant(&p, &p, &wanted, NULL) == 0) ==
	       (strcmp(r->cells[4], "yes") == 0);
}

static bool note_world(struct cyg_arena *a, const struct row *r)
{
	(void)a;
	ck_assert_uint_lt(n_world, CYG_N(world));
	world[n_world++] = *r;
	return true;
}

static bool note_things(struct cyg_arena *a, const struct row *r)
{
	(void)a;
	things = *r;
	return true;
}

static const struct {
	const char *kind;
	size_t cells;
	bool (*check)(struct cyg_arena *a, const struct row *r);
} kinds[] = {
	{ "world", 0, note_world },
	{ "things", 0, note_things },
	{ "contains", 3, check_contains },
	{ "expand", 5, check_expand },
	{ "allow", 8, check_allow },
	{ "list", 7, check_list },
	{ "grant", 5, check_grant },
};

static bool check_row(struct cyg_arena *a, const struct row *r)
{
	ck_assert_ptr_nonnull(r->cells[0]);
	for (size_t i = 0; i < CYG_N(kinds); i++) {
		if (strcmp(kinds[i].kind, r->cells[0]) != 0)
			continue;
		ck_assert_msg(kinds[i].cells == 0 || kinds[i].cells == r->n, "line %zu", r->line);
		return kinds[i].check(a, r);
	}
	ck_abort_msg("line %zu is of no known kind", r->line);
}

START_TEST(test_every_row_of_jupyterhubs_table_is_ours)
{
	FILE *f = fopen("tests/unit/hub/scope_table.tsv", "re");
	cyg_autofree char *line = NULL;
	struct cyg_arena kept, a;
	size_t size = 0, rows = 0, wrong = 0;
	ssize_t len;

	ck_assert_ptr_nonnull(f);
	cyg_arena_init(&kept);
	while ((len = getline(&line, &size, f)) > 0) {
		struct row r = { .line = ++rows };
		line[len - 1] = '\0';
		cyg_arena_init(&a);
		split(&kept, line, '\t', r.cells, CELLS_MAX, &r.n);
		if (!check_row(&a, &r)) {
			wrong++;
			(void)fprintf(stderr, "line %zu: %s\n", rows, line);
		}
		cyg_arena_free(&a);
	}
	(void)fclose(f);
	cyg_arena_free(&kept);
	ck_assert_uint_eq(wrong, 0);
	ck_assert_uint_ge(rows, ROWS_MIN);
}
END_TEST

/* ---- what the table does not hold ---- */

START_TEST(test_texts_that_are_no_scope_are_refused)
{
	static const char *const bad[] = { "", "all", "READ:USERS", "read:users ", " read:users",
		"read:users!", "read:users!user=", "read:users!group",
		"read:users!group=", "read:users!name=x", "read:users!user=a\tb",
		"servers!server=alice", "servers!server=/x", "read:users!!user=x", "custom:thing",
		"read", "read:", "read:users:", "!user=x" };
	struct scope s;
	struct cyg_err err;

	for (size_t i = 0; i < CYG_N(bad); i++)
		ck_assert_msg(
		    scope_parse(cyg_str_of(bad[i]), &s, &err) == -CYG_EINVAL, "%s", bad[i]);
}
END_TEST

START_TEST(test_a_scope_longer_than_the_maximum_is_refused)
{
	char text[SCOPE_TEXT_MAX + 64];
	struct scope s;

	(void)snprintf(text, sizeof(text), "read:users!user=%0*d", SCOPE_NAME_MAX, 0);
	ck_assert_int_eq(scope_parse(cyg_str_of(text), &s, NULL), -CYG_EINVAL);
	(void)snprintf(text, sizeof(text), "read:users!user=%0*d", SCOPE_NAME_MAX - 1, 0);
	ck_assert_int_eq(scope_parse(cyg_str_of(text), &s, NULL), 0);
}
END_TEST

START_TEST(test_a_set_takes_no_more_filters_than_the_maximum)
{
	struct scope_owner nobody = { .user = CYG_STR("") };
	struct cyg_arena a;
	struct scope_set set;
	char text[64];
	int code = 0;
	size_t n = 0;

	cyg_arena_init(&a);
	scope_set_init(&set, &a);
	for (; code == 0; n++) {
		(void)snprintf(text, sizeof(text), "read:users!user=u%zu", n);
		code = scope_set_add_text(&set, cyg_str_of(text), &nobody, NULL);
	}
	ck_assert_int_eq(code, -CYG_ELIMIT);
	ck_assert_uint_eq(n, SCOPE_FILTERS_MAX + 1);
	/* Held for everything, they are none any more. */
	ck_assert_int_eq(scope_set_add_text(&set, CYG_STR("read:users"), &nobody, NULL), 0);
	ck_assert_uint_eq(set.n, 0);
	cyg_arena_free(&a);
}
END_TEST

START_TEST(test_a_list_is_told_all_or_each_target_once)
{
	struct scope_owner alice = { .user = CYG_STR("alice") };
	struct cyg_arena a;
	struct scope_set set;
	struct scope_target t;
	size_t pos = 0;

	cyg_arena_init(&a);
	scope_set_init(&set, &a);
	ck_assert_int_eq(scope_set_add_text(&set, CYG_STR("self"), &alice, NULL), 0);
	ck_assert_int_eq(
	    scope_set_add_text(&set, CYG_STR("read:servers!group=physics"), &alice, NULL), 0);
	ck_assert(scope_set_next(&set, SCOPE_READ_SERVERS, &pos, &t));
	ck_assert_int_eq(t.kind, SCOPE_USER);
	ck_assert(cyg_str_eq(t.name, "alice"));
	ck_assert(scope_set_next(&set, SCOPE_READ_SERVERS, &pos, &t));
	ck_assert_int_eq(t.kind, SCOPE_GROUP);
	ck_assert(!scope_set_next(&set, SCOPE_READ_SERVERS, &pos, &t));
	pos = 0;
	ck_assert(!scope_set_next(&set, SCOPE_READ_HUB, &pos, &t));
	ck_assert_int_eq(scope_set_add_text(&set, CYG_STR("admin:servers"), &alice, NULL), 0);
	pos = 0;
	ck_assert(scope_set_next(&set, SCOPE_READ_SERVERS, &pos, &t));
	ck_assert_int_eq(t.kind, SCOPE_ALL);
	ck_assert(!scope_set_next(&set, SCOPE_READ_SERVERS, &pos, &t));
	cyg_arena_free(&a);
}
END_TEST

START_TEST(test_nobody_is_allowed_nothing)
{
	struct scope_target targets[] = { { .kind = SCOPE_ALL }, { SCOPE_USER, CYG_STR("alice") },
		{ SCOPE_SERVER, CYG_STR("alice/") }, { SCOPE_USER, CYG_STR("") } };
	struct cyg_arena a;
	struct principal p;

	cyg_arena_init(&a);
	principal_init(&p, PRINCIPAL_NOBODY, NULL, NULL, &a);
	for (size_t i = 0; i < CYG_N(targets); i++)
		ck_assert_int_eq(scope_allows(&p, ~(scope_bits)0, &targets[i]), SCOPE_LACKING);
	cyg_arena_free(&a);
}
END_TEST

START_TEST(test_what_is_too_much_for_a_token_is_named)
{
	static const char *const roles[] = { "self" };
	static const char *const asked[] = { "read:hub" };
	static const char *const unknown[] = { "write:everything" };
	struct scope_texts role = { roles, 1 }, much = { asked, 1 }, odd = { unknown, 1 };
	struct scope_owner alice = { .user = CYG_STR("alice") };
	struct cyg_arena a;
	struct principal p;
	struct cyg_err err;

	cyg_arena_init(&a);
	principal_init(&p, PRINCIPAL_USER, &alice, NULL, &a);
	ck_assert_int_eq(principal_add(&p, &role, NULL), 0);
	ck_assert_int_eq(principal_may_grant(&p, &p, &much, &err), -CYG_EINVAL);
	ck_assert_str_eq(err.msg, "Not assigning requested scopes read:hub not held by User alice");
	ck_assert_int_eq(principal_may_grant(&p, &p, &odd, &err), -CYG_EINVAL);
	ck_assert_int_eq(principal_narrow(&p, &odd, NULL, &err), -CYG_EINVAL);
	cyg_arena_free(&a);
}
END_TEST

START_TEST(test_default_roles_are_jupyterhubs_and_names_follow_its_rule)
{
	static const char *const good[] = { "abc", "a-b", "user~1", "x_y.z", "a00" };
	static const char *const bad[] = { "", "ab", "Abc", "1ab", "a b", "ab-", "ab.", "a/b",
		"-ab" };
	struct scope s;

	for (size_t i = 0; role_default(i) != NULL; i++) {
		const struct role *r = role_default(i);
		ck_assert_ptr_eq(role_find_default(cyg_str_of(r->name)), r);
		for (size_t k = 0; r->scopes[k] != NULL; k++)
			ck_assert_int_eq(scope_parse(cyg_str_of(r->scopes[k]), &s, NULL), 0);
	}
	ck_assert_ptr_null(role_find_default(CYG_STR("root")));
	for (size_t i = 0; i < CYG_N(good); i++)
		ck_assert_int_eq(role_name_check(cyg_str_of(good[i]), NULL), 0);
	for (size_t i = 0; i < CYG_N(bad); i++)
		ck_assert_int_eq(role_name_check(cyg_str_of(bad[i]), NULL), -CYG_EINVAL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("scope");
	TCase *c = tcase_create("scope");
	SRunner *r = srunner_create(s);

	tcase_set_timeout(c, 120);
	tcase_add_test(c, test_every_row_of_jupyterhubs_table_is_ours);
	tcase_add_test(c, test_texts_that_are_no_scope_are_refused);
	tcase_add_test(c, test_a_scope_longer_than_the_maximum_is_refused);
	tcase_add_test(c, test_a_set_takes_no_more_filters_than_the_maximum);
	tcase_add_test(c, test_a_list_is_told_all_or_each_target_once);
	tcase_add_test(c, test_nobody_is_allowed_nothing);
	tcase_add_test(c, test_what_is_too_much_for_a_token_is_named);
	tcase_add_test(c, test_default_roles_are_jupyterhubs_and_names_follow_its_rule);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}

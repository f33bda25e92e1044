/* A turn of the hub that cannot be written: groups and roles are remembered as they were. */
#include "base/mem.h"
#include "hub/access/group.h"
#include "hub/access/role.h"
#include "hub/access/roles.h"
#include "tests/unit/hub/access_rig.h"

#include <check.h>
#include <string.h>

/* All that is remembered of groups and roles, as text: the caller frees it. */
static char *picture(void)
{
	static const char *const groups[] = { "course", "staff", "new" };
	static const char *const roles[] = { "reader", "writer", "new" };
	json_t *all = json_array();

	for (size_t i = 0; i < CYG_N(groups); i++) {
		const struct group *g = groups_find(access_rig.wing, cyg_str_of(groups[i]));
		(void)json_array_append_new(all,
		    json_pack("[s?, I, O?, O?]", g != NULL ? g->name : NULL,
			(json_int_t)(g != NULL ? g->members : 0), g != NULL ? g->properties : NULL,
			roles_of(access_rig.wing, ROLE_OF_GROUP, cyg_str_of(groups[i]))));
	}
	for (size_t i = 0; i < CYG_N(roles); i++)
		(void)json_array_append_new(
		    all, json_pack("O?", role_scopes(access_rig.wing, cyg_str_of(roles[i]))));
	(void)json_array_append_new(
	    all, json_pack("[O, O, O?, O]", access_rig_user("alice")->groups,
		     access_rig_user("alice")->by_hand,
		     roles_of(access_rig.wing, ROLE_OF_USER, CYG_STR("alice")),
		     access_rig_user("bob")->groups));
	char *text = json_dumps(all, JSON_COMPACT);
	json_decref(all);
	return text;
}

static void make_group(void)
{
	group_add(access_rig.wing, access_rig_group("new"), access_rig_user("alice"));
}

static void set_properties(void)
{
	json_t *properties = json_pack("{s:i}", "quota", 7);

	ck_assert_int_eq(group_set_properties(access_rig.wing, access_rig_group("course"),
			     properties, &access_rig.err),
	    0);
	json_decref(properties);
}

static void add_members(void)
{
	group_add(access_rig.wing, access_rig_group("staff"), access_rig_user("alice"));
	group_add(access_rig.wing, access_rig_group("course"), access_rig_user("bob"));
	group_add(access_rig.wing, access_rig_group("staff"), access_rig_user("bob"));
}

static void drop_members(void)
{
	group_drop(access_rig.wing, access_rig_group("course"), access_rig_user("alice"));
	group_add(access_rig.wing, access_rig_group("course"), access_rig_user("alice"));
	group_drop(access_rig.wing, access_rig_group("course"), access_rig_user("alice"));
}

static void remove_group(void)
{
	group_add(access_rig.wing, access_rig_group("course"), access_rig_user("bob"));
	group_remove(access_rig.wing, access_rig_group("course"));
}

/* And made again, with nothing of what it was. */
static void remake_group(void)
{
	group_remove(access_rig.wing, access_rig_group("course"));
	group_add(access_rig.wing, access_rig_group("course"), access_rig_user("bob"));
}

static void make_roles(void)
{
	access_rig_role("new", "read:users");
	access_rig_role("reader", "read:servers");
}

static void grant_roles(void)
{
	ck_assert_int_eq(
	    role_grant(access_rig.wing, "writer", ROLE_OF_USER, "alice", &access_rig.err), 0);
	ck_assert_int_eq(
	    role_grant(access_rig.wing, "writer", ROLE_OF_GROUP, "staff", &access_rig.err), 0);
}

static void revoke_roles(void)
{
	role_revoke(access_rig.wing, "reader", ROLE_OF_USER, "alice");
	role_revoke(access_rig.wing, "reader", ROLE_OF_GROUP, "course");
	ck_assert_int_eq(
	    role_grant(access_rig.wing, "writer", ROLE_OF_GROUP, "course", &access_rig.err), 0);
}

static void remove_role(void)
{
	ck_assert_int_eq(
	    role_grant(access_rig.wing, "writer", ROLE_OF_USER, "alice", &access_rig.err), 0);
	role_remove(access_rig.wing, "reader");
}

static void (*const changes[])(void) = { make_group, set_properties, add_members, drop_members,
	remove_group, remake_group, make_roles, grant_roles, revoke_roles, remove_role };

static void make_something(void)
{
	(void)access_rig_user("bob");
	(void)access_rig_group("staff");
	access_rig_role("reader", "read:users");
	access_rig_role("writer", "admin:users");
	group_add(access_rig.wing, access_rig_group("course"), access_rig_user("alice"));
	ck_assert_int_eq(
	    role_grant(access_rig.wing, "reader", ROLE_OF_USER, "alice", &access_rig.err), 0);
	ck_assert_int_eq(
	    role_grant(access_rig.wing, "reader", ROLE_OF_GROUP, "course", &access_rig.err), 0);
	access_rig_again();
}

/* A row whose key is there cannot be added. */
static void fail_turn(void)
{
	const struct store_role row = { "writer", "", "[]" };

	(void)store_add(access_rig.store, &store_roles, &row);
	ck_assert_int_lt(store_commit(access_rig.store, &access_rig.err), 0);
}

START_TEST(test_a_change_that_cannot_be_written_is_not_remembered)
{
	make_something();
	cyg_autofree char *before = picture();
	changes[_i]();
	fail_turn();
	cyg_autofree char *after = picture();
	ck_assert_str_eq(after, before);
	changes[_i]();
	cyg_autofree char *changed = picture();
	ck_assert_str_ne(changed, before);
	access_rig_again();
	cyg_autofree char *found = picture();
	ck_assert_str_eq(found, changed);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("access undo");
	TCase *tc = tcase_create("undo");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, access_rig_start, access_rig_stop);
	tcase_add_loop_test(
	    tc, test_a_change_that_cannot_be_written_is_not_remembered, 0, (int)CYG_N(changes));
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}

/* The words of an endpoint's row: who may, about whom, and rows that would let in by mistake. */
#include "base/mem.h"
#include "hub/access/rule.h"

#include <check.h>
#include <string.h>

static const struct {
	const char *text, *path;
	enum rule_who who;
	enum scope_kind about;
} good[] = {
	{ "anyone", "/hub/login", RULE_ANYONE, SCOPE_ALL },
	{ "page", "/hub/home", RULE_PAGE, SCOPE_ALL },
	{ "page start:servers", "/hub/spawn/{user}", RULE_PAGE, SCOPE_SERVER },
	{ "whoami", "/hub/api/user", RULE_WHOAMI, SCOPE_ALL },
	{ "server", "/hub/api/cygnet/spark/connect", RULE_SERVER, SCOPE_ALL },
	{ "server", "/hub/api/cygnet/spark/report", RULE_SERVER, SCOPE_ALL },
	{ "shutdown", "/hub/api/shutdown", RULE_SCOPED, SCOPE_ALL },
	{ "read:users read:servers", "/hub/api/users/{user}", RULE_SCOPED, SCOPE_USER },
	{ "read:servers", "/hub/api/users/{user}/server", RULE_SCOPED, SCOPE_SERVER },
	{ "read:servers", "/hub/api/users/{user}/servers/{server}", RULE_SCOPED, SCOPE_SERVER },
	{ "tokens", "/hub/api/users/{user}/tokens", RULE_SCOPED, SCOPE_USER },
	{ "user own start:servers", "/hub/api/cygnet/form", RULE_USER, SCOPE_SERVER },
	{ "own read:tokens", "/hub/api/cygnet/x", RULE_SCOPED, SCOPE_USER },
	{ "list list:users", "/hub/api/users", RULE_SCOPED, SCOPE_ALL },
	{ "groups", "/hub/api/groups/{group}/users", RULE_SCOPED, SCOPE_GROUP },
	{ "read:services", "/hub/api/services/{service}", RULE_SCOPED, SCOPE_SERVICE },
};

START_TEST(test_a_row_says_who_may_and_about_whom)
{
	struct rule r;

	ck_assert_int_eq(rule_parse(good[_i].text, good[_i].path, &r, NULL), 0);
	ck_assert_int_eq(r.who, good[_i].who);
	ck_assert_int_eq(r.about, good[_i].about);
}
END_TEST

static const struct {
	const char *text, *path;
} bad[] = {
	{ NULL, "/hub/x" },
	{ "", "/hub/x" },
	{ "read:user", "/hub/x" },
	{ "anyone page", "/hub/x" },
	{ "list", "/hub/x" },
	{ "own", "/hub/x" },
	{ "own start:servers", "/hub/{user}" },
	{ "user", "/hub/api/users/{user}" },
	{ "whoami", "/hub/api/users/{user}" },
	{ "read:users  read:servers", "/hub/x" },
	{ "read:users!user=alice", "/hub/x" },
};

START_TEST(test_a_row_that_would_let_in_by_mistake_is_refused)
{
	struct rule r;

	ck_assert_int_eq(rule_parse(bad[_i].text, bad[_i].path, &r, NULL), -CYG_EINVAL);
}
END_TEST

START_TEST(test_parameters_are_found_by_their_names)
{
	ck_assert_int_eq(rule_param("/a/{user}/b/{server}", "{user}"), 0);
	ck_assert_int_eq(rule_param("/a/{user}/b/{server}", "{server}"), 1);
	ck_assert_int_eq(rule_param("/a/{user}/b", "{server}"), -1);
}
END_TEST

START_TEST(test_the_scopes_of_a_row_are_named_for_a_message)
{
	struct rule r;
	char names[64], few[8];

	ck_assert_int_eq(rule_parse("read:servers delete:servers", "/{user}", &r, NULL), 0);
	rule_names(&r, names, sizeof(names));
	ck_assert_str_eq(names, "delete:servers, read:servers");
	rule_names(&r, few, sizeof(few));
	ck_assert_str_eq(few, "delete:");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rule");
	TCase *tc = tcase_create("rule");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tc, test_a_row_says_who_may_and_about_whom, 0, (int)CYG_N(good));
	tcase_add_loop_test(
	    tc, test_a_row_that_would_let_in_by_mistake_is_refused, 0, (int)CYG_N(bad));
	tcase_add_test(tc, test_parameters_are_found_by_their_names);
	tcase_add_test(tc, test_the_scopes_of_a_row_are_named_for_a_message);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}

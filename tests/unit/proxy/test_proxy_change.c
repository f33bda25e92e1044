/* Changes of the proxy's table in place, and who may use what. */
#include "base/buf.h"
#include "base/mem.h"
#include "proxy/table.h"

#include <check.h>
#include <string.h>

#define SUM(c) c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c
#define ONE    SUM("11")
#define TWO    SUM("22")

static const char base[] =
    "{\"generation\":5,\"routes\":["
    "{\"prefix\":\"/\",\"target\":\"unix:/hub\",\"auth\":\"none\"},"
    "{\"prefix\":\"/user/a/\",\"target\":\"unix:/a\",\"auth\":\"session\",\"owner\":\"a\",\"server\":\"s1\"}],"
    "\"credentials\":[{\"sha256\":\"" ONE "\",\"user\":\"a\"},{\"sha256\":\"" TWO
    "\",\"user\":\"b\"}]}";

static struct table *t;

static void start(void)
{
	struct cyg_err err = { 0 };

	ck_assert_msg(table_parse(cyg_str_of(base), &t, &err) == 0, "%s", err.msg);
}

static void stop(void)
{
	table_free(t);
	t = NULL;
}

/* What the watch was told: "+/x/ -/y/ =/z/ " and the users of credentials. */
static struct cyg_buf told;

static void on_route(void *arg, struct route *old, struct route *now)
{
	const struct route *r = now != NULL ? now : old;

	(void)arg;
	ck_assert_ptr_nonnull(r);
	(void)cyg_buf_printf(&told, NULL, "%c%.*s ",
	    old == NULL   ? '+'
	    : now == NULL ? '-'
			  : '=',
	    CYG_STR_ARGS(r->prefix));
	/* Finding gives the new state already. */
	ck_assert_ptr_eq(table_find_exact(t, r->host, r->prefix), now);
}

static void on_cred(void *arg, struct cred *old, struct cred *now)
{
	const struct cred *c = now != NULL ? now : old;

	(void)arg;
	ck_assert_ptr_nonnull(c);
	(void)cyg_buf_printf(&told, NULL, "%c%s ",
	    old == NULL   ? '+'
	    : now == NULL ? '-'
			  : '=',
	    c->user);
	ck_assert_ptr_eq(table_find_hash(t, c->sha256), now);
}

static const struct table_watch watch = { .route = on_route, .cred = on_cred };

static struct table_change *read_change(const char *json)
{
	struct table_change *c = NULL;
	struct cyg_err err = { 0 };

	ck_assert_msg(table_change_parse(cyg_str_of(json), &c, &err) == 0, "%s", err.msg);
	return c;
}

static const char *apply(const char *json)
{
	struct table_change *c = read_change(json);
	struct cyg_err err = { 0 };

	cyg_buf_free(&told);
	cyg_buf_init(&told, 4096);
	ck_assert_msg(table_change_check(c, t, &err) == 0, "%s", err.msg);
	table_apply(t, c, &watch);
	table_change_free(c);
	return told.data;
}

START_TEST(test_rows_come_go_and_are_replaced)
{
	ck_assert_str_eq(apply("{\"from\":5,\"to\":6,\"set\":{\"routes\":[{\"prefix\":\"/user/b/\","
			       "\"target\":\"unix:/b\",\"auth\":\"session\",\"owner\":\"b\"}]}}"),
	    "+/user/b/ ");
	ck_assert_uint_eq(t->generation, 6);
	ck_assert_uint_eq(t->n_routes, 3);
	ck_assert_str_eq(
	    apply("{\"from\":6,\"to\":9,\"drop\":{\"routes\":[{\"prefix\":\"/user/a/\"}],"
		  "\"credentials\":[\"" TWO "\"]}}"),
	    "-/user/a/ -b ");
	ck_assert_uint_eq(t->generation, 9);
	ck_assert_str_eq(apply("{\"from\":9,\"to\":10,\"set\":{\"credentials\":[{\"sha256\":\"" ONE
			       "\",\"user\":\"c\"}],\"routes\":[{\"prefix\":\"/\",\"target\":"
			       "\"unix:/other\",\"auth\":\"none\"}]}}"),
	    "=/ =c ");
	ck_assert_uint_eq(t->n_routes, 2);
	ck_assert_uint_eq(t->n_creds, 1);
	/* What is not there is not missed. */
	ck_assert_str_eq(
	    apply("{\"from\":10,\"to\":11,\"drop\":{\"routes\":[{\"prefix\":\"/none/\"}],"
		  "\"credentials\":[\"" TWO "\"]}}"),
	    "");
	ck_assert_str_eq(apply("{\"from\":11,\"to\":12}"), "");
	ck_assert_uint_eq(t->generation, 12);
	cyg_buf_free(&told);
}
END_TEST

START_TEST(test_what_is_dropped_goes_before_what_is_set)
{
	ck_assert_str_eq(apply("{\"from\":5,\"to\":6,\"set\":{\"credentials\":[{\"sha256\":\"" ONE
			       "\",\"user\":\"c\"}]},\"drop\":{\"credentials\":[\"" ONE "\"]}}"),
	    "-a +c ");
	cyg_buf_free(&told);
}
END_TEST

START_TEST(test_a_change_of_another_generation_is_not_applied)
{
	struct table_change *c = read_change("{\"from\":4,\"to\":6}");
	struct cyg_err err = { 0 };

	ck_assert_int_eq(table_change_check(c, t, &err), -CYG_EEXIST);
	ck_assert_ptr_nonnull(strstr(err.msg, "builds on generation 4, in force is 5"));
	ck_assert_int_eq(table_change_check(c, NULL, &err), -CYG_EEXIST);
	table_change_free(c);
}
END_TEST

START_TEST(test_bad_changes_are_refused)
{
	/* NOLINTBEGIN(bugprone-suspicious-missing-comma): long texts go over two lines */
	static const char *const bad[] = {
		"",
		"[]",
		"{}",
		"{\"from\":5}",
		"{\"to\":5}",
		"{\"from\":5,\"to\":5}",
		"{\"from\":5,\"to\":4}",
		"{\"from\":-1,\"to\":4}",
		"{\"from\":\"5\",\"to\":6}",
		"{\"from\":5,\"to\":6,\"more\":1}",
		"{\"from\":5,\"to\":6,\"set\":[]}",
		"{\"from\":5,\"to\":6,\"set\":{\"generation\":6}}",
		"{\"from\":5,\"to\":6,\"set\":{\"routes\":{}}}",
		"{\"from\":5,\"to\":6,\"set\":{\"routes\":[{\"prefix\":\"/x\",\"target\":\"unix:/a\","
		"\"auth\":\"none\"}]}}",
		"{\"from\":5,\"to\":6,\"set\":{\"credentials\":[{\"sha256\":\"" ONE "\"}]}}",
		"{\"from\":5,\"to\":6,\"set\":{\"credentials\":[{\"sha256\":\"" ONE
		"\",\"user\":\"a\"},{\"sha256\":\"" ONE "\",\"user\":\"a\"}]}}",
		"{\"from\":5,\"to\":6,\"drop\":[]}",
		"{\"from\":5,\"to\":6,\"drop\":{\"more\":[]}}",
		"{\"from\":5,\"to\":6,\"drop\":{\"routes\":{}}}",
		"{\"from\":5,\"to\":6,\"drop\":{\"routes\":[\"/x/\"]}}",
		"{\"from\":5,\"to\":6,\"drop\":{\"routes\":[{\"prefix\":\"/x/\"},{\"prefix\":\"x\"}]}}",
		"{\"from\":5,\"to\":6,\"drop\":{\"routes\":[{\"prefix\":\"/x/\",\"target\":\"unix:/a\"}]}}",
		"{\"from\":5,\"to\":6,\"drop\":{\"credentials\":[\"11\"]}}",
		"{\"from\":5,\"to\":6,\"drop\":{\"credentials\":[7]}}",
	};
	/* NOLINTEND(bugprone-suspicious-missing-comma) */

	for (size_t i = 0; i < CYG_N(bad); i++) {
		struct table_change *c = NULL;
		struct cyg_err err = { 0 };

		ck_assert_msg(
		    table_change_parse(cyg_str_of(bad[i]), &c, &err) == -CYG_EINVAL, "%s", bad[i]);
		ck_assert_ptr_null(c);
		ck_assert_msg(strncmp(err.msg, "table: ", 7) == 0, "%s", err.msg);
	}
}
END_TEST

START_TEST(test_the_longest_prefix_is_known_after_it_is_gone)
{
	bool slash;

	ck_assert_uint_eq(t->prefix_max, strlen("/user/a/"));
	(void)apply(
	    "{\"from\":5,\"to\":6,\"set\":{\"routes\":[{\"host\":\"h\",\"prefix\":\"/user/a/b/c/\","
	    "\"target\":\"unix:/h\",\"auth\":\"none\"}]}}");
	ck_assert_uint_eq(t->prefix_max, strlen("/user/a/b/c/"));
	ck_assert_uint_eq(t->n_hosts, 1);
	ck_assert_str_eq(
	    table_find_route(t, CYG_STR("h"), CYG_STR("/user/a/b/c/d"), &slash)->target, "unix:/h");
	ck_assert_str_eq(
	    table_find_route(t, CYG_STR("i"), CYG_STR("/user/a/b/c/d"), &slash)->target, "unix:/a");
	(void)apply(
	    "{\"from\":6,\"to\":7,\"drop\":{\"routes\":[{\"host\":\"H\",\"prefix\":\"/user/a/b/c/\"}]}}");
	ck_assert_uint_eq(t->prefix_max, strlen("/user/a/"));
	ck_assert_uint_eq(t->n_hosts, 0);
	ck_assert_str_eq(
	    table_find_route(t, CYG_STR("h"), CYG_STR("/user/a/b/c/d"), &slash)->target, "unix:/a");
	cyg_buf_free(&told);
}
END_TEST

/* Routes: of ann's default server, of her "lab", and of bob's. */
static const char servers[] =
    "\"routes\":["
    "{\"prefix\":\"/user/ann/\",\"target\":\"unix:/1\",\"auth\":\"session\",\"owner\":\"ann\"},"
    "{\"prefix\":\"/user/ann/lab/\",\"target\":\"unix:/2\",\"auth\":\"session\",\"owner\":\"ann\",\"name\":\"lab\"},"
    "{\"prefix\":\"/user/bob/\",\"target\":\"unix:/3\",\"auth\":\"session\",\"owner\":\"bob\"},"
    "{\"prefix\":\"/user/\",\"target\":\"unix:/4\",\"auth\":\"user\"},"
    "{\"prefix\":\"/\",\"target\":\"unix:/5\",\"auth\":\"none\"}]";

static const struct {
	const char *user, *access;
	const char *may; /* of the five routes, in order: y or n */
} uses[] = {
	{ "ann", "[]", "yynyy" },
	{ "bob", "[]", "nnyyy" },
	{ "eve", "[]", "nnnyy" },
	{ "eve", "null", "nnnyy" },
	{ "eve", "[\"ann\"]", "yynyy" },
	{ "eve", "[\"ann/\"]", "ynnyy" },
	{ "eve", "[\"ann/lab\"]", "nynyy" },
	{ "eve", "[\"ann/la\"]", "nnnyy" },
	{ "eve", "[\"ann/labs\"]", "nnnyy" },
	{ "eve", "[\"an\"]", "nnnyy" },
	{ "eve", "[\"anna\"]", "nnnyy" },
	{ "eve", "[\"x\",\"ann/lab\",\"bob/\"]", "nyyyy" },
	{ "eve", "[\"*\"]", "yyyyy" },
	{ "ann", "[\"bob\"]", "yyyyy" },
};

START_TEST(test_a_credential_may_use_its_own_users_servers_and_what_its_access_lists)
{
	static const char *const prefixes[] = { "/user/ann/", "/user/ann/lab/", "/user/bob/",
		"/user/", "/" };
	uint8_t sum[TABLE_SHA256];
	struct table *table = NULL;
	struct cyg_err err = { 0 };
	cyg_autobuf struct cyg_buf json;

	memset(sum, 0x11, sizeof(sum));
	cyg_buf_init(&json, 8192);
	(void)cyg_buf_printf(&json, NULL,
	    "{%s,\"credentials\":[{\"sha256\":\"" ONE "\",\"user\":\"%s\",\"access\":%s}]}",
	    servers, uses[_i].user, uses[_i].access);
	ck_assert_msg(table_parse(cyg_buf_str(&json), &table, &err) == 0, "%s", err.msg);
	for (size_t i = 0; i < CYG_N(prefixes); i++) {
		const struct route *r =
		    table_find_exact(table, CYG_STR(""), cyg_str_of(prefixes[i]));

		ck_assert_msg(
		    table_may_use(table_find_hash(table, sum), r) == (uses[_i].may[i] == 'y'),
		    "%s %s at %s", uses[_i].user, uses[_i].access, prefixes[i]);
		ck_assert_int_eq(table_may_use(NULL, r), i == 4);
	}
	table_free(table);
}
END_TEST

START_TEST(test_access_is_checked)
{
	static const char *const bad[] = { "7", "\"ann\"", "[7]", "[\"\"]", "[\"/lab\"]",
		"[\"a/b/c\"]", "[\"a\\u0000\"]" };

	for (size_t i = 0; i < CYG_N(bad); i++) {
		struct table *table = NULL;
		cyg_autobuf struct cyg_buf json;

		cyg_buf_init(&json, 8192);
		(void)cyg_buf_printf(&json, NULL,
		    "{%s,\"credentials\":[{\"sha256\":\"" ONE "\",\"user\":\"a\",\"access\":%s}]}",
		    servers, bad[i]);
		ck_assert_msg(
		    table_parse(cyg_buf_str(&json), &table, NULL) < 0, "%s was taken", bad[i]);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("proxy change");
	TCase *tc = tcase_create("change");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, start, stop);
	tcase_add_test(tc, test_rows_come_go_and_are_replaced);
	tcase_add_test(tc, test_what_is_dropped_goes_before_what_is_set);
	tcase_add_test(tc, test_a_change_of_another_generation_is_not_applied);
	tcase_add_test(tc, test_bad_changes_are_refused);
	tcase_add_test(tc, test_the_longest_prefix_is_known_after_it_is_gone);
	tcase_add_loop_test(tc,
	    test_a_credential_may_use_its_own_users_servers_and_what_its_access_lists, 0,
	    (int)CYG_N(uses));
	tcase_add_test(tc, test_access_is_checked);
	suite_add_tcase(s, tc);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}

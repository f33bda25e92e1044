/* Bounds of what the hub does for one user: rows out of an agent's texts, open requests. */
#include "base/buf.h"
#include "base/mem.h"
#include "hub/api/kernel_rows.h"
#include "hub/base/asks.h"
#include "hub/base/ratelimit.h"

#include <check.h>
#include <stdio.h>

/* ---- rows of kernels ---- */

static const char kernels[] =
    "[{\"id\":\"k1\",\"name\":\"python3\",\"execution_state\":\"busy\"},"
    "{\"id\":\"k2\",\"name\":\"ir\",\"execution_state\":\"odd\"},{\"id\":7},7,{}]";
static const char sessions[] = "[{\"path\":\"b.ipynb\",\"kernel\":{\"id\":\"k2\"}},{\"path\":7,"
			       "\"kernel\":{\"id\":\"k1\"}},{\"path\":\"x\",\"kernel\":{}},7]";

static void expect_rows(json_t *rows, const char *text)
{
	char *got = json_dumps(rows, JSON_COMPACT);

	ck_assert_str_eq(got, text);
	free(got);
}

START_TEST(test_rows_hold_what_is_known_of_each_kernel)
{
	json_t *rows = kernel_rows_read(cyg_str_of(kernels));

	kernel_rows_add_paths(rows, cyg_str_of(sessions));
	expect_rows(rows, "[{\"id\":\"k1\",\"name\":\"python3\",\"path\":null,\"state\":\"busy\"},"
			  "{\"id\":\"k2\",\"name\":\"ir\",\"path\":\"b.ipynb\",\"state\":"
			  "\"unknown\"}]");
	kernel_rows_add_paths(rows, cyg_str_of("no JSON"));
	kernel_rows_add_paths(rows, cyg_str_of("{}"));
	ck_assert_uint_eq(json_array_size(rows), 2);
	json_decref(rows);
}
END_TEST

START_TEST(test_what_is_no_list_of_kernels_is_none)
{
	static const char *const texts[] = { "", "{}", "7", "[", "[]x", "null" };

	for (size_t i = 0; i < CYG_N(texts); i++)
		ck_assert_ptr_null(kernel_rows_read(cyg_str_of(texts[i])));
}
END_TEST

/* "[{},{},…]" of so many objects. */
static void write_many(struct cyg_buf *out, size_t n, const char *one)
{
	ck_assert(cyg_buf_add_str(out, "[", NULL) == 0);
	for (size_t i = 0; i < n; i++)
		ck_assert(cyg_buf_printf(out, NULL, "%s%s", i > 0 ? "," : "", one) == 0);
	ck_assert(cyg_buf_add_str(out, "]", NULL) == 0);
}

START_TEST(test_a_text_of_very_many_small_values_is_not_parsed)
{
	cyg_autobuf struct cyg_buf b = { 0 };

	cyg_buf_init(&b, 1 << 20);
	write_many(&b, KERNEL_ROWS_VALUES_MAX, "{}"); /* and the list around them: one too many */
	ck_assert_uint_lt(b.len, KERNEL_ROWS_TEXT_MAX);
	ck_assert_ptr_null(kernel_rows_read(cyg_buf_str(&b)));
}
END_TEST

START_TEST(test_a_long_text_is_not_parsed)
{
	cyg_autobuf struct cyg_buf b = { 0 };

	cyg_buf_init(&b, 1 << 20);
	write_many(&b, KERNEL_ROWS_TEXT_MAX / 2, "7");
	ck_assert_ptr_null(kernel_rows_read(cyg_buf_str(&b)));
}
END_TEST

START_TEST(test_rows_end_at_their_maximum)
{
	cyg_autobuf struct cyg_buf b = { 0 };
	json_t *rows;

	cyg_buf_init(&b, 1 << 20);
	write_many(&b, KERNEL_ROWS_MAX + 9, "{\"id\":\"k\",\"name\":\"n\"}");
	rows = kernel_rows_read(cyg_buf_str(&b));
	ck_assert_uint_eq(json_array_size(rows), KERNEL_ROWS_MAX);
	json_decref(rows);
}
END_TEST

/* ---- open requests ---- */

START_TEST(test_one_user_cannot_take_the_places_of_another)
{
	struct asks *a = asks_new();
	size_t max = asks_user_max(ASKS_SPARK);

	for (size_t i = 0; i < max; i++)
		ck_assert_int_eq(asks_enter(a, ASKS_SPARK, "alice"), ASKS_TAKEN);
	ck_assert_int_eq(asks_enter(a, ASKS_SPARK, "alice"), ASKS_USER_FULL);
	ck_assert_int_eq(asks_enter(a, ASKS_STAT, "alice"), ASKS_TAKEN);
	ck_assert_int_eq(asks_enter(a, ASKS_SPARK, "bob"), ASKS_TAKEN);
	asks_leave(a, ASKS_SPARK, "alice");
	ck_assert_int_eq(asks_enter(a, ASKS_SPARK, "alice"), ASKS_TAKEN);
	asks_free(a);
}
END_TEST

START_TEST(test_all_users_together_have_a_maximum_of_open_requests)
{
	struct asks *a = asks_new();
	size_t max = asks_all_max(ASKS_CONNECT);
	char user[24];

	for (size_t i = 0; i < max; i++) {
		(void)snprintf(user, sizeof(user), "u%zu", i);
		ck_assert_int_eq(asks_enter(a, ASKS_CONNECT, user), ASKS_TAKEN);
	}
	ck_assert_int_eq(asks_enter(a, ASKS_CONNECT, "late"), ASKS_ALL_FULL);
	asks_leave(a, ASKS_CONNECT, "u0");
	ck_assert_int_eq(asks_enter(a, ASKS_CONNECT, "late"), ASKS_TAKEN);
	asks_free(a);
}
END_TEST

/* ---- events that turn out to be none ---- */

START_TEST(test_an_event_that_was_none_is_taken_back_and_no_more_than_that)
{
	struct ratelimit *r = ratelimit_new(2, 1000, 10);
	struct cyg_str key = CYG_STR("alice");

	ratelimit_uncount(r, key); /* of nothing, nothing is taken */
	ratelimit_count(r, key, 1);
	ratelimit_count(r, key, 1);
	ck_assert_uint_gt(ratelimit_wait(r, key, 2), 0);
	ratelimit_uncount(r, key);
	ck_assert_uint_eq(ratelimit_wait(r, key, 2), 0);
	ratelimit_uncount(r, key);
	ratelimit_uncount(r, key);
	ratelimit_count(r, key, 3);
	ratelimit_count(r, key, 3);
	ck_assert_uint_gt(ratelimit_wait(r, key, 4), 0);
	ratelimit_free(r);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hub_bounds");
	TCase *rows = tcase_create("rows"), *open = tcase_create("open");

	tcase_add_test(rows, test_rows_hold_what_is_known_of_each_kernel);
	tcase_add_test(rows, test_what_is_no_list_of_kernels_is_none);
	tcase_add_test(rows, test_a_text_of_very_many_small_values_is_not_parsed);
	tcase_add_test(rows, test_a_long_text_is_not_parsed);
	tcase_add_test(rows, test_rows_end_at_their_maximum);
	tcase_add_test(open, test_an_event_that_was_none_is_taken_back_and_no_more_than_that);
	tcase_add_test(open, test_one_user_cannot_take_the_places_of_another);
	tcase_add_test(open, test_all_users_together_have_a_maximum_of_open_requests);
	suite_add_tcase(suite, rows);
	suite_add_tcase(suite, open);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}

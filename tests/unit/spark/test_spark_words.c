/* The small languages inside Spark's values, against what Spark's own readers take. */
#include "base/mem.h"
#include "spark/words.h"

#include <check.h>
#include <string.h>

START_TEST(test_sizes_are_read_as_spark_reads_them)
{
	static const struct {
		const char *text;
		int64_t bytes; /* -1: refused */
	} cases[] = { { "512m", 512 << 20 }, { "2G", 2LL << 30 }, { "1024", 1LL << 30 },
		{ "1024k", 1 << 20 }, { "7b", 7 }, { "1gb", 1 << 30 }, { "1tb", 1LL << 40 },
		{ "", -1 }, { "m", -1 }, { "-1m", -1 }, { "1.5g", -1 }, { "1 g", -1 }, { "1x", -1 },
		{ "99999999999999p", -1 } };

	for (size_t i = 0; i < CYG_N(cases); i++) {
		uint64_t bytes = 0;
		int rc = spark_size_parse(cases[i].text, 1 << 20, &bytes, NULL);

		ck_assert_msg((rc < 0) == (cases[i].bytes < 0), "%s", cases[i].text);
		if (rc == 0)
			ck_assert_int_eq((int64_t)bytes, cases[i].bytes);
	}
}
END_TEST

START_TEST(test_times_are_read_as_spark_reads_them)
{
	static const struct {
		const char *text;
		int64_t ms; /* -1: refused */
	} cases[] = { { "100ms", 100 }, { "30s", 30000 }, { "30", 30000 }, { "5min", 300000 },
		{ "5m", 300000 }, { "2h", 7200000 }, { "1d", 86400000 }, { "5000us", 5 },
		{ "", -1 }, { "s", -1 }, { "1.5s", -1 }, { "1y", -1 } };

	for (size_t i = 0; i < CYG_N(cases); i++) {
		uint64_t ms = 0;
		int rc = spark_time_parse(cases[i].text, 1000, &ms, NULL);

		ck_assert_msg((rc < 0) == (cases[i].ms < 0), "%s", cases[i].text);
		if (rc == 0)
			ck_assert_int_eq((int64_t)ms, cases[i].ms);
	}
}
END_TEST

START_TEST(test_options_are_split_as_the_launcher_splits_them)
{
	static const struct {
		const char *text;
		const char *words[5];
	} cases[] = { { "", { NULL } }, { "  -Da=1\t-Db=2 ", { "-Da=1", "-Db=2" } },
		{ "-Da='x y' -Db=\"z 'w\"", { "-Da=x y", "-Db=z 'w" } },
		{ "a\\ b \"c\\\"d\" 'e\\f'", { "a b", "c\"d", "e\\f" } }, { "''", { "" } } };
	struct cyg_arena arena;

	cyg_arena_init(&arena);
	for (size_t i = 0; i < CYG_N(cases); i++) {
		const char *list[5] = { NULL };
		size_t n = 0;

		ck_assert_int_eq(
		    spark_words_split(cases[i].text, &arena, list, CYG_N(list), &n, NULL), 0);
		for (size_t k = 0; k < CYG_N(list); k++)
			ck_assert_pstr_eq(list[k], cases[i].words[k]);
	}
	cyg_arena_free(&arena);
}
END_TEST

START_TEST(test_options_that_cannot_be_split_are_refused)
{
	static const char *const bad[] = { "'open", "\"open", "end\\", "a b c d" };
	struct cyg_arena arena;

	cyg_arena_init(&arena);
	for (size_t i = 0; i < CYG_N(bad); i++) {
		const char *list[3];
		size_t n = 0;

		ck_assert_int_lt(spark_words_split(bad[i], &arena, list, CYG_N(list), &n, NULL), 0);
	}
	cyg_arena_free(&arena);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("spark_words");
	TCase *tc = tcase_create("spark_words");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, test_sizes_are_read_as_spark_reads_them);
	tcase_add_test(tc, test_times_are_read_as_spark_reads_them);
	tcase_add_test(tc, test_options_are_split_as_the_launcher_splits_them);
	tcase_add_test(tc, test_options_that_cannot_be_split_are_refused);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}

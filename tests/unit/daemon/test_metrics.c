/* Metrics: the rules of a table, its numbers, and the text format that scrapers read. */
#include "base/mem.h"
#include "daemon/metrics.h"

#include <check.h>
#include <math.h>
#include <regex.h>
#include <string.h>

static const char *const colours[] = { "red", "say \"blue\"", "back\\slash\nline", NULL };
static const char *const codes[] = { "200", "404", "other", NULL };
static const double bounds[] = { 0.1, 1, 2.5, 0 };

static const char *const groups[] = { "", METRIC_PLACES_2, "other", NULL };
static const char *const too_open[] = { METRIC_PLACES_16, metric_place, "other", NULL };
static const char *const no_last[] = { "a", METRIC_PLACES_2, NULL };

enum { TURNS, OPEN, WAIT, RARE, RARE_WAIT, USED, USES };

static const struct metric_def table[] = {
	[TURNS] = { "cygnet_turns_total", METRIC_COUNTER, NULL, "Turns; a \\ and a \n line.",
	    .labels = { { "colour", colours }, { "code", codes } } },
	[OPEN] = { "cygnet_open", METRIC_GAUGE, NULL, "Open things.", .sparse = false },
	[WAIT] = { "cygnet_wait_seconds", METRIC_HISTOGRAM, "seconds", "Waiting.",
	    .bounds = bounds },
	[RARE] = { "cygnet_rare_total", METRIC_COUNTER, NULL, "Rare.",
	    .labels = { { "code", codes } }, .sparse = true },
	[RARE_WAIT] = { "cygnet_rare_seconds", METRIC_HISTOGRAM, "seconds", "Rare waiting.",
	    .labels = { { "code", codes } }, .bounds = bounds, .sparse = true },
	[USED] = { "cygnet_used", METRIC_GAUGE, NULL, "In use.",
	    .labels = { { "code", codes }, { "group", groups } }, .sparse = true },
	[USES] = { "cygnet_uses_total", METRIC_COUNTER, NULL, "Uses.",
	    .labels = { { "group", groups } }, .sparse = true },
	{ .name = NULL },
};

/* Text of m, to be freed. */
static char *text_of(const struct metrics *m)
{
	struct cyg_buf out;

	cyg_buf_init(&out, METRICS_TEXT_MAX);
	ck_assert_int_eq(metrics_write(m, &out, NULL), 0);
	return cyg_buf_take(&out, NULL);
}

static void assert_has(const char *text, const char *line)
{
	if (strstr(text, line) == NULL)
		ck_abort_msg("no '%s' in:\n%s", line, text);
}

START_TEST(test_text_has_help_type_and_every_series_of_a_closed_list)
{
	struct metrics *m = metrics_new(table);
	cyg_autofree char *text = NULL;

	metrics_inc(m, TURNS, METRIC_AT(1, 0));
	metrics_add(m, TURNS, METRIC_AT(2, 2), 3);
	metrics_set(m, OPEN, METRIC_PLAIN, -0.25);
	text = text_of(m);
	assert_has(text, "# HELP cygnet_turns_total Turns; a \\\\ and a \\n line.\n"
			 "# TYPE cygnet_turns_total counter\n"
			 "cygnet_turns_total{colour=\"red\",code=\"200\"} 0\n");
	assert_has(text, "\ncygnet_turns_total{colour=\"say \\\"blue\\\"\",code=\"200\"} 1\n");
	assert_has(
	    text, "\ncygnet_turns_total{colour=\"back\\\\slash\\nline\",code=\"other\"} 3\n");
	assert_has(text, "# TYPE cygnet_open gauge\ncygnet_open -0.25\n");
	metrics_free(m);
}
END_TEST

START_TEST(test_histogram_buckets_add_up_and_take_their_bound_in)
{
	struct metrics *m = metrics_new(table);
	cyg_autofree char *text = NULL;

	metrics_observe(m, WAIT, METRIC_PLAIN, 0.1);
	metrics_observe(m, WAIT, METRIC_PLAIN, 2);
	metrics_observe(m, WAIT, METRIC_PLAIN, 100);
	ck_assert(fabs(metrics_get(m, WAIT, METRIC_PLAIN) - 3) < 0.5);
	text = text_of(m);
	assert_has(text, "# TYPE cygnet_wait_seconds histogram\n"
			 "cygnet_wait_seconds_bucket{le=\"0.1\"} 1\n"
			 "cygnet_wait_seconds_bucket{le=\"1\"} 1\n"
			 "cygnet_wait_seconds_bucket{le=\"2.5\"} 2\n"
			 "cygnet_wait_seconds_bucket{le=\"+Inf\"} 3\n"
			 "cygnet_wait_seconds_sum 102.1\n"
			 "cygnet_wait_seconds_count 3\n");
	metrics_free(m);
}
END_TEST

START_TEST(test_sparse_metric_shows_only_what_was_bumped)
{
	struct metrics *m = metrics_new(table);
	cyg_autofree char *text = NULL;

	metrics_inc(m, RARE, METRIC_AT(1));
	metrics_observe(m, RARE_WAIT, METRIC_AT(2), 7);
	text = text_of(m);
	assert_has(
	    text, "# TYPE cygnet_rare_total counter\ncygnet_rare_total{code=\"404\"} 1\n# HELP");
	assert_has(text, "cygnet_rare_seconds_bucket{code=\"other\",le=\"+Inf\"} 1\n");
	ck_assert_ptr_null(strstr(text, "cygnet_rare_seconds_count{code=\"200\"}"));
	metrics_free(m);
}
END_TEST

/* The grammar of the format, line by line, written down once more by another means. */
START_TEST(test_every_line_keeps_the_grammar_of_the_format)
{
	struct metrics *m = metrics_new(table);
	cyg_autofree char *text = NULL;
	struct cyg_str rest;
	struct cyg_str line;
	struct cyg_buf out;
	regex_t rule;

	ck_assert_int_eq(
	    regcomp(&rule,
		"^(# HELP [a-zA-Z_:][a-zA-Z0-9_:]* ([^\\\\]|\\\\\\\\|\\\\n)*"
		"|# TYPE [a-zA-Z_:][a-zA-Z0-9_:]* (counter|gauge|histogram)"
		"|[a-zA-Z_:][a-zA-Z0-9_:]*"
		"(\\{[a-zA-Z_][a-zA-Z0-9_]*=\"([^\"\\\\]|\\\\\\\\|\\\\n|\\\\\")*\""
		"(,[a-zA-Z_][a-zA-Z0-9_]*=\"([^\"\\\\]|\\\\\\\\|\\\\n|\\\\\")*\")*\\})?"
		" ([-+]?[0-9]+(\\.[0-9]+)?(e[-+][0-9]+)?|NaN|[-+]Inf))$",
		REG_EXTENDED | REG_NOSUB),
	    0);
	cyg_buf_init(&out, METRICS_TEXT_MAX);
	metrics_set(m, OPEN, METRIC_PLAIN, 1e300);
	metrics_observe(m, RARE_WAIT, METRIC_AT(2), 1.0 / 3);
	ck_assert_int_eq(metrics_write(m, &out, NULL), 0);
	ck_assert_int_eq(metrics_write_process("cygnet_test_", &out, NULL), 0);
	text = cyg_buf_take(&out, NULL);
	rest = cyg_str_of(text);
	ck_assert(cyg_str_ends(rest, "\n"));
	rest.len--;
	while (cyg_str_next(&rest, '\n', &line)) {
		cyg_autofree char *one = cyg_str_dup(line);

		if (regexec(&rule, one, 0, NULL, 0) != 0)
			ck_abort_msg("not a line of the format: %s", one);
	}
	regfree(&rule);
	metrics_free(m);
}
END_TEST

START_TEST(test_process_tells_cpu_memory_descriptors_and_start)
{
	static const char *const names[] = { "process_cpu_seconds_total ",
		"process_start_time_seconds 1", "process_resident_memory_bytes ",
		"process_virtual_memory_bytes ", "process_open_fds ", "process_max_fds " };
	cyg_autobuf struct cyg_buf out;

	cyg_buf_init(&out, METRICS_TEXT_MAX);
	ck_assert_int_eq(metrics_write_process("", &out, NULL), 0);
	for (size_t i = 0; i < CYG_N(names); i++)
		assert_has(out.data, names[i]);
}
END_TEST

START_TEST(test_text_that_does_not_fit_leaves_the_buffer_as_it_was)
{
	struct metrics *m = metrics_new(table);
	cyg_autobuf struct cyg_buf out;

	cyg_buf_init(&out, 200);
	ck_assert_int_eq(cyg_buf_add_str(&out, "before", NULL), 0);
	ck_assert_int_lt(metrics_write(m, &out, NULL), 0);
	ck_assert_str_eq(out.data, "before");
	metrics_free(m);
}
END_TEST

START_TEST(test_rows_that_break_a_rule_are_refused)
{
	static const double falling[] = { 2, 1, 0 };
	static const char *const none[] = { NULL };
	static const struct metric_def bad[] = {
		{ "Cygnet", METRIC_GAUGE, NULL, "Capital.", .sparse = false },
		{ "cygnet_turns", METRIC_COUNTER, NULL, "No _total.", .sparse = false },
		{ "cygnet_turns_total", METRIC_GAUGE, NULL, "Not a counter.", .sparse = false },
		{ "cygnet_wait_ms", METRIC_GAUGE, "seconds", "Another unit.", .sparse = false },
		{ "cygnet_wait", METRIC_GAUGE, NULL, "", .sparse = false },
		{ "cygnet_wait", METRIC_HISTOGRAM, NULL, "No bounds.", .sparse = false },
		{ "cygnet_wait", METRIC_GAUGE, NULL, "Bounds.", .bounds = bounds },
		{ "cygnet_wait", METRIC_HISTOGRAM, NULL, "Falling.", .bounds = falling },
		{ "cygnet_wait", METRIC_GAUGE, NULL, "Le.", .labels = { { "le", codes } } },
		{ "cygnet_wait", METRIC_GAUGE, NULL, "None.", .labels = { { "a", none } } },
		{ "cygnet_wait", METRIC_GAUGE, NULL, "Open, and every series is written.",
		    .labels = { { "a", groups } } },
		{ "cygnet_wait", METRIC_GAUGE, NULL, "Too open.", .labels = { { "a", too_open } },
		    .sparse = true },
		{ "cygnet_wait", METRIC_GAUGE, NULL, "No last value.",
		    .labels = { { "a", no_last } }, .sparse = true },
	};

	for (size_t i = 0; i < CYG_N(bad); i++)
		ck_assert_int_lt(metric_check(&bad[i], NULL), 0);
	for (size_t i = 0; table[i].name != NULL; i++)
		ck_assert_int_eq(metric_check(&table[i], NULL), 0);
}
END_TEST

START_TEST(test_unknown_label_value_falls_to_the_last)
{
	const struct metric_label *label = &table[RARE].labels[0];

	ck_assert_uint_eq(metric_label_index(label, CYG_STR("404")), 1);
	ck_assert_uint_eq(metric_label_index(label, CYG_STR("500")), 2);
	ck_assert_uint_eq(metric_label_index(label, CYG_STR("other")), 2);
}
END_TEST

static uint16_t group_place(struct metrics *m, const char *name)
{
	return metrics_place(m, USED, "group", cyg_str_of(name));
}

START_TEST(test_names_take_the_places_of_an_open_label_and_no_more)
{
	struct metrics *m = metrics_new(table);
	cyg_autofree char *text = NULL;

	ck_assert_uint_eq(group_place(m, ""), 0);
	ck_assert_uint_eq(group_place(m, "other"), 3);
	ck_assert_uint_eq(group_place(m, "a \"b\""), 1);
	ck_assert_uint_eq(group_place(m, "c"), 2);
	ck_assert_uint_eq(group_place(m, "d"), 3);
	ck_assert_uint_eq(group_place(m, "a \"b\""), 1);
	ck_assert_uint_eq(metrics_place(m, USES, "group", CYG_STR("c")), 2);
	metrics_set(m, USED, METRIC_AT(1, group_place(m, "a \"b\"")), 1);
	metrics_set(m, USED, METRIC_AT(2, group_place(m, "")), 2);
	metrics_inc(m, USES, METRIC_AT(group_place(m, "e")));
	metrics_inc(m, USES, METRIC_AT(group_place(m, "other")));
	text = text_of(m);
	assert_has(text, "cygnet_used{code=\"404\",group=\"a \\\"b\\\"\"} 1\n"
			 "cygnet_used{code=\"other\",group=\"\"} 2\n# HELP");
	assert_has(text, "\ncygnet_uses_total{group=\"other\"} 2\n");
	metrics_free(m);
}
END_TEST

START_TEST(test_a_name_that_is_too_long_takes_no_place)
{
	struct metrics *m = metrics_new(table);
	char name[METRIC_PLACE_SIZE + 1];

	memset(name, 'x', sizeof(name));
	name[METRIC_PLACE_SIZE] = '\0';
	ck_assert_uint_eq(group_place(m, name), 3);
	name[METRIC_PLACE_SIZE - 1] = '\0';
	ck_assert_uint_eq(group_place(m, name), 1);
	ck_assert_uint_eq(group_place(m, "b"), 2);
	metrics_free(m);
}
END_TEST

START_TEST(test_a_counter_that_is_kept_elsewhere_is_taken_over)
{
	struct metrics *m = metrics_new(table);
	cyg_autofree char *text = NULL;

	metrics_copy(m, RARE, METRIC_AT(1), 3);
	metrics_copy(m, RARE, METRIC_AT(1), 5);
	text = text_of(m);
	assert_has(text, "cygnet_rare_total{code=\"404\"} 5\n");
	ck_assert_ptr_null(strstr(text, "cygnet_rare_total{code=\"200\"}"));
	metrics_free(m);
}
END_TEST

START_TEST(test_a_cleared_metric_is_as_if_never_bumped)
{
	struct metrics *m = metrics_new(table);
	cyg_autofree char *text = NULL;

	metrics_copy(m, RARE, METRIC_AT(1), 5);
	metrics_observe(m, RARE_WAIT, METRIC_AT(1), 1);
	metrics_inc(m, TURNS, METRIC_AT(0, 0));
	metrics_clear(m, RARE);
	metrics_clear(m, RARE_WAIT);
	text = text_of(m);
	ck_assert_ptr_null(strstr(text, "cygnet_rare_total{"));
	ck_assert_ptr_null(strstr(text, "cygnet_rare_seconds_count{"));
	assert_has(text, "cygnet_turns_total{colour=\"red\",code=\"200\"} 1\n");
	metrics_copy(m, RARE, METRIC_AT(1), 2); /* who counted began anew */
	ck_assert(fabs(metrics_get(m, RARE, METRIC_AT(1)) - 2) < 1e-9);
	metrics_free(m);
}
END_TEST

START_TEST(test_without_a_table_nothing_happens)
{
	metrics_inc(NULL, TURNS, METRIC_AT(1, 1));
	metrics_set(NULL, OPEN, METRIC_PLAIN, 1);
	metrics_copy(NULL, TURNS, METRIC_AT(1, 1), 1);
	metrics_observe(NULL, WAIT, METRIC_PLAIN, 1);
	metrics_observe_since(NULL, WAIT, METRIC_PLAIN, 0);
	ck_assert_uint_eq(group_place(NULL, "a"), 0);
	metrics_free(NULL);
}
END_TEST

START_TEST(test_table_for_people_names_type_and_labels)
{
	cyg_autobuf struct cyg_buf out;

	cyg_buf_init(&out, METRICS_TEXT_MAX);
	ck_assert_int_eq(metrics_describe(&table[OPEN], &out, NULL), 0);
	assert_has(out.data, "| `cygnet_open` | gauge |  | Open things. |\n");
	assert_has(out.data, "| `cygnet_rare_total` | counter | `code` | Rare. |\n");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("metrics");
	TCase *tc = tcase_create("metrics");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, test_text_has_help_type_and_every_series_of_a_closed_list);
	tcase_add_test(tc, test_histogram_buckets_add_up_and_take_their_bound_in);
	tcase_add_test(tc, test_sparse_metric_shows_only_what_was_bumped);
	tcase_add_test(tc, test_every_line_keeps_the_grammar_of_the_format);
	tcase_add_test(tc, test_process_tells_cpu_memory_descriptors_and_start);
	tcase_add_test(tc, test_text_that_does_not_fit_leaves_the_buffer_as_it_was);
	tcase_add_test(tc, test_rows_that_break_a_rule_are_refused);
	tcase_add_test(tc, test_unknown_label_value_falls_to_the_last);
	tcase_add_test(tc, test_names_take_the_places_of_an_open_label_and_no_more);
	tcase_add_test(tc, test_a_name_that_is_too_long_takes_no_place);
	tcase_add_test(tc, test_a_counter_that_is_kept_elsewhere_is_taken_over);
	tcase_add_test(tc, test_a_cleared_metric_is_as_if_never_bumped);
	tcase_add_test(tc, test_without_a_table_nothing_happens);
	tcase_add_test(tc, test_table_for_people_names_type_and_labels);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}

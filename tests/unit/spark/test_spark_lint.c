/* What the lint says, and what it leaves alone. */
#include "base/mem.h"
#include "spark/lint.h"
#include "spark/session.h"

#include <check.h>
#include <string.h>

static const char known[] =
    "{\"options\": [{\"name\": \"spark.executor.memory\", \"type\": \"bytes\"},"
    "{\"name\": \"spark.executor.cores\", \"type\": \"int\"},"
    "{\"name\": \"spark.sql.adaptive.enabled\", \"type\": \"boolean\"},"
    "{\"name\": \"spark.memory.fraction\", \"type\": \"double\"},"
    "{\"name\": \"spark.network.timeout\", \"type\": \"time\"},"
    "{\"name\": \"spark.scheduler.mode\", \"values\": [\"FIFO\", \"FAIR\"]},"
    "{\"name\": \"spark.master\"}, {\"name\": \"spark.driver.memory\", \"type\": \"bytes\"},"
    "{\"name\": \"spark.ssl.keyPassword\", \"type\": \"int\"}]}";

/* What is said of one option, on a server of 4 GB and 2 cores: "LEVEL: TEXT", lines joined. */
static char *lint(const char *name, const char *value, bool with_list)
{
	static struct spark_cluster own = {
		.id = "own", .label = "o", .kind = SPARK_KIND_DISPOSABLE
	};
	const struct spark_setting mine = { SPARK_LAYER_CONNECT, SPARK_OP_SET, name, value, NULL };
	const struct spark_session_ask ask = { .cluster = &own,
		.version = { 4, 2, 0 },
		.cores = 2,
		.memory_mb = 4096,
		.app_name = "a",
		.settings = &mine,
		.n_settings = name != NULL };
	struct spark_lint_item items[SPARK_LINT_MAX];
	struct spark_options *o = NULL;
	struct spark_session *s = NULL;
	struct cyg_arena arena;
	cyg_autobuf struct cyg_buf out;
	size_t n;

	cyg_arena_init(&arena);
	cyg_buf_init(&out, 8192);
	ck_assert_int_eq(spark_options_parse("o", cyg_str_of(known), &o, NULL), 0);
	ck_assert_int_eq(spark_session_make(&ask, &s, NULL), 0);
	n = spark_lint(
	    &(struct spark_lint_ask){ s->driver, &s->plan, with_list ? o : NULL }, &arena, items);
	for (size_t i = 0; i < n; i++)
		(void)cyg_buf_printf(&out, NULL, "%s%s: %s", i > 0 ? " | " : "",
		    items[i].level == SPARK_LINT_ERROR ? "error" : "warning", items[i].text);
	cyg_arena_free(&arena);
	spark_session_free(s);
	spark_options_free(o);
	return out.len > 0 ? cyg_buf_take(&out, NULL) : cyg_xstrdup("");
}

START_TEST(test_each_rule_says_its_sentence)
{
	static const char *const cases[][3] = {
		{ NULL, NULL, "" },
		{ "spark.executor.memory", "1g", "" },
		{ "spark.executor.memory", "8g",
		    "error: spark.executor.memory 8g, but this server has 4 GB." },
		{ "spark.driver.memory", "4097m",
		    "error: spark.driver.memory 4097m, but this server has 4 GB." },
		{ "spark.executor.memory", "3500m",
		    "warning: Driver and executor may grow to 4524 MB together, but this server has 4 GB: it may be ended when both are full." },
		{ "spark.executor.memory", "much",
		    "error: spark.executor.memory must be a size such as 512m or 2g, not 'much'." },
		{ "spark.executor.cores", "2", "" },
		{ "spark.executor.cores", "two",
		    "error: spark.executor.cores must be a whole number, not 'two'." },
		{ "spark.executor.cores", "3",
		    "error: spark.executor.cores 3, but this server has 2. | error: An executor takes 3 cores and the application may have 2: jobs would wait for ever." },
		{ "spark.cores.max", "1",
		    "warning: Spark does not know spark.cores.max; it has an effect only if a library reads it. | error: An executor takes 2 cores and the application may have 1: jobs would wait for ever." },
		{ "spark.sql.adaptive.enabled", "yes",
		    "error: spark.sql.adaptive.enabled must be true or false, not 'yes'." },
		{ "spark.sql.adaptive.enabled", "false",
		    "warning: spark.sql.adaptive.enabled false: Spark then no longer joins small partitions, nor splits skewed ones." },
		{ "spark.sql.adaptive.enabled", "${spark.other}", "" },
		{ "spark.memory.fraction", "0.5", "" },
		{ "spark.memory.fraction", "half",
		    "error: spark.memory.fraction must be a number such as 0.6, not 'half'." },
		{ "spark.network.timeout", "10min", "" },
		{ "spark.network.timeout", "long",
		    "error: spark.network.timeout must be a time such as 30s or 5min, not 'long'." },
		{ "spark.scheduler.mode", "fair", "" },
		{ "spark.scheduler.mode", "best",
		    "error: spark.scheduler.mode must be one of FIFO, FAIR, not 'best'." },
		{ "spark.executor.memroy", "1g",
		    "warning: Spark does not know spark.executor.memroy; did you mean spark.executor.memory?" },
		{ "spark.hadoop.fs.anything", "1", "" },
		{ "spark.master", "yarn",
		    "warning: spark.master is fixed here; what was given does not count." },
		{ "spark.ssl.keyPassword", "geheim",
		    "error: spark.ssl.keyPassword must be a whole number, not '…'." },
	};

	for (size_t i = 0; i < CYG_N(cases); i++) {
		cyg_autofree char *said = lint(cases[i][0], cases[i][1], true);

		ck_assert_msg(strcmp(said, cases[i][2]) == 0, "%s %s:\n%s\nand not\n%s",
		    cases[i][0], cases[i][1], said, cases[i][2]);
	}
}
END_TEST

START_TEST(test_without_a_list_nothing_is_said_of_names_and_types)
{
	cyg_autofree char *name = lint("spark.executor.memroy", "x", false);
	cyg_autofree char *type = lint("spark.sql.adaptive.enabled", "yes", false);
	cyg_autofree char *hurts = lint("spark.ui.enabled", "false", false);

	ck_assert_str_eq(name, "");
	ck_assert_str_eq(type, "");
	ck_assert_str_eq(hurts,
	    "warning: spark.ui.enabled false: progress under the cells, and cancelling, need the UI.");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("spark_lint");
	TCase *tc = tcase_create("spark_lint");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, test_each_rule_says_its_sentence);
	tcase_add_test(tc, test_without_a_list_nothing_is_said_of_names_and_types);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}

/* What users choose: bundles and lists in SWAN's own files, options, and {NAME} in values. */
#include "base/mem.h"
#include "spark/chosen.h"
#include "spark/options.h"

#include <check.h>
#include <string.h>

/* As SWAN ships it (with a member of ours that it ignores). */
static const char swan[] =
    "{\"bundled_options\": {\"DEBUG\": {\"options\": ["
    "{\"name\": \"spark.driver.extraJavaOptions\", \"concatenate\": \" \", \"value\": \"-Da=true -Db=true\"},"
    "{\"name\": \"spark.logConf\", \"value\": \"true\"},"
    "{\"name\": \"spark.one\", \"concatenate\": \" \", \"value\": \"-Dx \"},"
    "{\"name\": \"spark.one\", \"concatenate\": \" \", \"value\": \"-Dy\"},"
    "{\"name\": \"spark.two\", \"value\": \"first\"}, {\"name\": \"spark.two\", \"value\": \"second\"}],"
    "\"cluster_filter\": [], \"spark_version_filter\": []},"
    "\"OTHER\": {\"options\": [{\"name\": \"spark.home\", \"value\": \"{HOME}/x/{SPARK_HOME}\"}],"
    "\"cluster_filter\": [\"analytix\"], \"spark_version_filter\": [\"spark4\"], \"description\": \"Says why\"}}}";

static struct spark_bundles *bundles(void)
{
	struct spark_bundles *b = NULL;
	struct cyg_err err;

	ck_assert_msg(
	    spark_bundles_parse("bundles.json", cyg_str_of(swan), &b, &err) == 0, "%s", err.msg);
	return b;
}

START_TEST(test_bundles_of_swan_are_read_as_they_are)
{
	struct spark_bundles *b = bundles();
	const struct spark_bundle *debug = spark_bundles_find(b, "DEBUG");
	const struct spark_bundle *other = spark_bundles_find(b, "OTHER");

	ck_assert_uint_eq(b->n, 2);
	ck_assert_uint_eq(debug->n_options, 6);
	ck_assert_str_eq(debug->options[0].concatenate, " ");
	ck_assert_ptr_null(debug->options[1].concatenate);
	ck_assert_str_eq(debug->options[2].value, "-Dx");
	ck_assert_str_eq(other->description, "Says why");
	ck_assert(spark_bundle_fits(debug, "any", "3.5.9"));
	ck_assert(spark_bundle_fits(other, "analytix", "4.2.0"));
	ck_assert(!spark_bundle_fits(other, "analytix", "3.5.9"));
	ck_assert(!spark_bundle_fits(other, "own", "4.2.0"));
	spark_bundles_free(b);
}
END_TEST

START_TEST(test_wrong_bundles_are_refused_with_the_place)
{
	static const char *const bad[][2] = { { "", "line 1" }, { "[]", "object" }, { "{}", "map" },
		{ "{\"bundled_options\": []}", "map" },
		{ "{\"bundled_options\": {\"a\": {\"options\": {}}}}", "bundle 'a': options" },
		{ "{\"bundled_options\": {\"a\": {\"options\": [{\"name\": \"spark.a\"}]}}}",
		    "spark.a has no value" },
		{ "{\"bundled_options\": {\"a\": {\"options\": [{\"value\": \"a\"}]}}}",
		    "no name" },
		{ "{\"bundled_options\": {\"a\": {\"options\": [{\"name\": \"a\\n\", \"value\": \"a\"}]}}}",
		    "one line" },
		{ "{\"bundled_options\": {\"a\": {\"cluster_filter\": \"x\"}}}",
		    "list of names" } };

	for (size_t i = 0; i < CYG_N(bad); i++) {
		struct spark_bundles *b = NULL;
		struct cyg_err err;

		ck_assert_int_lt(spark_bundles_parse("b.json", cyg_str_of(bad[i][0]), &b, &err), 0);
		ck_assert_msg(strstr(err.msg, bad[i][1]) != NULL, "%s", err.msg);
		ck_assert_ptr_nonnull(strstr(err.msg, "b.json"));
	}
}
END_TEST

/* The settings of a request, rendered; NULL with *err. */
static struct spark_rendered *chosen(
    const char *text, const struct spark_bundles *b, const char *cluster, struct cyg_err *err)
{
	const struct spark_choose_from from = {
		.bundles = b, .cluster = cluster, .version = "4.2.0"
	};
	json_t *body = json_loads(text, 0, NULL);
	struct spark_rendered *r = NULL;
	struct spark_setting *settings = NULL;
	struct spark_chosen c;
	struct cyg_arena arena;
	size_t n = 0;

	ck_assert_ptr_nonnull(body);
	cyg_arena_init(&arena);
	if (spark_chosen_read(body, &arena, &c, err) == 0 &&
	    spark_chosen_settings(&c, &from, &arena, &settings, &n, err) == 0)
		(void)spark_render(settings, n, &r, err);
	cyg_arena_free(&arena);
	json_decref(body);
	return r;
}

START_TEST(test_layers_of_a_request)
{
	static const char body[] =
	    "{\"bundles\": [\"DEBUG\"], \"options\": {\"spark.a\": \"connect\", \"spark.n\": 4, \"spark.t\": true},"
	    "\"notebook\": {\"options\": {\"spark.a\": \"notebook\", \"spark.b\": \"notebook\","
	    "\"spark.driver.extraJavaOptions\": \"-Dmine\", \"spark.logConf\": \"false\"}},"
	    "\"user\": {\"options\": {\"spark.b\": \"user\", \"spark.c\": \"user\"}}}";
	static const char *const want[][2] = { { "spark.a", "connect" }, { "spark.b", "notebook" },
		{ "spark.c", "user" }, { "spark.n", "4" }, { "spark.t", "true" },
		{ "spark.driver.extraJavaOptions", "-Dmine -Da=true -Db=true" },
		{ "spark.logConf", "false" }, { "spark.one", "-Dx -Dy" },
		{ "spark.two", "first" } };
	struct spark_bundles *b = bundles();
	struct cyg_err err;
	struct spark_rendered *r = chosen(body, b, "own", &err);

	ck_assert_msg(r != NULL, "%s", err.msg);
	for (size_t i = 0; i < CYG_N(want); i++)
		ck_assert_pstr_eq(spark_rendered_get(r, want[i][0]), want[i][1]);
	spark_rendered_free(r);
	spark_bundles_free(b);
}
END_TEST

START_TEST(test_notebooks_saved_by_swan_are_understood)
{
	static const char body[] =
	    "{\"notebook\": {\"bundled_options\": [\"DEBUG\"], \"list_of_options\": ["
	    "{\"name\": \"spark.a\", \"value\": \"1 \"}, {\"name\": \"spark.b\", \"value\": \"2\", \"isEnabled\": false}]}}";
	struct spark_bundles *b = bundles();
	struct cyg_err err;
	struct spark_rendered *r = chosen(body, b, "own", &err);

	ck_assert_msg(r != NULL, "%s", err.msg);
	ck_assert_str_eq(spark_rendered_get(r, "spark.a"), "1");
	ck_assert_ptr_null(spark_rendered_get(r, "spark.b"));
	ck_assert_str_eq(spark_rendered_get(r, "spark.two"), "first");
	spark_rendered_free(r);
	spark_bundles_free(b);
}
END_TEST

START_TEST(test_names_in_braces_are_filled_in)
{
	static const char body[] =
	    "{\"bundles\": [\"OTHER\"], \"variables\": {\"HOME\": \"/h\", \"SPARK_HOME\": \"s\", \"OWN\": \"x\"},"
	    "\"options\": {\"spark.j\": \"{\\\"a\\\": {}} {a} {A {HOME}}\"}}";
	struct spark_bundles *b = bundles();
	struct cyg_err err;
	struct spark_rendered *r = chosen(body, b, "analytix", &err);

	ck_assert_msg(r != NULL, "%s", err.msg);
	ck_assert_str_eq(spark_rendered_get(r, "spark.home"), "/h/x/s");
	ck_assert_str_eq(spark_rendered_get(r, "spark.j"), "{\"a\": {}} {a} {A /h}");
	spark_rendered_free(r);
	spark_bundles_free(b);
}
END_TEST

START_TEST(test_what_cannot_be_chosen_is_said_in_a_sentence)
{
	static const char *const bad[][2] = {
		{ "{\"bundles\": [\"NONE\"]}", "there is no bundle 'NONE'" },
		{ "{\"bundles\": [\"OTHER\"]}", "is not for the cluster own" },
		{ "{\"bundles\": \"DEBUG\"}", "bundles must be a list" },
		{ "{\"options\": {\"spark.a\": \"{HOME}\"}, \"variables\": {\"USER\": \"u\"}}",
		    "spark.a uses {HOME}, which is not defined here; defined: USER" },
		{ "{\"options\": {\"spark.a\": \"{OWN}\"}, \"variables\": {\"OWN\": \"u\"}}",
		    "uses {OWN}" },
		{ "{\"options\": {\"spark.a\": \"x{secret.cluster}\"}}", "may not hold {secret." },
		{ "{\"options\": {\"spark.a\": \"{sec{HOME}ret.x}\"}, \"variables\": {\"HOME\": \"\"}}",
		    "may not hold {secret." },
		{ "{\"options\": {\"spark.a\": null}}", "spark.a has no value" },
		{ "{\"options\": {\"spark.a\": []}}", "spark.a must be text" },
		{ "{\"options\": {\"spark.a\": \"a\\nb\"}}", "spark.a must be text in one line" },
		{ "{\"options\": {\"a\": \"b\"}}", "'a' is not the name of a Spark property" },
		{ "{\"options\": {\"spark.a\": \"b \"}}", "begins or ends with a blank" },
		{ "{\"notebook\": 1}", "notebook must be a map" },
		{ "{\"flavour\": \"new\"}", "flavour must be" },
		{ "{\"cluster\": 1}", "cluster must be" },
	};
	struct spark_bundles *b = bundles();

	for (size_t i = 0; i < CYG_N(bad); i++) {
		struct cyg_err err = { .msg = "" };

		ck_assert_ptr_null(chosen(bad[i][0], b, "own", &err));
		ck_assert_msg(strstr(err.msg, bad[i][1]) != NULL, "%s: %s", bad[i][0], err.msg);
	}
	spark_bundles_free(b);
}
END_TEST

START_TEST(test_nearest_name_is_found)
{
	static const char list[] =
	    "{\"options\": [{\"name\": \"spark.executor.memory\", \"type\": \"bytes\"},"
	    "{\"name\": \"spark.executor.cores\", \"type\": \"int\"}, {\"name\": \"spark.ui.port\"}]}";
	static const char *const cases[][2] = { { "spark.executor.memroy",
						    "spark.executor.memory" },
		{ "spark.executer.memory", "spark.executor.memory" },
		{ "spark.executor.memorys", "spark.executor.memory" },
		{ "spark.execcutor.core", "spark.executor.cores" },
		{ "sparkexecutorcores", "spark.executor.cores" },
		{ "spark.u.port", "spark.ui.port" }, { "spark.something.else", NULL },
		{ "spark.executor", NULL }, { "", NULL } };
	struct spark_options *o = NULL;

	ck_assert_int_eq(spark_options_parse("o.json", cyg_str_of(list), &o, NULL), 0);
	for (size_t i = 0; i < CYG_N(cases); i++)
		ck_assert_pstr_eq(spark_options_nearest(o, cases[i][0]), cases[i][1]);
	ck_assert(o->is_complete);
	spark_options_free(o);
}
END_TEST

START_TEST(test_option_names_of_swan_are_read)
{
	static const char list[] =
	    "{\"spark_options\": [{\"data\": {\"category\": \"Spark UI\"}, \"value\": \"spark.ui.port\"},"
	    "{\"data\": {\"category\": \"App\"}, \"value\": \"spark.app.name\"}]}";
	struct spark_options *o = NULL;

	ck_assert_int_eq(spark_options_parse("o.json", cyg_str_of(list), &o, NULL), 0);
	ck_assert_uint_eq(o->n, 2);
	ck_assert(!o->is_complete);
	ck_assert_str_eq(spark_options_find(o, "spark.ui.port")->category, "Spark UI");
	ck_assert_ptr_null(spark_options_find(o, "spark.ui"));
	spark_options_free(o);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("spark_chosen");
	TCase *tc = tcase_create("spark_chosen");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, test_bundles_of_swan_are_read_as_they_are);
	tcase_add_test(tc, test_wrong_bundles_are_refused_with_the_place);
	tcase_add_test(tc, test_layers_of_a_request);
	tcase_add_test(tc, test_notebooks_saved_by_swan_are_understood);
	tcase_add_test(tc, test_names_in_braces_are_filled_in);
	tcase_add_test(tc, test_what_cannot_be_chosen_is_said_in_a_sentence);
	tcase_add_test(tc, test_nearest_name_is_found);
	tcase_add_test(tc, test_option_names_of_swan_are_read);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}

/* The catalogue of Spark clusters: its layers, and that what is wrong is named. */
#include "base/file.h"
#include "base/mem.h"
#include "spark/catalogue.h"

#include <check.h>
#include <fcntl.h>
#include <string.h>

static struct spark_catalogue *parse(const char *json)
{
	struct spark_catalogue *c = NULL;
	struct cyg_err err;

	ck_assert_msg(spark_catalogue_parse("c", cyg_str_of(json), &c, &err) == 0, "%s", err.msg);
	return c;
}

static const struct spark_property *property(const struct spark_rendered *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++) {
		if (strcmp(r->properties[i].name, name) == 0)
			return &r->properties[i];
	}
	ck_abort_msg("no %s", name);
}

START_TEST(test_every_way_to_set_a_property_becomes_a_setting_of_its_layer)
{
	struct spark_catalogue *c = parse(
	    "{\"clusters\": {\"own\": {\"label\": \"Own\", \"kind\": \"disposable\","
	    "\"properties\": {\"spark.a\": \"1\", \"spark.b\": \"1\", \"spark.d\": \"1\"},"
	    "\"append\": {\"spark.driver.extraJavaOptions\": \"-Da=1\", \"spark.jars\": \"a.jar\"},"
	    "\"lock\": {\"spark.c\": \"1\"}, \"forbid\": [\"spark.e\"],"
	    "\"site\": {\"properties\": {\"spark.a\": \"2\", \"spark.c\": \"2\", \"spark.e\": "
	    "\"2\"},"
	    "\"append\": {\"spark.driver.extraJavaOptions\": \"-Db=2\", \"spark.jars\": \"b.jar\"},"
	    "\"forbid\": [\"spark.d\"]}}}}");
	const struct spark_cluster *cl = spark_catalogue_find(c, "own");
	struct spark_rendered *r = NULL;
	struct cyg_err err;

	ck_assert_ptr_nonnull(cl);
	ck_assert_str_eq(cl->label, "Own");
	ck_assert_int_eq(cl->kind, SPARK_KIND_DISPOSABLE);
	ck_assert_msg(spark_render(cl->settings, cl->n_settings, &r, &err) == 0, "%s", err.msg);
	ck_assert_str_eq(property(r, "spark.a")->value, "2");
	ck_assert_int_eq(property(r, "spark.a")->layer, SPARK_LAYER_SITE);
	ck_assert_int_eq(property(r, "spark.b")->layer, SPARK_LAYER_CLUSTER);
	ck_assert_str_eq(property(r, "spark.c")->value, "1");
	ck_assert_str_eq(property(r, "spark.c")->lost[0].why, "locked");
	ck_assert_ptr_null(property(r, "spark.d")->value);
	ck_assert_ptr_null(property(r, "spark.e")->value);
	ck_assert_str_eq(property(r, "spark.driver.extraJavaOptions")->value, "-Da=1 -Db=2");
	ck_assert_str_eq(property(r, "spark.jars")->value, "a.jar,b.jar");
	spark_rendered_free(r);
	spark_catalogue_free(c);
}
END_TEST

START_TEST(test_cluster_is_found_by_its_id_and_its_label_is_the_id_without_one)
{
	struct spark_catalogue *c =
	    parse("{\"clusters\": {\"a\": {\"kind\": \"local\"}, \"b\": {\"kind\": \"disposable\", "
		  "\"label\": \"B\"}}}");

	ck_assert_str_eq(spark_catalogue_find(c, "a")->label, "a");
	ck_assert_int_eq(spark_catalogue_find(c, "a")->kind, SPARK_KIND_LOCAL);
	ck_assert_str_eq(spark_catalogue_find(c, "b")->label, "B");
	ck_assert_ptr_null(spark_catalogue_find(c, "c"));
	ck_assert_ptr_null(spark_catalogue_at(c, 2));
	spark_catalogue_free(c);
}
END_TEST

START_TEST(test_cluster_says_which_versions_of_spark_it_takes)
{
	struct spark_catalogue *c = parse("{\"clusters\": {\"a\": {\"kind\": \"local\", \"spark\": "
					  "[\"3.5\", \"4\"]}, \"b\": {\"kind\": \"local\"}}}");
	const struct spark_cluster *a = spark_catalogue_find(c, "a");

	ck_assert(spark_cluster_takes(a, "4.2.0"));
	ck_assert(spark_cluster_takes(a, "3.5.9"));
	ck_assert(!spark_cluster_takes(a, "3.50.1"));
	ck_assert(!spark_cluster_takes(a, "41.0.0"));
	ck_assert(!spark_cluster_takes(a, "3.4.0"));
	ck_assert(spark_cluster_takes(spark_catalogue_find(c, "b"), "2.4.0"));
	spark_catalogue_free(c);
}
END_TEST

#define IN_A(text) "{\"clusters\": {\"a\": {\"kind\": \"local\", " text "}}}"

static const struct {
	const char *json, *says;
} refused[] = {
	{ "{", "c:2:1: did not find expected" },
	{ "clusters", "c:1:1: a catalogue is a map of keys and values" },
	{ "[]", "c:1:1: a catalogue is a map of keys and values" },
	{ "{}", "c:1:1: the catalogue needs 'clusters', a map of at most 64 names and maps" },
	{ "{\"clusters\": []}", "c:1:14: 'clusters' must be a map of at most 64 names and maps" },
	{ "{\"clusters\": {}, \"colour\": \"red\"}", "unknown key 'colour'" },
	{ "{\"clusters\": {\"a\": \"b\"}}", "c:1:20: a cluster is a map of keys and values" },
	{ "{\"clusters\": {\"a\": {}}}",
	    "c:1:20: the cluster needs 'kind', one of local, disposable" },
	{ "{\"clusters\": {\"a\": {\"kind\": \"yarn\"}}}",
	    "c:1:29: 'kind' must be one of local, disposable" },
	{ "{\"clusters\": {\"\": {\"kind\": \"local\"}}}",
	    "c:1:15: '' cannot be the name of a cluster: it is text of 1 to 64 bytes" },
	{ IN_A("\"colour\": \"red\""), "c:1:38: unknown key 'colour'" },
	{ IN_A("\"label\": []"), "c:1:47: 'label' must be text" },
	{ IN_A("\"description\": {}"), "c:1:53: 'description' must be text" },
	{ IN_A("\"spark\": \"4\""), "c:1:47: 'spark' must be a list of at most 16, each text" },
	{ IN_A("\"spark\": [[]]"), "c:1:48: 'spark' must be a list of at most 16, each text" },
	{ IN_A("\"site\": []"), "c:1:46: 'site' must be a map" },
	{ IN_A("\"site\": {\"kind\": \"local\"}"), "c:1:47: unknown key 'kind'" },
	{ IN_A("\"forbid\": {}"), "c:1:48: 'forbid' must be a list, each text" },
	{ IN_A("\"forbid\": [{}]"), "c:1:49: 'forbid' must be a list, each text" },
	{ IN_A("\"properties\": []"), "c:1:52: 'properties' must be a map of names and text" },
	{ IN_A("\"lock\": {\"spark.a\": []}"), "c:1:58: 'lock' must be a map of names and text" },
	{ IN_A("\"append\": {\"java.home\": \"x\"}"), "'java.home' is not the name of a Spark" },
	{ IN_A("\"site\": {\"forbid\": [\"spark a\"]}"), "layer site: 'spark a' is not the name" },
	{ IN_A("\"properties\": {\"spark.a\": \"1\\n2\"}"), "the value of spark.a must be text" },
};

START_TEST(test_what_is_wrong_is_refused_by_name)
{
	struct spark_catalogue *c = NULL;
	struct cyg_err err;

	ck_assert_int_lt(spark_catalogue_parse("c", cyg_str_of(refused[_i].json), &c, &err), 0);
	ck_assert_msg(strstr(err.msg, refused[_i].says) != NULL, "'%s' is not in '%s'",
	    refused[_i].says, err.msg);
	ck_assert_ptr_null(c);
}
END_TEST

START_TEST(test_annotated_sample_is_read)
{
	struct cyg_buf text;
	struct spark_catalogue *c;

	cyg_buf_init(&text, 64 * 1024);
	ck_assert_int_eq(cyg_file_read(AT_FDCWD, "config/clusters.yaml", true, &text, NULL), 0);
	c = parse(text.data);
	ck_assert_ptr_nonnull(spark_catalogue_at(c, 0));
	spark_catalogue_free(c);
	cyg_buf_free(&text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("spark_catalogue");
	TCase *tc = tcase_create("catalogue");
	SRunner *runner;
	int failed;

	tcase_add_test(tc, test_every_way_to_set_a_property_becomes_a_setting_of_its_layer);
	tcase_add_test(tc, test_cluster_is_found_by_its_id_and_its_label_is_the_id_without_one);
	tcase_add_test(tc, test_cluster_says_which_versions_of_spark_it_takes);
	tcase_add_test(tc, test_annotated_sample_is_read);
	tcase_add_loop_test(tc, test_what_is_wrong_is_refused_by_name, 0, (int)CYG_N(refused));
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}

/* What a server of some size gets for each kind of cluster, and what the agent is told to start. */
#include "base/mem.h"
#include "spark/session.h"

#include <check.h>
#include <string.h>

static struct spark_cluster own = { .id = "own", .label = "Own", .kind = SPARK_KIND_DISPOSABLE };
static struct spark_cluster inside = { .id = "in", .label = "In", .kind = SPARK_KIND_LOCAL };

static struct spark_session *make(const struct spark_cluster *cl, enum spark_flavour flavour,
    const struct spark_setting *s, size_t n)
{
	const struct spark_session_ask ask = { .cluster = cl,
		.flavour = flavour,
		.version = { 4, 2, 0 },
		.cores = 2,
		.memory_mb = 4096,
		.app_name = "alice-notebook",
		.settings = s,
		.n_settings = n };
	struct spark_session *ret = NULL;
	struct cyg_err err;

	ck_assert_msg(spark_session_make(&ask, &ret, &err) == 0, "%s", err.msg);
	return ret;
}

START_TEST(test_sizes_follow_from_the_server)
{
	static const struct {
		enum spark_kind kind;
		unsigned cores, memory_mb;
		struct spark_sizes want;
	} cases[] = {
		/* driver, executor: MB, cores, how many; daemons; worker: MB, cores */
		{ SPARK_KIND_DISPOSABLE, 2, 4096, { 1024, 1024, 2, 1, 256, 4096, 8 } },
		{ SPARK_KIND_DISPOSABLE, 0, 0, { 512, 512, 1, 1, 256, 2048, 4 } },
		{ SPARK_KIND_DISPOSABLE, 1, 2048, { 512, 512, 1, 1, 256, 2048, 4 } },
		{ SPARK_KIND_DISPOSABLE, 16, 131072, { 16384, 22528, 3, 5, 256, 450560, 60 } },
		{ SPARK_KIND_DISPOSABLE, 2, 131072, { 16384, 56320, 1, 2, 256, 450560, 8 } },
		{ SPARK_KIND_LOCAL, 2, 4096, { 2560, 0, 0, 0, 0, 0, 0 } },
		{ SPARK_KIND_LOCAL, 1, 1024, { 512, 0, 0, 0, 0, 0, 0 } },
	};

	for (size_t i = 0; i < CYG_N(cases); i++) {
		const struct spark_plan_ask ask = { .kind = cases[i].kind,
			.version = { 4, 2, 0 },
			.cores = cases[i].cores,
			.memory_mb = cases[i].memory_mb };
		struct cyg_arena arena;
		struct spark_plan plan;

		cyg_arena_init(&arena);
		spark_plan_make(&ask, &arena, &plan);
		ck_assert_msg(memcmp(&plan.sizes, &cases[i].want, sizeof(plan.sizes)) == 0,
		    "row %zu: driver %u, executor %u x %u x %u, worker %u %u", i,
		    plan.sizes.driver_mb, plan.sizes.executors, plan.sizes.executor_mb,
		    plan.sizes.executor_cores, plan.sizes.worker_mb, plan.sizes.worker_cores);
		cyg_arena_free(&arena);
	}
}
END_TEST

START_TEST(test_applications_share_their_executors)
{
	static const char *const want[][2] = { { "spark.executor.memory", "1024m" },
		{ "spark.executor.cores", "2" }, { "spark.cores.max", "2" },
		{ "spark.dynamicAllocation.enabled", "true" },
		{ "spark.dynamicAllocation.shuffleTracking.enabled", "true" },
		{ "spark.dynamicAllocation.minExecutors", "0" },
		{ "spark.dynamicAllocation.maxExecutors", "1" },
		{ "spark.dynamicAllocation.executorIdleTimeout", "60s" },
		{ "spark.sql.shuffle.partitions", NULL }, { "spark.driver.extraJavaOptions", NULL },
		{ "spark.executor.extraJavaOptions", NULL },
		{ "spark.master", "spark://127.0.0.1:{port.master}" } };
	struct spark_session *s = make(&own, SPARK_FLAVOUR_CLASSIC, NULL, 0);

	for (size_t i = 0; i < CYG_N(want); i++)
		ck_assert_pstr_eq(spark_rendered_get(s->driver, want[i][0]), want[i][1]);
	spark_session_free(s);
}
END_TEST

START_TEST(test_local_kind_has_a_driver_alone)
{
	struct spark_session *s = make(&inside, SPARK_FLAVOUR_CLASSIC, NULL, 0);

	ck_assert_uint_eq(s->n_jvms, 1);
	ck_assert_str_eq(s->jvms[0].name, "driver");
	ck_assert_uint_eq(s->jvms[0].heap_mb, 2560);
	ck_assert_str_eq(spark_rendered_get(s->driver, "spark.master"), "local[2]");
	ck_assert_ptr_null(spark_rendered_get(s->driver, "spark.dynamicAllocation.enabled"));
	spark_session_free(s);
}
END_TEST

static bool has_word(const char *const *words, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(words[i], word) == 0)
			return true;
	}
	return false;
}

START_TEST(test_quick_compiler_is_for_daemons_alone)
{
	struct spark_session *s = make(&own, SPARK_FLAVOUR_CLASSIC, NULL, 0);

	ck_assert_uint_eq(s->n_jvms, 3);
	for (size_t i = 0; i < 3; i++) {
		const struct spark_daemon *d = &s->jvms[i];
		const bool is_driver = strcmp(d->name, "driver") == 0;

		ck_assert_int_ne(
		    has_word(d->jvm_options, d->n_jvm_options, "-XX:TieredStopAtLevel=1"),
		    is_driver);
		ck_assert_int_ne(
		    has_word(d->jvm_options, d->n_jvm_options, "-XX:+UseSerialGC"), is_driver);
		ck_assert(has_word(d->jvm_options, d->n_jvm_options,
		    "--add-opens=java.base/jdk.internal.ref=ALL-UNNAMED"));
		ck_assert_int_ne(d->restart, is_driver);
	}
	spark_session_free(s);
}
END_TEST

START_TEST(test_driver_gets_what_its_properties_say)
{
	const struct spark_setting mine[] = {
		{ SPARK_LAYER_CONNECT, SPARK_OP_SET, "spark.driver.memory", "1500m", NULL },
		{ SPARK_LAYER_CONNECT, SPARK_OP_SET, "spark.driver.extraJavaOptions",
		    "-Da='b c' -Dd=e", NULL },
		{ SPARK_LAYER_CONNECT, SPARK_OP_SET, "spark.driver.extraClassPath", "/x/*:/y",
		    NULL },
		{ SPARK_LAYER_SITE, SPARK_OP_SET, "spark.driver.defaultJavaOptions", "-Dfirst",
		    NULL },
	};
	struct spark_session *s = make(&own, SPARK_FLAVOUR_CLASSIC, mine, CYG_N(mine));
	const struct spark_daemon *d = &s->jvms[2];

	ck_assert_uint_eq(d->heap_mb, 1500);
	ck_assert_str_eq(d->jvm_options[d->n_jvm_options - 3], "-Dfirst");
	ck_assert_str_eq(d->jvm_options[d->n_jvm_options - 2], "-Da=b c");
	ck_assert_str_eq(d->jvm_options[d->n_jvm_options - 1], "-Dd=e");
	ck_assert_uint_eq(d->n_class_path_extra, 1);
	ck_assert_str_eq(d->class_path_extra[0], "/x/*:/y");
	spark_session_free(s);
}
END_TEST

START_TEST(test_driver_that_cannot_start_is_refused_with_the_property)
{
	static const char *const bad[][2] = { { "spark.driver.memory", "much" },
		{ "spark.driver.memory", "0" }, { "spark.driver.memory", "1b" },
		{ "spark.driver.extraJavaOptions", "-Da='b" },
		{ "spark.driver.extraJavaOptions", "-Xmx2g" } };

	for (size_t i = 0; i < CYG_N(bad); i++) {
		const struct spark_setting mine = { SPARK_LAYER_CONNECT, SPARK_OP_SET, bad[i][0],
			bad[i][1], NULL };
		const struct spark_session_ask ask = { .cluster = &own,
			.version = { 4, 2, 0 },
			.app_name = "a",
			.settings = &mine,
			.n_settings = 1 };
		struct spark_session *s = NULL;
		struct cyg_err err;

		ck_assert_int_lt(spark_session_make(&ask, &s, &err), 0);
		ck_assert_ptr_null(s);
		ck_assert_ptr_nonnull(strstr(err.msg, "spark.driver."));
	}
}
END_TEST

START_TEST(test_connect_server_is_locked_and_on_loopback)
{
	static const char *const want[][2] = { { "spark.connect.grpc.binding.address",
						   "127.0.0.1" },
		{ "spark.connect.grpc.binding.port", "{port.connect}" },
		{ "spark.connect.authenticate.token", "{secret.token}" } };
	struct spark_session *s = make(&own, SPARK_FLAVOUR_CONNECT, NULL, 0);
	const struct spark_daemon *d = &s->jvms[2];

	for (size_t i = 0; i < CYG_N(want); i++)
		ck_assert_pstr_eq(spark_rendered_get(s->driver, want[i][0]), want[i][1]);
	ck_assert_ptr_null(spark_rendered_get(s->scripts, want[2][0]));
	ck_assert(has_word(d->arguments, d->n_arguments,
	    "org.apache.spark.sql.connect.service.SparkConnectServer"));
	spark_session_free(s);
}
END_TEST

START_TEST(test_connect_needs_spark_4_2)
{
	const struct spark_session_ask ask = { .cluster = &own,
		.flavour = SPARK_FLAVOUR_CONNECT,
		.version = { 4, 1, 9 },
		.app_name = "a" };
	struct spark_session *s = NULL;
	struct cyg_err err;

	ck_assert_int_lt(spark_session_make(&ask, &s, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.msg, "needs Spark 4.2"));
}
END_TEST

START_TEST(test_spark_3_5_gets_the_options_it_knows)
{
	const struct spark_session_ask ask = {
		.cluster = &own, .version = { 3, 5, 9 }, .app_name = "a"
	};
	struct spark_session *s = NULL;

	ck_assert_int_eq(spark_session_make(&ask, &s, NULL), 0);
	ck_assert(!has_word(s->jvms[2].jvm_options, s->jvms[2].n_jvm_options,
	    "--add-opens=java.base/jdk.internal.ref=ALL-UNNAMED"));
	ck_assert(has_word(s->jvms[2].jvm_options, s->jvms[2].n_jvm_options,
	    "--add-opens=java.base/java.lang=ALL-UNNAMED"));
	ck_assert_ptr_null(spark_rendered_get(s->driver, "spark.ui.filters"));
	spark_session_free(s);
}
END_TEST

START_TEST(test_json_shows_no_secret_where_values_are_shown)
{
	struct spark_session *s = make(&own, SPARK_FLAVOUR_CONNECT, NULL, 0);
	json_t *all = spark_session_json(s, NULL);
	cyg_autofree char *properties =
	    json_dumps(json_object_get(all, "properties"), JSON_COMPACT);
	const char *scripts = json_string_value(
	    json_object_get(json_object_get(all, "files"), "driver/spark-defaults.conf"));

	ck_assert_ptr_null(strstr(properties, "{secret."));
	ck_assert_ptr_nonnull(strstr(properties, "spark.authenticate.secret"));
	ck_assert_ptr_nonnull(strstr(scripts, "spark.authenticate.secret {secret.cluster}\n"));
	ck_assert_ptr_null(strstr(scripts, "JWSFilter"));
	ck_assert_uint_eq(json_array_size(json_object_get(all, "daemons")), 3);
	json_decref(all);
	spark_session_free(s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("spark_plan");
	TCase *tc = tcase_create("spark_plan");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, test_sizes_follow_from_the_server);
	tcase_add_test(tc, test_applications_share_their_executors);
	tcase_add_test(tc, test_local_kind_has_a_driver_alone);
	tcase_add_test(tc, test_quick_compiler_is_for_daemons_alone);
	tcase_add_test(tc, test_driver_gets_what_its_properties_say);
	tcase_add_test(tc, test_driver_that_cannot_start_is_refused_with_the_property);
	tcase_add_test(tc, test_connect_server_is_locked_and_on_loopback);
	tcase_add_test(tc, test_connect_needs_spark_4_2);
	tcase_add_test(tc, test_spark_3_5_gets_the_options_it_knows);
	tcase_add_test(tc, test_json_shows_no_secret_where_values_are_shown);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}

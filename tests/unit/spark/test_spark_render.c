/* Layers of Spark properties: who wins, what is remembered, and how the file is written. */
#include "base/mem.h"
#include "spark/policy.h"
#include "spark/render.h"

#include <check.h>
#include <string.h>

#define SET(layer, name, value)                                                                    \
	{                                                                                          \
		SPARK_LAYER_##layer, SPARK_OP_SET, name, value, NULL                               \
	}

static struct spark_rendered *render(const struct spark_setting *s, size_t n)
{
	struct spark_rendered *r = NULL;
	struct cyg_err err;

	ck_assert_msg(spark_render(s, n, &r, &err) == 0, "%s", err.msg);
	return r;
}

START_TEST(test_later_layer_wins_and_the_loser_is_remembered)
{
	const struct spark_setting s[] = { SET(USER, "spark.a", "user"),
		SET(CLUSTER, "spark.a", "cluster"), SET(CONNECT, "spark.b", "1") };
	struct spark_rendered *r = render(s, CYG_N(s));

	ck_assert_uint_eq(r->n, 2);
	ck_assert_str_eq(r->properties[0].value, "user");
	ck_assert_int_eq(r->properties[0].layer, SPARK_LAYER_USER);
	ck_assert_uint_eq(r->properties[0].n_lost, 1);
	ck_assert_str_eq(r->properties[0].lost[0].value, "cluster");
	ck_assert_str_eq(r->properties[0].lost[0].why, "overridden");
	spark_rendered_free(r);
}
END_TEST

START_TEST(test_locked_value_holds_against_all_but_policy)
{
	const struct spark_setting s[] = { { SPARK_LAYER_SITE, SPARK_OP_LOCK, "spark.a", "site",
					       NULL },
		SET(CONNECT, "spark.a", "mine"),
		{ SPARK_LAYER_SITE, SPARK_OP_LOCK, "spark.b", "site", NULL },
		SET(POLICY, "spark.b", "policy") };
	struct spark_rendered *r = render(s, CYG_N(s));

	ck_assert_str_eq(spark_rendered_get(r, "spark.a"), "site");
	ck_assert_str_eq(r->properties[0].lost[0].why, "locked");
	ck_assert_str_eq(spark_rendered_get(r, "spark.b"), "policy");
	ck_assert(r->properties[1].locked);
	spark_rendered_free(r);
}
END_TEST

START_TEST(test_forbidden_property_is_not_rendered)
{
	const struct spark_setting s[] = { SET(CLUSTER, "spark.a", "x"),
		{ SPARK_LAYER_SITE, SPARK_OP_FORBID, "spark.a", NULL, NULL },
		SET(USER, "spark.a", "y") };
	struct spark_rendered *r = render(s, CYG_N(s));

	ck_assert_ptr_null(spark_rendered_get(r, "spark.a"));
	ck_assert_uint_eq(r->properties[0].n_lost, 2);
	ck_assert_str_eq(r->properties[0].lost[1].why, "forbidden");
	spark_rendered_free(r);
}
END_TEST

START_TEST(test_append_joins_with_its_separator)
{
	const struct spark_setting s[] = { SET(CLUSTER, "spark.jars", "a.jar"),
		{ SPARK_LAYER_USER, SPARK_OP_APPEND, "spark.jars", "b.jar", NULL },
		{ SPARK_LAYER_USER, SPARK_OP_APPEND, "spark.o", "-Dx", " " },
		{ SPARK_LAYER_CONNECT, SPARK_OP_APPEND, "spark.o", "-Dy", " " } };
	struct spark_rendered *r = render(s, CYG_N(s));

	ck_assert_str_eq(spark_rendered_get(r, "spark.jars"), "a.jar,b.jar");
	ck_assert_str_eq(spark_rendered_get(r, "spark.o"), "-Dx -Dy");
	spark_rendered_free(r);
}
END_TEST

#define B(op, name, value, separator)                                                              \
	{                                                                                          \
		SPARK_LAYER_BUNDLES, SPARK_OP_##op, name, value, separator                         \
	}

START_TEST(test_bundles_are_merged_as_swan_merges_them)
{
	const struct spark_setting s[] = {
		/* Two bundles, nobody else: the first stays, what joins is appended. */
		B(OFFER, "spark.a", "1", NULL), B(OFFER, "spark.a", "2", NULL),
		B(JOIN, "spark.b", "1", " "), B(JOIN, "spark.b", "2", ";"),
		B(OFFER, "spark.c", "1", NULL), B(JOIN, "spark.c", "2", " "),
		/* The user's own value stays, and is joined. */
		B(OFFER, "spark.d", "1", NULL), SET(USER, "spark.d", "mine"),
		B(JOIN, "spark.e", "1", " "), SET(CONNECT, "spark.e", "mine"),
		B(OFFER, "spark.f", "1", NULL), B(JOIN, "spark.f", "2", " "),
		SET(USER, "spark.f", "user"), SET(CONNECT, "spark.f", "mine"),
		/* A bundle beats the site, joins what the site set, and loses to policy and lock.
		 */
		SET(SITE, "spark.g", "site"), B(OFFER, "spark.g", "1", NULL),
		SET(SITE, "spark.h", "site"), B(JOIN, "spark.h", "1", " "),
		SET(SITE, "spark.i", "site"), B(JOIN, "spark.i", "1", " "),
		SET(USER, "spark.i", "mine"), B(JOIN, "spark.j", "1", " "),
		SET(POLICY, "spark.j", "policy"),
		{ SPARK_LAYER_SITE, SPARK_OP_LOCK, "spark.k", "site", NULL },
		B(JOIN, "spark.k", "1", " ")
	};
	static const char *const want[] = { "1", "1;2", "1 2", "mine", "mine 1", "mine 2", "1",
		"site 1", "mine 1", "policy", "site" };
	static const size_t lost[] = { 1, 0, 0, 1, 0, 2, 1, 0, 1, 1, 1 };
	struct spark_rendered *r = render(s, CYG_N(s));

	ck_assert_uint_eq(r->n, CYG_N(want));
	for (size_t i = 0; i < CYG_N(want); i++) {
		ck_assert_msg(strcmp(r->properties[i].value, want[i]) == 0, "%s: '%s', not '%s'",
		    r->properties[i].name, r->properties[i].value, want[i]);
		ck_assert_msg(r->properties[i].n_lost == lost[i], "%s: %zu lost",
		    r->properties[i].name, r->properties[i].n_lost);
	}
	spark_rendered_free(r);
}
END_TEST

START_TEST(test_nobody_switches_off_what_policy_demands)
{
	const char *const demanded[][2] = { { "spark.authenticate", "true" },
		{ "spark.network.crypto.enabled", "true" },
		{ "spark.network.crypto.cipher", "AES/GCM/NoPadding" },
		{ "spark.network.crypto.authEngineVersion", "2" },
		{ "spark.network.crypto.saslFallback", "false" },
		{ "spark.io.encryption.enabled", "true" }, { "spark.driver.host", "127.0.0.1" },
		{ "spark.ui.filters", "org.apache.spark.ui.JWSFilter" },
		{ "spark.org.apache.spark.ui.JWSFilter.param.secretKey", "a2V5" },
		{ "spark.org.apache.spark.ui.JWSFilter.param.requireExpiration", "true" } };
	const struct spark_policy policy = {
		.version = { 4, 2, 0 }, .secret = "5ec3e7", .ui_key = "a2V5"
	};
	struct spark_setting s[SPARK_POLICY_MAX + 16];
	size_t n = spark_policy_settings(&policy, s);
	struct spark_rendered *r;

	for (size_t i = 0; i < CYG_N(demanded); i++)
		s[n++] = (struct spark_setting){ SPARK_LAYER_CONNECT, SPARK_OP_LOCK, demanded[i][0],
			"off", NULL };
	r = render(s, n);
	for (size_t i = 0; i < CYG_N(demanded); i++)
		ck_assert_str_eq(spark_rendered_get(r, demanded[i][0]), demanded[i][1]);
	spark_rendered_free(r);
}
END_TEST

START_TEST(test_bad_settings_name_their_layer)
{
	const struct spark_setting bad[] = { SET(USER, "hadoop.x", "1"),
		SET(USER, "spark.a b", "1"), SET(USER, "spark.a\nspark.b", "1"),
		SET(USER, "spark.a", "x\ny"), SET(USER, "spark.a", NULL),
		SET(USER, "spark.a", " x"), SET(USER, "spark.a", "x "),
		{ SPARK_LAYER_USER, SPARK_OP_APPEND, "spark.a", "x ", NULL } };

	for (size_t i = 0; i < CYG_N(bad); i++) {
		struct spark_rendered *r = NULL;
		struct cyg_err err;

		ck_assert_int_lt(spark_render(&bad[i], 1, &r, &err), 0);
		ck_assert_ptr_nonnull(strstr(err.msg, "layer user"));
	}
}
END_TEST

START_TEST(test_file_is_what_java_properties_read)
{
	const struct spark_setting s[] = { SET(USER, "spark.a", "C:\\x"),
		SET(USER, "spark.b", ":x=y:z"), SET(USER, "spark.b1", "=x"),
		SET(USER, "spark.b2", "# x"), SET(USER, "spark.b3", "!"), SET(USER, "spark.b4", ""),
		SET(USER, "spark.c", "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80"),
		{ SPARK_LAYER_SITE, SPARK_OP_FORBID, "spark.d", NULL, NULL } };
	struct spark_rendered *r = render(s, CYG_N(s));
	cyg_autobuf struct cyg_buf out;

	cyg_buf_init(&out, 4096);
	ck_assert_int_eq(spark_write_defaults(r, &out, NULL), 0);
	ck_assert_str_eq(out.data,
	    "spark.a C:\\\\x\nspark.b \\:x=y:z\nspark.b1 \\=x\n"
	    "spark.b2 # x\nspark.b3 !\nspark.b4 \nspark.c gr\\u00fc\\u00df \\ud83d\\ude00\n");
	spark_rendered_free(r);
}
END_TEST

START_TEST(test_gcm_is_gated_by_version)
{
	static const struct {
		const char *text;
		bool gcm;
	} cases[] = { { "3.5.8", false }, { "3.5.9", true }, { "4.0.3", false }, { "4.0.4", true },
		{ "4.1.2", false }, { "4.1.3", true }, { "4.2.0", true }, { "5.0.0", true },
		{ "3.4.9", false } };

	for (size_t i = 0; i < CYG_N(cases); i++) {
		int v[3];

		ck_assert_int_eq(spark_version_parse(cases[i].text, v, NULL), 0);
		ck_assert_int_eq(spark_has_gcm(v), cases[i].gcm);
	}
	ck_assert_int_lt(spark_version_parse("4.2", (int[3]){ 0 }, NULL), 0);
	ck_assert_int_lt(spark_version_parse("4.2.0.1", (int[3]){ 0 }, NULL), 0);
	ck_assert_int_lt(spark_version_parse("4.2.x", (int[3]){ 0 }, NULL), 0);
}
END_TEST

START_TEST(test_ui_has_no_filter_before_spark_4)
{
	const struct spark_policy policy = {
		.version = { 3, 5, 9 }, .secret = "5ec3e7", .ui_key = "a2V5"
	};
	struct spark_setting s[SPARK_POLICY_MAX];
	struct spark_rendered *r = render(s, spark_policy_settings(&policy, s));

	ck_assert_ptr_null(spark_rendered_get(r, "spark.ui.filters"));
	ck_assert_ptr_null(
	    spark_rendered_get(r, "spark.org.apache.spark.ui.JWSFilter.param.secretKey"));
	spark_rendered_free(r);
}
END_TEST

START_TEST(test_secrets_are_known_by_name)
{
	ck_assert(spark_is_secret("spark.authenticate.secret"));
	ck_assert(spark_is_secret("spark.org.apache.spark.ui.JWSFilter.param.secretKey"));
	ck_assert(spark_is_secret("spark.hadoop.fs.s3a.access.key"));
	ck_assert(spark_is_secret("spark.ssl.keyPassword"));
	ck_assert(!spark_is_secret("spark.executor.memory"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("spark_render");
	TCase *tc = tcase_create("spark_render");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, test_later_layer_wins_and_the_loser_is_remembered);
	tcase_add_test(tc, test_locked_value_holds_against_all_but_policy);
	tcase_add_test(tc, test_forbidden_property_is_not_rendered);
	tcase_add_test(tc, test_append_joins_with_its_separator);
	tcase_add_test(tc, test_bundles_are_merged_as_swan_merges_them);
	tcase_add_test(tc, test_nobody_switches_off_what_policy_demands);
	tcase_add_test(tc, test_bad_settings_name_their_layer);
	tcase_add_test(tc, test_file_is_what_java_properties_read);
	tcase_add_test(tc, test_gcm_is_gated_by_version);
	tcase_add_test(tc, test_ui_has_no_filter_before_spark_4);
	tcase_add_test(tc, test_secrets_are_known_by_name);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}

/* Parts of the pages: JSON5, merging of configuration, templates. */
#include "base/mem.h"
#include "kernels/pages/priv.h"

#include <check.h>
#include <string.h>

enum { OUT_MAX = 1 << 16 };

static const struct {
	const char *in, *out;
} accepted[] = {
	{ "// c\n{a: 'x', /* d */ \"b\": [1, 2,],}", "{\"a\":\"x\",\"b\":[1,2]}" },
	{ "[.5, 5., +2, -0x1F, 1e3, -Infinity, NaN]", "[0.5,5,2,-31,1e3,-Infinity,NaN]" },
	{ "'it\\'s \"q\" \\x41\\v\\\nend'", "\"it's \\\"q\\\" \\u0041\\u000bend\"" },
	{ "{$a_1: null, \xc3\xbc: true}", "{\"$a_1\":null,\"\xc3\xbc\":true}" },
	{ "\xef\xbb\xbf[]", "[]" },
};

START_TEST(test_json5_becomes_json)
{
	cyg_autobuf struct cyg_buf out;
	struct cyg_err err = { 0 };
	cyg_buf_init(&out, OUT_MAX);
	ck_assert_msg(json5_to_json(cyg_str_of(accepted[_i].in), &out, &err) == 0, "%s", err.msg);
	ck_assert_str_eq(out.data, accepted[_i].out);
}
END_TEST

static const struct {
	const char *in, *msg;
} refused[] = {
	{ "{a: }", "Expecting value: line 1 column 5" },
	{ "{\n a 1}", "Expecting ':' delimiter: line 2 column 4" },
	{ "[1 2]", "Expecting ',' delimiter: line 1 column 4" },
	{ "'abc", "String without an end" },
	{ "/* x", "Comment without an end" },
	{ "{} {}", "Extra data" },
	{ "'a\nb'", "Line break in a string" },
	{ "'\\xZZ'", "Invalid \\xXX escape" },
	{ "[,]", "Expecting value" },
	{ "", "Expecting value" },
	{ "0x", "Invalid hexadecimal number" },
	{ "\"\xff\"", "Text is not UTF-8" },
};

START_TEST(test_bad_json5_is_refused_with_its_place)
{
	cyg_autobuf struct cyg_buf out;
	struct cyg_err err = { 0 };
	cyg_buf_init(&out, OUT_MAX);
	ck_assert_int_eq(json5_to_json(cyg_str_of(refused[_i].in), &out, &err), -CYG_EINVAL);
	ck_assert_msg(strstr(err.msg, refused[_i].msg) != NULL, "%s", err.msg);
}
END_TEST

static const struct {
	const char *target, *over, *out;
} merged[] = {
	{ "{\"a\":1,\"b\":2}", "{\"b\":3,\"c\":4}", "{\"a\":1,\"b\":3,\"c\":4}" },
	{ "{\"a\":{\"x\":1,\"y\":2}}", "{\"a\":{\"x\":null,\"z\":3}}",
	    "{\"a\":{\"y\":2,\"z\":3}}" },
	{ "{\"a\":1}", "{\"a\":null}", "{}" },
	{ "{\"a\":1}", "{\"a\":{\"x\":1}}", "{\"a\":{\"x\":1}}" },
	{ "{}", "{\"a\":{}}", "{}" },
	{ "{\"a\":1,\"a\":2}", "{}", "{\"a\":2}" },
};

START_TEST(test_configuration_is_merged_as_stock_merges_it)
{
	cyg_autobuf struct cyg_buf out;
	cyg_buf_init(&out, OUT_MAX);
	ck_assert_int_eq(
	    json_merge(cyg_str_of(merged[_i].target), cyg_str_of(merged[_i].over), &out, NULL), 0);
	ck_assert_str_eq(out.data, merged[_i].out);
}
END_TEST

static const struct {
	const char *in, *out;
} templates[] = {
	{ "a{# c #}b", "ab" },
	{ "{{ base_url | escape }}x", "/u/&#39;x/x" },
	{ "{% block favicon %}i{% endblock %}", "i" },
	{ "{% if custom_css %}css{% endif %}!", "!" },
	{ "{{page_config.name}} {{ page_config['name'] | e }}", "&lt;n&gt; &lt;n&gt;" },
	{ "{% set _ = page_config_full.update(baseUrl=base_url) %}{{ page_config_full | tojson }}",
	    "{\"name\":\"\\u003cn\\u003e\"}" },
	{ "{% set _ = page_config_full.update(notebookPage='tree') %}{{ page_config_full | tojson }}",
	    "{\"name\":\"\\u003cn\\u003e\",\"notebookPage\":\"tree\"}" },
	{ "function () { {} }", "function () { {} }" },
};

START_TEST(test_the_constructs_of_the_templates_are_known)
{
	cyg_autobuf struct cyg_buf out;
	struct cyg_err err = { 0 };
	struct template_vars vars = { "/u/'x/", CYG_STR("{\"name\":\"<n>\"}"), false };
	cyg_buf_init(&out, OUT_MAX);
	ck_assert_msg(
	    template_render(cyg_str_of(templates[_i].in), &vars, &out, &err) == 0, "%s", err.msg);
	ck_assert_str_eq(out.data, templates[_i].out);
}
END_TEST

START_TEST(test_an_unknown_construct_is_an_error_that_shows_it)
{
	static const char *const unknown[] = { "{% for x in y %}", "{{ secret | safe }}",
		"{% if other %}", "{{ page_config", "{% include 'x' %}" };
	cyg_autobuf struct cyg_buf out;
	struct cyg_err err = { 0 };
	struct template_vars vars = { "/", CYG_STR("{}"), true };
	cyg_buf_init(&out, OUT_MAX);
	ck_assert_int_eq(template_render(cyg_str_of(unknown[_i]), &vars, &out, &err), -CYG_EPROTO);
	ck_assert_msg(strstr(err.msg, "not known here: ") != NULL, "%s", err.msg);
}
END_TEST

START_TEST(test_paths_that_lead_elsewhere_are_not_clean)
{
	ck_assert(static_is_clean("a/b.js"));
	ck_assert(static_is_clean("a/..b"));
	ck_assert(!static_is_clean(""));
	ck_assert(!static_is_clean("../a"));
	ck_assert(!static_is_clean("a/../b"));
	ck_assert(!static_is_clean("a//b"));
	ck_assert(!static_is_clean("/etc/passwd"));
	ck_assert(!static_is_clean("a/."));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pages");
	TCase *tc = tcase_create("pages");
	tcase_add_loop_test(tc, test_json5_becomes_json, 0, CYG_N(accepted));
	tcase_add_loop_test(tc, test_bad_json5_is_refused_with_its_place, 0, CYG_N(refused));
	tcase_add_loop_test(tc, test_configuration_is_merged_as_stock_merges_it, 0, CYG_N(merged));
	tcase_add_loop_test(
	    tc, test_the_constructs_of_the_templates_are_known, 0, CYG_N(templates));
	tcase_add_loop_test(tc, test_an_unknown_construct_is_an_error_that_shows_it, 0, 5);
	tcase_add_test(tc, test_paths_that_lead_elsewhere_are_not_clean);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}

/* Notebooks: numbers and lines as Python has them, shape, trust, problems, upgrade. */
#include "base/mem.h"
#include "kernels/base/pyjson.h"
#include "kernels/contents/nbformat.h"

#include <check.h>
#include <string.h>

static const struct {
	const char *text, *want;
} numbers[] = { { "1", "1" }, { "-0", "0" },
	{ "123456789012345678901234567890", "123456789012345678901234567890" },
	{ "1e5", "100000.0" }, { "1E-7", "1e-07" }, { "-0.0", "-0.0" }, { "0e9", "0.0" },
	{ "1e400", "Infinity" }, { "-1e400", "-Infinity" }, { "1e-400", "0.0" }, { "NaN", "NaN" },
	{ "-Infinity", "-Infinity" }, { "1e15", "1000000000000000.0" }, { "1e16", "1e+16" },
	{ "9999999999999998.0", "9999999999999998.0" }, { "0.0001", "0.0001" },
	{ "0.00001", "1e-05" }, { "0.1000000000000000055", "0.1" }, { "5e-324", "5e-324" },
	{ "4.9e-324", "5e-324" }, { "1.7976931348623157e308", "1.7976931348623157e+308" },
	{ "6.617444900424222e-24", "6.617444900424222e-24" },
	{ "9007199254740993.0", "9007199254740992.0" }, { "100e-2", "1.0" },
	{ "1.50000000000000000000", "1.5" }, { "123456.789e3", "123456789.0" } };

START_TEST(test_numbers_are_printed_as_python_does)
{
	cyg_autobuf struct cyg_buf out;
	cyg_buf_init(&out, 100);
	ck_assert_int_eq(pyjson_number(&out, cyg_str_of(numbers[_i].text), NULL), 0);
	ck_assert_str_eq(out.data, numbers[_i].want);
}
END_TEST

START_TEST(test_lines_end_where_python_ends_them)
{
	static const char *const want[] = { "a\n", "b\r\n", "c\r", "d\v", "e\f", "f\x1c", "g\x1d",
		"h\x1e", "i\xc2\x85", "j\xe2\x80\xa8", "k\xe2\x80\xa9", "\n", "l\x1f\xe2\x80\xaa" };
	cyg_autobuf struct cyg_buf all;
	cyg_buf_init(&all, 1000);
	for (size_t i = 0; i < CYG_N(want); i++)
		ck_assert_int_eq(cyg_buf_add_str(&all, want[i], NULL), 0);
	struct cyg_str rest = cyg_buf_str(&all), line;
	for (size_t i = 0; i < CYG_N(want); i++) {
		ck_assert(pyjson_next_line(&rest, &line));
		ck_assert(cyg_str_eq(line, want[i]));
	}
	ck_assert(!pyjson_next_line(&rest, &line));
	ck_assert(cyg_str_eq(pyjson_without_end(CYG_STR("x\r\n")), "x"));
	ck_assert(cyg_str_eq(pyjson_without_end(CYG_STR("x\xe2\x80\xa8")), "x"));
	ck_assert(cyg_str_eq(pyjson_without_end(CYG_STR("x")), "x"));
}
END_TEST

#define NB5(cells) "{\"cells\":[" cells "],\"metadata\":{},\"nbformat\":4,\"nbformat_minor\":5}"

static const struct {
	const char *text, *msg;
} unreadable[] = { { "{\"cells\":\n[}",
		       "Notebook does not appear to be JSON: Expecting value: line 2 column 2" },
	{ "[]", "a notebook is a JSON object" }, { "{}", "too old" },
	{ "{\"nbformat\":5}", "Unsupported nbformat version 5" },
	{ "{\"nbformat\":\"4\"}", "not a whole number" },
	{ "{\"nbformat\":4,\"metadata\":{}}", "no 'cells'" },
	{ "{\"nbformat\":4,\"cells\":[]}", "no 'metadata'" },
	{ NB5("1"), "cell 0 is not an object" },
	{ NB5("{\"metadata\":{}},{}"), "cell 1 has no metadata" },
	{ "{\"nbformat\":3,\"metadata\":{}}", "no 'worksheets'" } };

START_TEST(test_unreadable_notebook_says_why)
{
	static const struct nb_opts opts = { .form = NB_FILE };
	struct nb_doc doc;
	struct cyg_err err = { 0 };
	ck_assert_int_eq(nb_read(cyg_str_of(unreadable[_i].text), &opts, &doc, &err), -CYG_EINVAL);
	ck_assert_msg(strstr(err.msg, unreadable[_i].msg) != NULL, "%s", err.msg);
}
END_TEST

static char *client_form(const char *text, bool trusted)
{
	struct nb_opts opts = { .form = NB_CLIENT, .trusted = trusted };
	struct nb_doc doc;
	struct cyg_buf out;
	cyg_buf_init(&out, 1 << 16);
	ck_assert_int_eq(nb_read(cyg_str_of(text), &opts, &doc, NULL), 0);
	ck_assert_int_eq(nb_write(doc.tape, doc.root, &opts, &out, NULL), 0);
	nb_doc_close(&doc);
	return cyg_buf_take(&out, NULL);
}

START_TEST(test_client_gets_joined_text_and_the_trust_mark)
{
	char *s = client_form(
	    NB5("{\"cell_type\":\"code\",\"id\":\"a\",\"metadata\":{\"trusted\":true},\"source\":[\"x\\n\",\"y\"],"
		"\"outputs\":[],\"execution_count\":null}"),
	    false);
	ck_assert_str_eq(s,
	    NB5("{\"cell_type\":\"code\",\"id\":\"a\",\"metadata\":{\"trusted\":false},\"source\":\"x\\ny\","
		"\"outputs\":[],\"execution_count\":null}"));
	free(s);
}
END_TEST

static bool trusted(const char *text)
{
	static const struct nb_opts opts = { .form = NB_FILE };
	struct nb_doc doc;
	ck_assert_int_eq(nb_read(cyg_str_of(text), &opts, &doc, NULL), 0);
	bool r = nb_cells_are_trusted(doc.tape, doc.root);
	nb_doc_close(&doc);
	return r;
}

START_TEST(test_rich_output_is_trusted_only_when_marked)
{
#define RICH(mark)                                                                                 \
	NB5("{\"cell_type\":\"code\",\"metadata\":{" mark                                          \
	    "},\"outputs\":[{\"output_type\":\"display_data\",\"data\":{}}]}")
	ck_assert(!trusted(RICH("")));
	ck_assert(!trusted(RICH("\"trusted\":false")));
	ck_assert(trusted(RICH("\"trusted\":true")));
	ck_assert(trusted(NB5(
	    "{\"cell_type\":\"code\",\"metadata\":{},\"outputs\":[{\"output_type\":\"stream\",\"text\":\"\"}]}")));
	ck_assert(trusted(NB5("")));
}
END_TEST

START_TEST(test_version_3_becomes_4)
{
	char *s =
	    client_form("{\"metadata\":{\"name\":\"n\"},\"nbformat\":3,\"worksheets\":[{\"cells\":["
			"{\"cell_type\":\"heading\",\"level\":2,\"source\":[\"a\",\"b\"]}]}]}",
		true);
	ck_assert_ptr_nonnull(strstr(s, "\"source\":\"## a b\""));
	ck_assert_ptr_nonnull(strstr(s, "\"cell_type\":\"markdown\""));
	ck_assert_ptr_nonnull(strstr(s, "\"nbformat\":4"));
	free(s);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("nbformat");
	TCase *tc = tcase_create("nbformat");
	tcase_add_loop_test(tc, test_numbers_are_printed_as_python_does, 0, CYG_N(numbers));
	tcase_add_test(tc, test_lines_end_where_python_ends_them);
	tcase_add_loop_test(tc, test_unreadable_notebook_says_why, 0, CYG_N(unreadable));
	tcase_add_test(tc, test_client_gets_joined_text_and_the_trust_mark);
	tcase_add_test(tc, test_rich_output_is_trusted_only_when_marked);
	tcase_add_test(tc, test_version_3_becomes_4);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}

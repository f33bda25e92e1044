/* The JSON tape and the JSON writer. */
#include "base/mem.h"
#include "kernels/base/jsonw.h"
#include "kernels/base/tape.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static struct tape *parse(const char *text)
{
	struct tape *t = NULL;
	struct cyg_err err;
	ck_assert_msg(tape_parse(cyg_str_of(text), &t, NULL, &err) == 0, "%s", err.msg);
	return t;
}

static void check_text(const struct tape *t, tape_node n, const char *want)
{
	ck_assert_uint_ne(n, TAPE_NONE);
	ck_assert_msg(cyg_str_eq(tape_text(t, n), want), "'%.*s' is not '%s'",
	    CYG_STR_ARGS(tape_text(t, n)), want);
}

START_TEST(test_values_keep_their_source_text)
{
	struct tape *t = parse(" {\"a\": [1.50, -0, 1e5 ,NaN], \"b\":{ },\"c\" : \"x\\u0041\"} ");
	tape_node a = tape_find(t, tape_root(t), "a");
	check_text(t, a, "[1.50, -0, 1e5 ,NaN]");
	ck_assert_uint_eq(tape_count(t, a), 4);
	tape_node n = tape_first(t, a);
	check_text(t, n, "1.50");
	check_text(t, n = tape_next(t, n), "-0");
	check_text(t, n = tape_next(t, n), "1e5");
	check_text(t, n = tape_next(t, n), "NaN");
	ck_assert_uint_eq(tape_next(t, n), TAPE_NONE);
	check_text(t, tape_find(t, tape_root(t), "b"), "{ }");
	ck_assert_uint_eq(tape_first(t, tape_find(t, tape_root(t), "b")), TAPE_NONE);
	ck_assert(tape_string_eq(t, tape_find(t, tape_root(t), "c"), "xA"));
	tape_free(t);
}
END_TEST

START_TEST(test_last_of_duplicate_keys_wins)
{
	struct tape *t = parse("{\"k\":1,\"\\u006b\":2}");
	int64_t v = 0;
	ck_assert_int_eq(tape_int(t, tape_find(t, 0, "k"), &v, NULL), 0);
	ck_assert_int_eq(v, 2);
	ck_assert_uint_eq(tape_count(t, 0), 2);
	tape_free(t);
}
END_TEST

START_TEST(test_strings_are_unescaped_as_python_does)
{
	struct tape *t = parse(
	    "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\", \"\\ud83d\\ude00\", \"\\ud83d!\", \"\\udc00\"]");
	static const char *const want[] = { "\"\\/\b\f\n\r\t", "\xf0\x9f\x98\x80", "\xed\xa0\xbd!",
		"\xed\xb0\x80" };
	tape_node n = tape_first(t, 0);
	for (size_t i = 0; i < CYG_N(want); i++, n = tape_next(t, n)) {
		cyg_autobuf struct cyg_buf out;
		cyg_buf_init(&out, 100);
		ck_assert_int_eq(tape_string(t, n, &out, NULL), 0);
		ck_assert_str_eq(out.data, want[i]);
		ck_assert(tape_string_eq(t, n, want[i]));
	}
	tape_free(t);
}
END_TEST

static const struct {
	const char *text, *msg;
	size_t line, column;
} refused[] = {
	{ "", "Expecting value: line 1 column 1", 1, 1 },
	{ "{\n \"a\": 1,\n}", "Expecting property name", 3, 1 },
	{ "[1 2]", "Expecting ',' delimiter", 1, 4 },
	{ "[1,]", "Expecting value", 1, 4 },
	{ "{\"a\" 1}", "Expecting ':' delimiter", 1, 6 },
	{ "[01]", "Expecting ',' delimiter", 1, 3 },
	{ "[1.]", "Expecting ',' delimiter", 1, 3 },
	{ "[.5]", "Expecting value", 1, 2 },
	{ "[+1]", "Expecting value", 1, 2 },
	{ "[-]", "Expecting value", 1, 2 },
	{ "[-NaN]", "Expecting value", 1, 2 },
	{ "1 1", "Extra data", 1, 3 },
	{ "\"a", "Unterminated string", 1, 1 },
	{ "\"a\nb\"", "Invalid control character", 1, 3 },
	{ "\"\\x\"", "Invalid \\escape", 1, 2 },
	{ "\"\\u12g4\"", "Invalid \\uXXXX escape", 1, 2 },
	{ "\"\\", "Unterminated string", 1, 2 },
	{ "\"\xff\"", "Text is not UTF-8", 1, 2 },
	{ "\"\xed\xa0\x80\"", "Text is not UTF-8", 1, 2 },
	{ "\xef\xbb\xbf[]", "Expecting value", 1, 1 },
	{ "[}", "Expecting value", 1, 2 },
	{ "{\"a\":1]", "Expecting ',' delimiter", 1, 7 },
	{ "tru", "Expecting value", 1, 1 },
	{ "'a'", "Expecting value", 1, 1 },
	{ "[1] // c", "Extra data", 1, 5 },
};

/* Strings are read in steps of several bytes: each byte is looked at wherever it stands. */
START_TEST(test_every_byte_of_a_string_is_looked_at)
{
	char text[80];
	for (int at = 0; at < 40; at++) {
		for (unsigned c = 1; c < 0x100; c++) {
			struct tape *t = NULL;
			memset(text, 'a', sizeof(text));
			text[0] = text[42] = '"';
			text[43] = '\0';
			text[1 + at] = (char)c;
			bool plain = c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
			ck_assert_msg((tape_parse(cyg_str_of(text), &t, NULL, NULL) == 0) == plain,
			    "byte %u at %d", c, at);
			if (!plain)
				continue;
			ck_assert_uint_eq(tape_text(t, tape_root(t)).len, 43);
			tape_free(t);
		}
	}
}
END_TEST

START_TEST(test_an_escape_or_a_letter_may_stand_anywhere)
{
	static const char *const parts[] = { "\\n", "\\\"", "\\u00e9", "\xc3\xa9",
		"\xf0\x9f\x98\x80" };
	static const char *const means[] = { "\n", "\"", "\xc3\xa9", "\xc3\xa9",
		"\xf0\x9f\x98\x80" };
	char text[80], want[80];
	for (int at = 0; at < 40; at++) {
		for (size_t i = 0; i < CYG_N(parts); i++) {
			(void)snprintf(
			    text, sizeof(text), "\"%0*d%s%0*d\"", at + 1, 0, parts[i], 9, 0);
			(void)snprintf(want, sizeof(want), "%0*d%s%0*d", at + 1, 0, means[i], 9, 0);
			struct tape *t = parse(text);
			ck_assert(tape_string_eq(t, tape_root(t), want));
			tape_free(t);
		}
	}
}
END_TEST

START_TEST(test_refusal_names_line_and_column)
{
	struct tape *t = NULL;
	struct tape_pos pos = { 0, 0 };
	struct cyg_err err = { 0 };
	ck_assert_int_eq(tape_parse(cyg_str_of(refused[_i].text), &t, &pos, &err), -CYG_EINVAL);
	ck_assert_msg(strstr(err.msg, refused[_i].msg) == err.msg, "%s", err.msg);
	ck_assert_uint_eq(pos.line, refused[_i].line);
	ck_assert_uint_eq(pos.column, refused[_i].column);
	ck_assert_ptr_null(t);
}
END_TEST

START_TEST(test_nesting_ends_at_the_limit)
{
	char text[2 * TAPE_DEPTH_MAX + 4];
	struct tape *t = NULL;
	struct cyg_err err;
	memset(text, '[', TAPE_DEPTH_MAX);
	memset(text + TAPE_DEPTH_MAX, ']', TAPE_DEPTH_MAX);
	struct cyg_str s = { text, (size_t)2 * TAPE_DEPTH_MAX };
	ck_assert_int_eq(tape_parse(s, &t, NULL, &err), 0);
	tape_free(t);
	memset(text, '[', TAPE_DEPTH_MAX + 1);
	memset(text + TAPE_DEPTH_MAX + 1, ']', TAPE_DEPTH_MAX + 1);
	s.len += 2;
	ck_assert_int_eq(tape_parse(s, &t, NULL, &err), -CYG_EINVAL);
}
END_TEST

START_TEST(test_questions_about_absent_things_have_answers)
{
	struct tape *t = parse("{\"s\":\"v\",\"z\":\"a\\u0000b\",\"t\":true,\"n\":null,\"f\":1.5}");
	int64_t v = 0;
	ck_assert_uint_eq(tape_find(t, TAPE_NONE, "a"), TAPE_NONE);
	ck_assert_uint_eq(tape_find(t, tape_find(t, 0, "s"), "a"), TAPE_NONE);
	ck_assert_ptr_null(tape_get_str(t, 0, "nope"));
	ck_assert_ptr_null(tape_get_str(t, 0, "t"));
	ck_assert_ptr_null(tape_get_str(t, 0, "z"));
	char *s = tape_get_str(t, 0, "s");
	ck_assert_str_eq(s, "v");
	free(s);
	ck_assert(tape_get_bool(t, 0, "t", false));
	ck_assert(tape_get_bool(t, 0, "n", true));
	ck_assert(!tape_get_bool(t, 0, "nope", false));
	ck_assert_int_eq(tape_int(t, tape_find(t, 0, "f"), &v, NULL), -CYG_EINVAL);
	ck_assert_int_eq(tape_int(t, TAPE_NONE, &v, NULL), -CYG_EINVAL);
	tape_free(t);
}
END_TEST

START_TEST(test_writer_sets_commas_and_escapes)
{
	cyg_autobuf struct cyg_buf out;
	struct jsonw w;
	cyg_buf_init(&out, 4096);
	jsonw_init(&w, &out);
	jsonw_object(&w);
	jsonw_key_cstr(&w, "a\"", "x\\\n\x01\xff\xed\xa0\xbd\xc3\xa9");
	jsonw_key(&w, "l");
	jsonw_array(&w);
	jsonw_int(&w, -5);
	jsonw_bool(&w, true);
	jsonw_null(&w);
	jsonw_object(&w);
	jsonw_object_end(&w);
	jsonw_raw(&w, CYG_STR("[1]"));
	jsonw_array_end(&w);
	jsonw_key_cstr(&w, "n", NULL);
	jsonw_key_bool(&w, "b", false);
	jsonw_object_end(&w);
	ck_assert_int_eq(jsonw_finish(&w, NULL), 0);
	ck_assert_str_eq(out.data,
	    "{\"a\\\"\":\"x\\\\\\n\\u0001\xef\xbf\xbd\\ud83d\xc3\xa9\",\"l\":[-5,true,null,{},[1]],"
	    "\"n\":null,\"b\":false}");
}
END_TEST

START_TEST(test_writer_failure_sticks)
{
	cyg_autobuf struct cyg_buf out;
	struct jsonw w;
	struct cyg_err err = { 0 };
	cyg_buf_init(&out, 4);
	jsonw_init(&w, &out);
	jsonw_cstr(&w, "too long for four bytes");
	ck_assert_int_eq(jsonw_finish(&w, &err), -CYG_ELIMIT);
	ck_assert_str_ne(err.msg, "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tape");
	TCase *tc = tcase_create("tape");
	tcase_add_test(tc, test_values_keep_their_source_text);
	tcase_add_test(tc, test_last_of_duplicate_keys_wins);
	tcase_add_test(tc, test_strings_are_unescaped_as_python_does);
	tcase_add_test(tc, test_every_byte_of_a_string_is_looked_at);
	tcase_add_test(tc, test_an_escape_or_a_letter_may_stand_anywhere);
	tcase_add_loop_test(tc, test_refusal_names_line_and_column, 0, CYG_N(refused));
	tcase_add_test(tc, test_nesting_ends_at_the_limit);
	tcase_add_test(tc, test_questions_about_absent_things_have_answers);
	tcase_add_test(tc, test_writer_sets_commas_and_escapes);
	tcase_add_test(tc, test_writer_failure_sticks);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}

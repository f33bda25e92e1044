/* Errors, numbers, text, buffers, lists, hash and arena of src/base. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/num.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

START_TEST(test_wrap_puts_context_in_front)
{
	struct cyg_err err;

	ck_assert_int_eq(cyg_fail(&err, CYG_ENOENT, "no file %d", 7), -CYG_ENOENT);
	ck_assert_int_eq(cyg_wrap(&err, "read '%s'", "x"), -CYG_ENOENT);
	ck_assert_str_eq(err.msg, "read 'x': no file 7");
}
END_TEST

START_TEST(test_system_error_keeps_errno_and_its_text)
{
	struct cyg_err err;

	ck_assert_int_eq(cyg_fail_sys(&err, ENOENT, "open"), -CYG_ENOENT);
	ck_assert_int_eq(err.sys, ENOENT);
	ck_assert_str_eq(err.msg, "open: No such file or directory");
	ck_assert_int_eq(cyg_fail_sys(&err, EIO, "read"), -CYG_ESYS);
	ck_assert_int_eq(cyg_fail(NULL, CYG_EINVAL, "x"), -CYG_EINVAL);
}
END_TEST

START_TEST(test_long_message_is_cut_not_overrun)
{
	char text[2 * CYG_ERR_MSG];
	struct cyg_err err;

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	(void)cyg_fail(&err, CYG_EINVAL, "%s", text);
	(void)cyg_wrap(&err, "%s", text);
	ck_assert_uint_eq(strlen(err.msg), CYG_ERR_MSG - 1);
}
END_TEST

START_TEST(test_number_parser_refuses_what_is_not_digits)
{
	static const char *const bad[] = { "", "+5", "-1", " 5", "5 ", "0x5", "5_0", "5x",
		"18446744073709551616", "00000000000000000000000000005", "１" };
	uint64_t v = 77;

	for (size_t i = 0; i < CYG_N(bad); i++)
		ck_assert_int_lt(cyg_num_parse_u64(cyg_str_of(bad[i]), 0, UINT64_MAX, &v, NULL), 0);
	ck_assert_uint_eq(v, 77);
}
END_TEST

START_TEST(test_number_parser_holds_its_range)
{
	struct cyg_err err;
	uint64_t v = 0;
	int64_t s = 0;

	ck_assert_int_eq(
	    cyg_num_parse_u64(CYG_STR("18446744073709551615"), 0, UINT64_MAX, &v, NULL), 0);
	ck_assert_uint_eq(v, UINT64_MAX);
	ck_assert_int_lt(cyg_num_parse_u64(CYG_STR("9"), 10, 20, &v, &err), 0);
	ck_assert_str_eq(err.msg, "9 is not between 10 and 20");
	ck_assert_int_eq(cyg_num_parse_i64(CYG_STR("-12"), -20, 0, &s, NULL), 0);
	ck_assert_int_eq(s, -12);
	ck_assert_int_lt(cyg_num_parse_i64(CYG_STR("--1"), -20, 0, &s, NULL), 0);
}
END_TEST

START_TEST(test_hex_and_sizes)
{
	uint64_t v = 0;

	ck_assert_int_eq(cyg_num_parse_hex(CYG_STR("fFfF"), UINT64_MAX, &v, NULL), 0);
	ck_assert_uint_eq(v, 0xffff);
	ck_assert_int_lt(cyg_num_parse_hex(CYG_STR("0x1"), UINT64_MAX, &v, NULL), 0);
	ck_assert_int_lt(cyg_num_parse_hex(CYG_STR("11111111111111111"), UINT64_MAX, &v, NULL), 0);
	ck_assert_int_eq(cyg_num_parse_size(CYG_STR("4G"), UINT64_MAX, &v, NULL), 0);
	ck_assert_uint_eq(v, 4ull << 30);
	ck_assert_int_lt(cyg_num_parse_size(CYG_STR("99999999999T"), UINT64_MAX, &v, NULL), 0);
	ck_assert_int_lt(cyg_num_parse_size(CYG_STR("4g"), UINT64_MAX, &v, NULL), 0);
}
END_TEST

START_TEST(test_text_is_cut_into_parts)
{
	struct cyg_str rest = CYG_STR("a,,b");
	struct cyg_str part;

	ck_assert(cyg_str_next(&rest, ',', &part) && cyg_str_eq(part, "a"));
	ck_assert(cyg_str_next(&rest, ',', &part) && part.len == 0);
	ck_assert(cyg_str_next(&rest, ',', &part) && cyg_str_eq(part, "b"));
	ck_assert(!cyg_str_next(&rest, ',', &part));
	ck_assert(cyg_str_eq(cyg_str_trim(CYG_STR(" \t x y ")), "x y"));
	ck_assert(cyg_str_case_eq(CYG_STR("Content-LENGTH"), "content-length"));
	ck_assert(!cyg_str_case_eq(CYG_STR("a"), "ab"));
}
END_TEST

START_TEST(test_a_text_is_cut_between_characters)
{
	char out[6];

	cyg_str_copy_utf8(out, sizeof(out), CYG_STR("abcd\xc3\xbc"));
	ck_assert_str_eq(out, "abcd"); /* the last character has no room */
	cyg_str_copy_utf8(out, sizeof(out), CYG_STR("abc\xc3\xbcx"));
	ck_assert_str_eq(out, "abc\xc3\xbc");
	cyg_str_copy_utf8(out, sizeof(out), CYG_STR("a\xff\xc3"));
	ck_assert_str_eq(out, "a??");
	cyg_str_copy_utf8(out, sizeof(out), CYG_STR(""));
	ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(test_utf8_is_checked_strictly)
{
	ck_assert(cyg_str_is_utf8(CYG_STR("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80")));
	ck_assert(!cyg_str_is_utf8(CYG_STR("\xc0\x80")));         /* overlong */
	ck_assert(!cyg_str_is_utf8(CYG_STR("\xed\xa0\x80")));     /* surrogate */
	ck_assert(!cyg_str_is_utf8(CYG_STR("\xf4\x90\x80\x80"))); /* over U+10FFFF */
	ck_assert(!cyg_str_is_utf8(CYG_STR("\xe2\x82")));         /* cut off */
	ck_assert(!cyg_str_is_text(CYG_STR("a\nb")));
}
END_TEST

START_TEST(test_buffer_never_passes_its_maximum)
{
	cyg_autobuf struct cyg_buf b;
	struct cyg_err err;

	cyg_buf_init(&b, 10);
	ck_assert_str_eq(b.data, "");
	ck_assert_int_eq(cyg_buf_add_str(&b, "12345678", &err), 0);
	ck_assert_int_eq(cyg_buf_add_str(&b, "abc", &err), -CYG_ELIMIT);
	ck_assert_str_eq(b.data, "12345678");
	ck_assert_int_eq(cyg_buf_printf(&b, &err, "%d", 42), 0);
	ck_assert_str_eq(b.data, "1234567842");
	ck_assert_int_eq(cyg_buf_printf(&b, &err, "x"), -CYG_ELIMIT);
}
END_TEST

START_TEST(test_buffer_takes_all_parts_or_none)
{
	const struct cyg_str parts[] = { CYG_STR("Name"), CYG_STR(": "), { NULL, 0 },
		CYG_STR("x") };
	cyg_autobuf struct cyg_buf b;
	struct cyg_err err;

	cyg_buf_init(&b, 10);
	ck_assert_int_eq(cyg_buf_add_all(&b, parts, 0, &err), 0);
	ck_assert_int_eq(cyg_buf_add_all(&b, parts, CYG_N(parts), &err), 0);
	ck_assert_str_eq(b.data, "Name: x");
	ck_assert_int_eq(cyg_buf_add_all(&b, parts, CYG_N(parts), &err), -CYG_ELIMIT);
	ck_assert_str_eq(b.data, "Name: x");
	ck_assert_int_eq(cyg_buf_add_all(&b, &parts[1], 3, &err), 0);
	ck_assert_str_eq(b.data, "Name: x: x");
}
END_TEST

START_TEST(test_buffer_consumes_and_reuses_its_front)
{
	cyg_autobuf struct cyg_buf b;
	size_t len;
	char *text;

	cyg_buf_init(&b, 1000);
	for (int i = 0; i < 1000; i++) {
		ck_assert_int_eq(cyg_buf_add(&b, "0123456789", 10, NULL), 0);
		cyg_buf_consume(&b, 7);
		ck_assert_uint_le(b.len, 1000);
		if (b.len > 900)
			cyg_buf_consume(&b, 800);
	}
	ck_assert_uint_eq(strlen(b.data), b.len);
	text = cyg_buf_take(&b, &len);
	ck_assert_uint_eq(strlen(text), len);
	ck_assert_uint_eq(b.len, 0);
	free(text);
}
END_TEST

START_TEST(test_hash_agrees_with_a_plain_array)
{
	static int values[500];
	struct cyg_hash *h = cyg_hash_new();
	bool there[500] = { false };
	unsigned x = 12345;

	for (int i = 0; i < 20000; i++) {
		char key[16];
		unsigned k;

		x = x * 1103515245u + 12345u;
		k = (x >> 16) % 500;
		(void)snprintf(key, sizeof(key), "key%u", k);
		if ((x >> 8) % 2 == 0) {
			ck_assert_ptr_eq(cyg_hash_set(h, cyg_str_of(key), &values[k]),
			    there[k] ? &values[k] : NULL);
			there[k] = true;
		} else {
			ck_assert_ptr_eq(
			    cyg_hash_remove(h, cyg_str_of(key)), there[k] ? &values[k] : NULL);
			there[k] = false;
		}
		ck_assert_ptr_eq(cyg_hash_find(h, cyg_str_of(key)), there[k] ? &values[k] : NULL);
	}
	for (size_t pos = 0, n = 0;; n++) {
		struct cyg_str key;
		void *value;

		if (!cyg_hash_next(h, &pos, &key, &value)) {
			ck_assert_uint_eq(n, cyg_hash_count(h));
			break;
		}
	}
	cyg_hash_free(h, NULL);
}
END_TEST

struct sweep_told {
	int times[3000]; /* by the number that is the value */
	int part;
};

static bool goes_by_part(void *arg, struct cyg_str key, void *value)
{
	struct sweep_told *told = arg;
	const int *number = value;

	told->times[*number]++;
	return *number % told->part == 0;
}

START_TEST(test_hash_sweep_asks_about_each_key_once)
{
	static int numbers[3000];

	for (int part = 1; part <= 5; part++) {
		struct sweep_told told = { .part = part };
		struct cyg_hash *h = cyg_hash_new();
		char text[16];
		size_t n = 0;

		for (int i = 0; i < 3000; i++) {
			(void)snprintf(text, sizeof(text), "key%d", i);
			numbers[i] = i;
			n += i % part == 0;
			(void)cyg_hash_set(h, cyg_str_of(text), &numbers[i]);
		}
		ck_assert_uint_eq(cyg_hash_sweep(h, goes_by_part, &told), n);
		ck_assert_uint_eq(cyg_hash_count(h), 3000 - n);
		for (int i = 0; i < 3000; i++) {
			(void)snprintf(text, sizeof(text), "key%d", i);
			ck_assert_int_eq(told.times[i], 1);
			ck_assert_ptr_eq(
			    cyg_hash_find(h, cyg_str_of(text)), i % part == 0 ? NULL : &numbers[i]);
		}
		cyg_hash_free(h, NULL);
	}
}
END_TEST

START_TEST(test_hash_sweep_of_an_empty_table_asks_nothing)
{
	struct sweep_told told = { .part = 1 };
	struct cyg_hash *h = cyg_hash_new();

	ck_assert_uint_eq(cyg_hash_sweep(h, goes_by_part, &told), 0);
	cyg_hash_free(h, NULL);
}
END_TEST

START_TEST(test_siphash_matches_the_reference_vector)
{
	uint8_t key[16];
	uint8_t data[15];

	for (uint8_t i = 0; i < 16; i++)
		key[i] = i;
	for (uint8_t i = 0; i < 15; i++)
		data[i] = i;
	/* Aumasson and Bernstein 2012, appendix A. */
	ck_assert_uint_eq(cyg_siphash(key, data, sizeof(data)), 0xa129ca6149be45e5ull);
}
END_TEST

START_TEST(test_arena_hands_out_aligned_zeroed_memory)
{
	struct cyg_arena a;

	cyg_arena_init(&a);
	for (size_t i = 1; i < 10000; i += 97) {
		char *p = cyg_arena_alloc(&a, i);

		ck_assert_uint_eq((uintptr_t)p % _Alignof(max_align_t), 0);
		ck_assert(p[0] == 0 && p[i - 1] == 0);
		memset(p, 0xff, i);
	}
	ck_assert_str_eq(cyg_arena_printf(&a, "%s-%d", "x", 5), "x-5");
	const struct cyg_str parts[] = { CYG_STR("read:"), { NULL, 0 }, { "users!", 5 } };
	ck_assert_str_eq(cyg_arena_join(&a, parts, CYG_N(parts)), "read:users");
	ck_assert_str_eq(cyg_arena_join(&a, NULL, 0), "");
	cyg_arena_free(&a);
	cyg_arena_free(&a);
}
END_TEST

START_TEST(test_list_moves_objects_without_allocation)
{
	struct cyg_link l[3];
	struct cyg_list list;
	int n = 0;

	cyg_list_init(&list);
	for (int i = 0; i < 3; i++)
		cyg_list_add(&list, &l[i]);
	cyg_list_each_safe (it, &list) {
		if (it == &l[1])
			cyg_list_remove(&list, it);
		n++;
	}
	ck_assert_int_eq(n, 3);
	ck_assert_uint_eq(list.n, 2);
	ck_assert(!cyg_link_is_on(&l[1]) && cyg_link_is_on(&l[0]));
	ck_assert_ptr_eq(cyg_list_first(&list), &l[0]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("base");
	TCase *tc = tcase_create("base");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, test_wrap_puts_context_in_front);
	tcase_add_test(tc, test_system_error_keeps_errno_and_its_text);
	tcase_add_test(tc, test_long_message_is_cut_not_overrun);
	tcase_add_test(tc, test_number_parser_refuses_what_is_not_digits);
	tcase_add_test(tc, test_number_parser_holds_its_range);
	tcase_add_test(tc, test_hex_and_sizes);
	tcase_add_test(tc, test_text_is_cut_into_parts);
	tcase_add_test(tc, test_utf8_is_checked_strictly);
	tcase_add_test(tc, test_a_text_is_cut_between_characters);
	tcase_add_test(tc, test_buffer_never_passes_its_maximum);
	tcase_add_test(tc, test_buffer_takes_all_parts_or_none);
	tcase_add_test(tc, test_buffer_consumes_and_reuses_its_front);
	tcase_add_test(tc, test_hash_agrees_with_a_plain_array);
	tcase_add_test(tc, test_hash_sweep_asks_about_each_key_once);
	tcase_add_test(tc, test_hash_sweep_of_an_empty_table_asks_nothing);
	tcase_add_test(tc, test_siphash_matches_the_reference_vector);
	tcase_add_test(tc, test_arena_hands_out_aligned_zeroed_memory);
	tcase_add_test(tc, test_list_moves_objects_without_allocation);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}

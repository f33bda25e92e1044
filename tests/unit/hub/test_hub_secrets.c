/* What sign-in rests on: the limit on failures, digests of secrets, and which
 * addresses are loopback. */
#include "base/str.h"
#include "hub/base/ratelimit.h"
#include "hub/base/secret.h"
#include "hub/signin/signin.h"

#include <check.h>
#include <string.h>

START_TEST(test_failures_are_counted_in_a_window)
{
	struct ratelimit *r = ratelimit_new(2, 1000, 2);

	ck_assert_uint_eq(ratelimit_wait(r, CYG_STR("a"), 0), 0);
	ratelimit_count(r, CYG_STR("a"), 0);
	ck_assert_uint_eq(ratelimit_wait(r, CYG_STR("a"), 10), 0);
	ratelimit_count(r, CYG_STR("a"), 10);
	ck_assert_uint_eq(ratelimit_wait(r, CYG_STR("a"), 400), 600);
	ck_assert_uint_eq(ratelimit_wait(r, CYG_STR("a"), 1000), 0);
	ratelimit_clear(r, CYG_STR("a"));
	ck_assert_uint_eq(ratelimit_wait(r, CYG_STR("a"), 400), 0);
	ratelimit_free(r);
}
END_TEST

START_TEST(test_a_full_table_of_failures_lets_no_new_key_in)
{
	struct ratelimit *r = ratelimit_new(2, 1000, 2);

	ratelimit_count(r, CYG_STR("a"), 0);
	ratelimit_count(r, CYG_STR("b"), 500);
	ck_assert_uint_gt(ratelimit_wait(r, CYG_STR("c"), 600), 0);
	ck_assert_uint_eq(ratelimit_wait(r, CYG_STR("a"), 600), 0);
	ck_assert_uint_eq(ratelimit_wait(r, CYG_STR("c"), 1200), 0);
	ratelimit_free(r);
}
END_TEST

START_TEST(test_the_sum_is_sha_256)
{
	char sum[SECRET_SUM_SIZE];

	secret_sum(CYG_STR("abc"), sum);
	ck_assert_str_eq(sum, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	char one[CYG_CREDENTIAL_LEN + 1], two[CYG_CREDENTIAL_LEN + 1];
	secret_new(one);
	secret_new(two);
	ck_assert(secret_is_formed(cyg_str_of(one)) && strcmp(one, two) != 0);
	one[5] = 'G';
	ck_assert(!secret_is_formed(cyg_str_of(one)) && !secret_is_formed(CYG_STR("abc")));
}
END_TEST

static const struct {
	const char *url;
	bool loopback;
} urls[] = {
	{ "http://127.0.0.1:8000/", true },
	{ "http://127.0.0.1", true },
	{ "https://127.255.0.1:1/", true },
	{ "http://localhost:8000/", true },
	{ "http://[::1]:8000/", true },
	{ "http://0.0.0.0:8000/", false },
	{ "http://[::]:8000/", false },
	{ "http://127.evil.example/", false },
	{ "http://localhost.evil.example/", false },
	{ "http://127.0.0.1@evil.example/", false },
	{ "http://evil.example/127.0.0.1", false },
	{ "http://10.0.0.1:127/", false },
	{ "127.0.0.1:8000", false },
	{ "", false },
};

START_TEST(test_only_loopback_is_loopback)
{
	ck_assert_msg(
	    signin_is_loopback(cyg_str_of(urls[_i].url)) == urls[_i].loopback, "%s", urls[_i].url);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hub: limits and secrets");
	TCase *tc = tcase_create("pure");

	tcase_add_test(tc, test_failures_are_counted_in_a_window);
	tcase_add_test(tc, test_a_full_table_of_failures_lets_no_new_key_in);
	tcase_add_test(tc, test_the_sum_is_sha_256);
	tcase_add_loop_test(tc, test_only_loopback_is_loopback, 0, (int)CYG_N(urls));
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}

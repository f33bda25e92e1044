/* Origin, Fetch-Metadata and Authorization, as truth tables. */
#include "base/mem.h"
#include "http/origin.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *origin, *scheme, *host;
	bool same;
} origins[] = {
	{ "http://hub.test", "http", "hub.test", true },
	{ "http://hub.test:8000", "http", "hub.test:8000", true },
	{ "http://hub.test", "http", "hub.test:8000", false },
	{ "http://hub.test:8000", "http", "hub.test", false },
	{ "http://hub.test:8001", "http", "hub.test:8000", false },
	/* The scheme counts. */
	{ "https://hub.test", "http", "hub.test", false },
	{ "http://hub.test", "https", "hub.test", false },
	{ "https://hub.test", "https", "hub.test", true },
	{ "httpss://hub.test", "https", "hub.test", false },
	{ "ftp://hub.test", "ftp", "hub.test", false },
	/* Letters' case does not. */
	{ "HTTP://Hub.Test", "http", "hub.test", true },
	{ "http://hub.test", "http", "HUB.TEST", true },
	/* A scheme's own port may be told or not, on either side; another's may not. */
	{ "http://hub.test:80", "http", "hub.test", true },
	{ "http://hub.test", "http", "hub.test:80", true },
	{ "https://hub.test:443", "https", "hub.test", true },
	{ "https://hub.test", "https", "hub.test:443", true },
	{ "https://hub.test:80", "https", "hub.test", false },
	{ "http://hub.test:443", "http", "hub.test", false },
	{ "https://[::1]:443", "https", "[::1]", true },
	{ "https://[::443]", "https", "[:]", false },
	/* The scheme is not known: it is the Origin's own, and its port goes with it. */
	{ "http://hub.test:80", NULL, "hub.test", true },
	{ "https://hub.test", NULL, "hub.test:443", true },
	{ "https://hub.test:80", NULL, "hub.test", false },
	{ "file://hub.test", NULL, "hub.test", false },
	/* What is no origin, or another's. */
	{ "null", "http", "null", false },
	{ "", "http", "", false },
	{ "http://", "http", "", false },
	{ "http://:80", "http", "", false },
	{ "http:/hub.test", "http", "hub.test", false },
	{ "hub.test", "http", "hub.test", false },
	{ "http://hub.test/", "http", "hub.test", false },
	{ "http://hub.test.evil", "http", "hub.test", false },
	{ "http://evil-hub.test", "http", "hub.test", false },
	{ "http://user@hub.test", "http", "hub.test", false },
};

START_TEST(test_an_origin_is_scheme_name_and_port)
{
	ck_assert_msg(origin_is(cyg_str_of(origins[_i].origin), origins[_i].scheme,
			  cyg_str_of(origins[_i].host)) == origins[_i].same,
	    "%s at %s", origins[_i].origin, origins[_i].host);
}
END_TEST

static struct http_head head;

static void read_fields(const char *fields)
{
	static char text[1024]; /* the head borrows from it */
	struct cyg_err err = { 0 };
	int status;

	(void)snprintf(text, sizeof(text), "POST / HTTP/1.1\r\nHost: hub.test\r\n%s\r\n", fields);
	ck_assert_msg(
	    http_head_parse_request(text, strlen(text), &head, &status, &err) > 0, "%s", err.msg);
}

#define OURS    "Origin: http://hub.test\r\n"
#define THEIRS  "Origin: http://evil.test\r\n"
#define SITE(x) "Sec-Fetch-Site: " x "\r\n"

static const struct {
	const char *fields;
	bool bare, with_token; /* may pass */
} checks[] = {
	{ "", false, true },
	{ OURS, true, true },
	{ THEIRS, false, false },
	{ "Origin: null\r\n", false, false },
	{ SITE("same-origin"), true, true },
	{ SITE("same-site"), false, false },
	{ SITE("cross-site"), false, false },
	{ SITE("none"), false, true },
	{ SITE("same-origin") OURS, true, true },
	{ SITE("none") OURS, true, true },
	{ SITE("cross-site") OURS, false, false },
	{ SITE("same-origin") THEIRS, false, false },
	{ SITE("same-origin") SITE("same-origin"), false, false },
};

START_TEST(test_what_foreign_pages_can_send_is_blocked)
{
	read_fields(checks[_i].fields);
	ck_assert_msg((origin_check(&head, "http", false) == NULL) == checks[_i].bare, "%s",
	    checks[_i].fields);
	ck_assert_msg((origin_check(&head, "http", true) == NULL) == checks[_i].with_token, "%s",
	    checks[_i].fields);
}
END_TEST

static const struct {
	const char *fields, *token;
} tokens[] = {
	{ "", "" },
	{ "Authorization: token abc\r\n", "abc" },
	{ "Authorization: Bearer abc\r\n", "abc" },
	{ "Authorization: TOKEN   abc \r\n", "abc" },
	{ "Authorization: Basic abc\r\n", "" },
	{ "Authorization: token\r\n", "" },
	{ "Authorization: tokenabc\r\n", "" },
	{ "Authorization: abc\r\n", "" },
};

START_TEST(test_a_token_is_read_from_authorization)
{
	read_fields(tokens[_i].fields);
	ck_assert(cyg_str_eq(origin_token(&head), tokens[_i].token));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("http_origin");
	TCase *tc = tcase_create("origin");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tc, test_an_origin_is_scheme_name_and_port, 0, (int)CYG_N(origins));
	tcase_add_loop_test(tc, test_what_foreign_pages_can_send_is_blocked, 0, (int)CYG_N(checks));
	tcase_add_loop_test(tc, test_a_token_is_read_from_authorization, 0, (int)CYG_N(tokens));
	suite_add_tcase(s, tc);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}

/* Heads: what is read, what it means, and what is written. Refusals have their own test
 * (test_http_refused.c). */
#include "base/mem.h"
#include "http/head.h"
#include "http/text.h"

#include <check.h>
#include <string.h>

#define HOST "Host: hub.test\r\n"

static struct http_head head;
static struct cyg_err err;
static int status;

static long request(const char *text)
{
	return http_head_parse_request(text, strlen(text), &head, &status, &err);
}

static long response(const char *text, enum http_method method)
{
	return http_head_parse_response(text, strlen(text), method, &head, &status, &err);
}

START_TEST(test_request_line_and_fields_are_read)
{
	const char *text = "POST /a%20b/c?x=1&y=2 HTTP/1.1\r\nHost: hub.test:8000\r\n"
			   "X-Thing: \t one  two \t\r\nContent-Length: 12\r\n\r\nbody";

	ck_assert_int_eq(request(text), (long)strlen(text) - 4);
	ck_assert_int_eq(head.method, HTTP_POST);
	ck_assert(cyg_str_eq(head.method_text, "POST"));
	ck_assert(cyg_str_eq(head.target, "/a%20b/c?x=1&y=2"));
	ck_assert(cyg_str_eq(head.path, "/a%20b/c"));
	ck_assert(cyg_str_eq(head.query, "x=1&y=2"));
	ck_assert(cyg_str_eq(head.host, "hub.test:8000"));
	ck_assert(cyg_str_eq(http_head_find(&head, "x-THING")->value, "one  two"));
	ck_assert_int_eq(head.framing, HTTP_BODY_LENGTH);
	ck_assert_uint_eq(head.content_length, 12);
	ck_assert_uint_eq(head.n_fields, 3);
	ck_assert(head.keep_alive && head.minor == 1 && !head.upgrade && !head.expect_continue);
}
END_TEST

START_TEST(test_target_without_query_has_none)
{
	ck_assert_int_gt(request("GET / HTTP/1.1\r\n" HOST "\r\n"), 0);
	ck_assert_ptr_null(head.query.p);
	ck_assert_int_gt(request("GET /? HTTP/1.1\r\n" HOST "\r\n"), 0);
	ck_assert_ptr_nonnull(head.query.p);
	ck_assert_uint_eq(head.query.len, 0);
}
END_TEST

START_TEST(test_every_prefix_of_a_good_head_needs_more)
{
	const char *text = "\r\nGET /a HTTP/1.1\r\n" HOST "X-A: b\r\nX-C:\r\n\r\n";

	for (size_t n = 0; n < strlen(text); n++)
		ck_assert_int_eq(http_head_parse_request(text, n, &head, &status, &err), 0);
	ck_assert_int_eq(request(text), (long)strlen(text));
	ck_assert_uint_eq(http_head_find(&head, "x-c")->value.len, 0);
}
END_TEST

START_TEST(test_keep_alive_follows_version_and_connection)
{
	static const struct {
		const char *text;
		bool keep_alive;
	} cases[] = {
		{ "GET / HTTP/1.1\r\n" HOST "\r\n", true },
		{ "GET / HTTP/1.1\r\n" HOST "Connection: x, Close\r\n\r\n", false },
		{ "GET / HTTP/1.1\r\n" HOST "Connection: x\r\nConnection: close\r\n\r\n", false },
		{ "GET / HTTP/1.0\r\n\r\n", false },
		{ "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true },
		{ "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false },
	};

	for (size_t i = 0; i < CYG_N(cases); i++) {
		ck_assert_int_gt(request(cases[i].text), 0);
		ck_assert_int_eq(head.keep_alive, cases[i].keep_alive);
	}
}
END_TEST

START_TEST(test_upgrade_needs_both_fields_and_version_1_1)
{
	ck_assert_int_gt(
	    request("GET / HTTP/1.1\r\n" HOST "Connection: Upgrade\r\nUpgrade: x\r\n\r\n"), 0);
	ck_assert(head.upgrade);
	ck_assert_int_gt(request("GET / HTTP/1.1\r\n" HOST "Upgrade: x\r\n\r\n"), 0);
	ck_assert(!head.upgrade);
	ck_assert_int_gt(
	    request("GET / HTTP/1.0\r\n" HOST "Connection: Upgrade\r\nUpgrade: x\r\n\r\n"), 0);
	ck_assert(!head.upgrade);
}
END_TEST

START_TEST(test_expect_continue_is_noted_on_1_1_only)
{
	ck_assert_int_gt(
	    request("PUT / HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\n"),
	    0);
	ck_assert(head.expect_continue);
	ck_assert_int_gt(
	    request("PUT / HTTP/1.0\r\n" HOST "Expect: 100-continue\r\nContent-Length: 1\r\n\r\n"),
	    0);
	ck_assert(!head.expect_continue);
}
END_TEST

START_TEST(test_field_names_with_underscore_are_dropped)
{
	ck_assert_int_gt(request("GET / HTTP/1.1\r\n" HOST "X_Cygnet_User: root\r\n\r\n"), 0);
	ck_assert_uint_eq(head.n_fields, 1);
}
END_TEST

START_TEST(test_absolute_target_becomes_origin_form)
{
	ck_assert_int_gt(request("GET HTTP://Hub.Test/a?b HTTP/1.1\r\n" HOST "\r\n"), 0);
	ck_assert(cyg_str_eq(head.target, "/a?b"));
	ck_assert(cyg_str_eq(head.path, "/a"));
	ck_assert(cyg_str_eq(head.host, "hub.test"));
	ck_assert_int_lt(request("GET http://hub.test HTTP/1.1\r\n" HOST "\r\n"), 0);
	ck_assert_int_lt(request("GET http://u@hub.test/ HTTP/1.1\r\n" HOST "\r\n"), 0);
	ck_assert_int_lt(request("GET ftp://hub.test/ HTTP/1.1\r\n" HOST "\r\n"), 0);
}
END_TEST

START_TEST(test_errors_say_why)
{
	ck_assert_int_eq(request("GET / HTTP/1.1\r\n\r\n"), -CYG_EINVAL);
	ck_assert_int_eq(status, 400);
	ck_assert_str_eq(err.msg, "there must be one Host field");
}
END_TEST

START_TEST(test_lists_and_counts_cover_all_lines)
{
	ck_assert_int_gt(request("GET / HTTP/1.1\r\n" HOST
				 "Accept: a/b , c/d\r\nAccept: e/f\r\nConnection: X-Hop\r\n\r\n"),
	    0);
	ck_assert_uint_eq(http_head_count(&head, "accept"), 2);
	ck_assert(http_head_lists(&head, "accept", "C/D"));
	ck_assert(http_head_lists(&head, "accept", "e/f"));
	ck_assert(!http_head_lists(&head, "accept", "e"));
	ck_assert(http_head_is_hop_by_hop(&head, CYG_STR("x-hop")));
	ck_assert(http_head_is_hop_by_hop(&head, CYG_STR("Keep-Alive")));
	ck_assert(http_head_is_hop_by_hop(&head, CYG_STR("TE")));
	ck_assert(!http_head_is_hop_by_hop(&head, CYG_STR("Accept")));
	ck_assert_ptr_null(http_head_find(&head, "x-none"));
}
END_TEST

/* The head of a message, with so many commas in Connection. */
static const char *with_commas(const char *first_line, size_t n)
{
	static struct cyg_buf text;

	cyg_buf_free(&text);
	cyg_buf_init(&text, CYG_HTTP_HEAD_MAX);
	(void)cyg_buf_printf(&text, NULL, "%s\r\n" HOST "Connection: close", first_line);
	while (n-- > 0)
		(void)cyg_buf_add(&text, ",", 1, NULL);
	(void)cyg_buf_add_str(&text, "\r\nX-A: b\r\n\r\n", NULL);
	return text.data;
}

START_TEST(test_what_connection_lists_is_read_once_and_is_little)
{
	ck_assert_int_gt(request(with_commas("GET / HTTP/1.1", CYG_HTTP_CONNECTION_MAX - 1)), 0);
	ck_assert_uint_eq(head.n_connection, CYG_HTTP_CONNECTION_MAX);
	ck_assert_int_eq(
	    request(with_commas("GET / HTTP/1.1", CYG_HTTP_CONNECTION_MAX)), -CYG_EINVAL);
	ck_assert_int_eq(status, 400);
	ck_assert_int_eq(request(with_commas("GET / HTTP/1.1", 14800)), -CYG_EINVAL);
	/* It stopped at the first element that is one too many. */
	ck_assert_uint_eq(head.n_connection, CYG_HTTP_CONNECTION_MAX);
	ck_assert_int_eq(response(with_commas("HTTP/1.1 200 OK", 14800), HTTP_GET), -CYG_EPROTO);
	ck_assert_int_eq(status, 502);
	ck_assert_uint_eq(head.n_connection, CYG_HTTP_CONNECTION_MAX);
}
END_TEST

START_TEST(test_looking_up_a_field_does_not_read_connection_again)
{
	char text[] = "GET / HTTP/1.1\r\n" HOST "Connection: X-Hop\r\nConnection: , x-two\r\n\r\n";

	ck_assert_int_gt(request(text), 0);
	for (size_t i = 0; i < head.n_fields; i++)
		head.fields[i].value = CYG_STR("Accept");
	ck_assert(http_head_is_hop_by_hop(&head, CYG_STR("x-hop")));
	ck_assert(http_head_is_hop_by_hop(&head, CYG_STR("X-Two")));
	ck_assert(!http_head_is_hop_by_hop(&head, CYG_STR("Accept")));
	ck_assert(!http_head_is_hop_by_hop(&head, CYG_STR("x-tw")));
}
END_TEST

START_TEST(test_the_method_is_seen_in_what_is_no_head)
{
	ck_assert_int_eq(http_head_peek_method("HEAD / HTTP/9", 13), HTTP_HEAD);
	ck_assert_int_eq(http_head_peek_method("\r\nHEAD /", 8), HTTP_HEAD);
	ck_assert_int_eq(http_head_peek_method("HEADS /", 7), HTTP_OTHER);
	ck_assert_int_eq(http_head_peek_method("HEA", 3), HTTP_OTHER);
	ck_assert_int_eq(http_head_peek_method("", 0), HTTP_OTHER);
}
END_TEST

START_TEST(test_moved_head_borrows_from_the_copy)
{
	char text[] = "GET /a?b HTTP/1.1\r\n" HOST "Connection: X-Hop\r\nX-A: c\r\n\r\n";
	char copy[sizeof(text)];

	ck_assert_int_gt(request(text), 0);
	memcpy(copy, text, sizeof(text));
	http_head_move(&head, text, copy);
	memset(text, 'z', sizeof(text));
	ck_assert(cyg_str_eq(head.path, "/a") && cyg_str_eq(head.query, "b"));
	ck_assert(cyg_str_eq(head.host, "hub.test"));
	ck_assert(cyg_str_eq(http_head_find(&head, "x-a")->value, "c"));
	ck_assert(http_head_is_hop_by_hop(&head, CYG_STR("x-hop")));
}
END_TEST

START_TEST(test_response_framing_follows_rfc_9112_6_3)
{
	static const struct {
		const char *text;
		enum http_method method;
		enum http_framing framing;
		bool keep_alive;
	} cases[] = {
		{ "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", HTTP_GET, HTTP_BODY_LENGTH,
		    true },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", HTTP_HEAD, HTTP_BODY_NONE, true },
		{ "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_GET, HTTP_BODY_CHUNKED,
		    true },
		{ "HTTP/1.1 200 \r\n\r\n", HTTP_GET, HTTP_BODY_CLOSE, false },
		{ "HTTP/1.1 204 No\r\n\r\n", HTTP_GET, HTTP_BODY_NONE, true },
		{ "HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n", HTTP_GET, HTTP_BODY_NONE, true },
		{ "HTTP/1.1 204 No\r\nContent-Length: 3\r\n\r\n", HTTP_GET, HTTP_BODY_NONE, false },
		{ "HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_GET, HTTP_BODY_NONE,
		    false },
		{ "HTTP/1.1 304 No\r\nContent-Length: 3\r\n\r\n", HTTP_GET, HTTP_BODY_NONE, true },
		{ "HTTP/1.1 100 Continue\r\n\r\n", HTTP_POST, HTTP_BODY_NONE, true },
		{ "HTTP/1.0 200 OK\r\n\r\n", HTTP_GET, HTTP_BODY_CLOSE, false },
		{ "HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", HTTP_GET,
		    HTTP_BODY_NONE, true },
	};

	for (size_t i = 0; i < CYG_N(cases); i++) {
		ck_assert_int_eq(
		    response(cases[i].text, cases[i].method), (long)strlen(cases[i].text));
		ck_assert_int_eq(head.framing, cases[i].framing);
		ck_assert_int_eq(head.keep_alive, cases[i].keep_alive);
	}
}
END_TEST

START_TEST(test_malformed_responses_are_502)
{
	static const char *const cases[] = {
		"HTTP/1.1 20 OK\r\n\r\n",
		"HTTP/1.1 2000 OK\r\n\r\n",
		"HTTP/1.1 099 OK\r\n\r\n",
		"HTTP/1.1 600 OK\r\n\r\n",
		"HTTP/2.0 200 OK\r\n\r\n",
		"HTTP/1.1  200 OK\r\n\r\n",
		"HTTP/1.1 200 O\x01K\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
		"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 200 OK\nX: y\n\n",
		"HTTP/1.1 200 OK\r\n folded: x\r\n\r\n",
		"HTTP/1.1 101 Switching\r\n\r\n",
		"ICY 200 OK\r\n\r\n",
		"\r\nHTTP/1.1 200 OK\r\n\r\n",
	};

	for (size_t i = 0; i < CYG_N(cases); i++) {
		ck_assert_msg(response(cases[i], HTTP_GET) == -CYG_EPROTO, "%s", cases[i]);
		ck_assert_int_eq(status, 502);
	}
}
END_TEST

START_TEST(test_response_values_may_hold_latin_1)
{
	ck_assert_int_gt(response("HTTP/1.1 200 OK\r\nX-A: caf\xe9\r\n\r\n", HTTP_GET), 0);
	ck_assert(cyg_str_eq(http_head_find(&head, "X-A")->value, "caf\xe9"));
}
END_TEST

START_TEST(test_what_is_written_is_checked)
{
	cyg_autobuf struct cyg_buf out;

	cyg_buf_init(&out, 4096);
	ck_assert_int_eq(
	    http_write_request_line(&out, CYG_STR("GET"), CYG_STR("/a b"), &err), -CYG_EINVAL);
	ck_assert_int_eq(
	    http_write_request_line(&out, CYG_STR("G T"), CYG_STR("/a"), &err), -CYG_EINVAL);
	ck_assert_int_eq(http_write_field(&out, CYG_STR("A\r"), CYG_STR("b"), &err), -CYG_EINVAL);
	ck_assert_int_eq(http_write_field(&out, CYG_STR("A:"), CYG_STR("b"), &err), -CYG_EINVAL);
	ck_assert_int_eq(http_write_field(&out, CYG_STR(""), CYG_STR("b"), &err), -CYG_EINVAL);
	ck_assert_int_eq(
	    http_write_field(&out, CYG_STR("A"), CYG_STR("b\r\nC: d"), &err), -CYG_EINVAL);
	ck_assert_int_eq(http_write_field(&out, CYG_STR("A"), CYG_STR("b\0c"), &err), -CYG_EINVAL);
	ck_assert_int_eq(http_write_status_line(&out, 42, &err), -CYG_EINVAL);
	ck_assert_uint_eq(out.len, 0);
}
END_TEST

START_TEST(test_written_heads_have_their_form)
{
	cyg_autobuf struct cyg_buf out;

	cyg_buf_init(&out, 4096);
	ck_assert_int_eq(http_write_request_line(&out, CYG_STR("GET"), CYG_STR("/a?b"), &err), 0);
	ck_assert_int_eq(http_write_field(&out, CYG_STR("A"), CYG_STR("b\tc"), &err), 0);
	ck_assert_int_eq(http_write_end(&out, &err), 0);
	ck_assert_str_eq(out.data, "GET /a?b HTTP/1.1\r\nA: b\tc\r\n\r\n");
	cyg_buf_reset(&out);
	ck_assert_int_eq(http_write_status_line(&out, 404, &err), 0);
	ck_assert_int_eq(http_write_status_line(&out, 299, &err), 0);
	ck_assert_str_eq(out.data, "HTTP/1.1 404 Not Found\r\nHTTP/1.1 299 \r\n");
}
END_TEST

START_TEST(test_full_buffer_takes_no_half_field)
{
	cyg_autobuf struct cyg_buf out;

	cyg_buf_init(&out, 8);
	ck_assert_int_eq(http_write_field(&out, CYG_STR("Abc"), CYG_STR("de"), &err), -CYG_ELIMIT);
	ck_assert_uint_eq(out.len, 0);
}
END_TEST

START_TEST(test_methods_have_names)
{
	for (int m = HTTP_GET; m <= HTTP_OPTIONS; m++)
		ck_assert_int_eq(
		    http_method_of(cyg_str_of(http_method_text((enum http_method)m))), m);
	ck_assert_int_eq(http_method_of(CYG_STR("get")), HTTP_OTHER);
	ck_assert_int_eq(http_method_of(CYG_STR("")), HTTP_OTHER);
}
END_TEST

START_TEST(test_hosts)
{
	static const char *const good[] = { "a", "hub.test", "a_b.test:1", "10.0.0.1:65535",
		"[::1]", "[fe80::1]:80", "hub.test." };
	static const char *const bad[] = { "", ":80", "a:", "a:b", "a:65536", "a:000080", "a b",
		"[::1", "[::1]x", "[]", "[1.2.3.4]", "a@b", "a/b", "a%41", "caf\xe9", "a,b",
		"a:1:2" };

	for (size_t i = 0; i < CYG_N(good); i++)
		ck_assert_msg(http_host_is_ok(cyg_str_of(good[i])), "%s", good[i]);
	for (size_t i = 0; i < CYG_N(bad); i++)
		ck_assert_msg(!http_host_is_ok(cyg_str_of(bad[i])), "%s", bad[i]);
}
END_TEST

int main(void)
{
	SRunner *runner;
	Suite *suite = suite_create("http_head");
	TCase *tc = tcase_create("head");
	int failed;

	tcase_add_test(tc, test_request_line_and_fields_are_read);
	tcase_add_test(tc, test_target_without_query_has_none);
	tcase_add_test(tc, test_every_prefix_of_a_good_head_needs_more);
	tcase_add_test(tc, test_keep_alive_follows_version_and_connection);
	tcase_add_test(tc, test_upgrade_needs_both_fields_and_version_1_1);
	tcase_add_test(tc, test_expect_continue_is_noted_on_1_1_only);
	tcase_add_test(tc, test_field_names_with_underscore_are_dropped);
	tcase_add_test(tc, test_absolute_target_becomes_origin_form);
	tcase_add_test(tc, test_errors_say_why);
	tcase_add_test(tc, test_lists_and_counts_cover_all_lines);
	tcase_add_test(tc, test_what_connection_lists_is_read_once_and_is_little);
	tcase_add_test(tc, test_looking_up_a_field_does_not_read_connection_again);
	tcase_add_test(tc, test_the_method_is_seen_in_what_is_no_head);
	tcase_add_test(tc, test_moved_head_borrows_from_the_copy);
	tcase_add_test(tc, test_response_framing_follows_rfc_9112_6_3);
	tcase_add_test(tc, test_malformed_responses_are_502);
	tcase_add_test(tc, test_response_values_may_hold_latin_1);
	tcase_add_test(tc, test_what_is_written_is_checked);
	tcase_add_test(tc, test_written_heads_have_their_form);
	tcase_add_test(tc, test_full_buffer_takes_no_half_field);
	tcase_add_test(tc, test_methods_have_names);
	tcase_add_test(tc, test_hosts);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}

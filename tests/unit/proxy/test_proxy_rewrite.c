/* Heads on their way through the proxy, and its own pages: what stays, what goes, what is added. */
#include "base/enc.h"
#include "base/mem.h"
#include "proxy/page.h"
#include "proxy/rewrite.h"

#include <check.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

static struct http_head head;
static struct route session_route = {
	.auth = ROUTE_SESSION, .target = "unix:/a", .owner = "alice", .name = "", .server = "a1"
};
static struct route open_route = {
	.auth = ROUTE_NONE, .target = "unix:/hub", .owner = "", .name = "", .server = ""
};
static struct cred alice = { .user = "alice", .host = "", .server = "" };
static struct cred agent = { .user = "alice", .host = "", .server = "a1" };

/* The head that the target gets for the request's fields. */
static const char *forward(
    const char *request, enum edge_listener kind, const struct edge_decision *edge)
{
	static struct cyg_buf out;
	struct rewrite_request in = {
		.head = &head, .edge = edge, .kind = kind, .scheme = "http", .ip = "9.9.9.9"
	};
	struct cyg_err err = { 0 };
	int status;

	cyg_buf_free(&out);
	cyg_buf_init(&out, 64 * 1024);
	ck_assert_msg(http_head_parse_request(request, strlen(request), &head, &status, &err) > 0,
	    "%s", err.msg);
	ck_assert_msg(rewrite_request(&in, &out, &err) == 0, "%s", err.msg);
	return out.data;
}

START_TEST(test_a_users_server_gets_no_credential_and_a_name)
{
	struct edge_decision edge = { .route = &session_route, .cred = &alice, .by_token = true };

	ck_assert_str_eq(
	    forward(
		"GET /user/alice/a%20b?c HTTP/1.1\r\nHost: h:1\r\nAuthorization: token x\r\n"
		"Cookie: a=1; __Host-cygnet=s; __Host-cygnet-attempt=t; b=2\r\nX-Cygnet-User: root\r\n"
		"X-Forwarded-For: 1.1.1.1\r\nAccept: x\r\n\r\n",
		LISTENER_PUBLIC, &edge),
	    "GET /user/alice/a%20b?c HTTP/1.1\r\nHost: h:1\r\nAccept: x\r\nCookie: a=1; b=2\r\n"
	    "X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: h:1\r\n"
	    "X-Cygnet-User: alice\r\n\r\n");
}
END_TEST

START_TEST(test_a_servers_own_authorization_passes_beside_our_cookie)
{
	struct edge_decision edge = { .route = &session_route, .cred = &alice, .by_token = false };

	ck_assert_ptr_nonnull(
	    strstr(forward("GET /user/alice/ HTTP/1.1\r\nHost: h\r\nAuthorization: Basic eA==\r\n"
			   "Cookie: __Host-cygnet=s\r\n\r\n",
		       LISTENER_PUBLIC, &edge),
		"Authorization: Basic eA==\r\n"));
	ck_assert_ptr_null(strstr(
	    forward("GET /user/alice/ HTTP/1.1\r\nHost: h\r\nCookie: __Host-cygnet=s\r\n\r\n",
		LISTENER_PUBLIC, &edge),
	    "Cookie"));
}
END_TEST

START_TEST(test_a_server_that_anybody_may_reach_gets_no_cookie_of_ours_either)
{
	struct route shown = open_route;
	struct edge_decision edge = { .route = &shown };

	shown.server = "a1";
	ck_assert_ptr_nonnull(strstr(forward("GET /user/alice/ HTTP/1.1\r\nHost: h\r\n"
					     "Cookie: a=1; __Host-cygnet=s\r\n\r\n",
					 LISTENER_PUBLIC, &edge),
	    "\r\nCookie: a=1\r\n"));
}
END_TEST

START_TEST(test_nobody_can_say_who_is_asking)
{
	struct edge_decision edge = { .route = &open_route };

	ck_assert_str_eq(
	    forward("GET / HTTP/1.1\r\nHost: h\r\nRemote-User: root\r\nRemote-Groups: root\r\n"
		    "X-Real-IP: 1\r\nX-Remote-User: root\r\nX-Auth-Request-User: root\r\n"
		    "X-Authenticated-User: root\r\nX-Cluster-Client-IP: 1\r\nX-Scheme: https\r\n"
		    "Forwarded: for=1\r\nTrue-Client-IP: 1\r\nX-Client-IP: 1\r\n\r\n",
		LISTENER_PUBLIC, &edge),
	    "GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: http\r\n"
	    "X-Forwarded-Host: h\r\n\r\n");
}
END_TEST

START_TEST(test_the_hub_gets_cookies_and_tokens_as_they_came)
{
	struct edge_decision edge = { .route = &open_route };

	ck_assert_str_eq(
	    forward(
		"POST /hub/ HTTP/1.1\r\nHost: h\r\nCookie: __Host-cygnet=s;b=2\r\nCookie: c=3\r\n"
		"Authorization: token x\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n",
		LISTENER_PUBLIC, &edge),
	    "POST /hub/ HTTP/1.1\r\nHost: h\r\nAuthorization: token x\r\nCookie: __Host-cygnet=s; b=2; c=3\r\n"
	    "X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: h\r\n"
	    "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n");
}
END_TEST

START_TEST(test_the_inner_door_names_the_server_and_passes_no_cookie)
{
	struct edge_decision edge = { .route = &open_route, .cred = &agent, .by_token = true };

	ck_assert_str_eq(
	    forward(
		"POST /hub/api/x HTTP/1.1\r\nHost: h\r\nCookie: a=1\r\nAuthorization: token x\r\n"
		"X-Cygnet-Server: b2\r\nContent-Length: 0\r\n\r\n",
		LISTENER_INNER, &edge),
	    "POST /hub/api/x HTTP/1.1\r\nHost: h\r\nAuthorization: token x\r\nX-Forwarded-For: 9.9.9.9\r\n"
	    "X-Forwarded-Proto: http\r\nX-Forwarded-Host: h\r\nX-Cygnet-User: alice\r\nX-Cygnet-Server: a1\r\n"
	    "Content-Length: 0\r\n\r\n");
}
END_TEST

START_TEST(test_an_upgrade_is_passed_only_when_it_was_allowed)
{
	static const char request[] =
	    "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, X-Hop\r\nX-Hop: 1\r\n"
	    "Upgrade: websocket, h2c\r\n\r\n";
	struct edge_decision edge = { .route = &open_route };

	ck_assert_ptr_null(strstr(forward(request, LISTENER_PUBLIC, &edge), "pgrade"));
	edge.upgrade = true;
	ck_assert_ptr_nonnull(strstr(forward(request, LISTENER_PUBLIC, &edge),
	    "Connection: Upgrade\r\nUpgrade: websocket\r\n"));
	ck_assert_ptr_null(strstr(forward(request, LISTENER_PUBLIC, &edge), "Hop"));
}
END_TEST

/* The head that the client gets for the target's. */
static const char *answer(const char *text, struct rewrite_response in)
{
	static struct cyg_buf out;
	struct cyg_err err = { 0 };
	int status;

	cyg_buf_free(&out);
	cyg_buf_init(&out, 64 * 1024);
	ck_assert_msg(
	    http_head_parse_response(text, strlen(text), in.method, &head, &status, &err) > 0, "%s",
	    err.msg);
	in.head = &head;
	in.framing = rewrite_framing(&head, in.client_minor);
	ck_assert_msg(rewrite_response(&in, &out, &err) == 0, "%s", err.msg);
	return out.data;
}

START_TEST(test_answers_are_framed_for_the_client)
{
	static const struct {
		const char *text;
		struct rewrite_response in;
		const char *want;
	} rows[] = {
		{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
		    { .method = HTTP_GET, .client_minor = 1, .keep = true },
		    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		    { .method = HTTP_GET, .client_minor = 1, .keep = true },
		    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" },
		{ "HTTP/1.1 200 OK\r\n\r\n",
		    { .method = HTTP_GET, .client_minor = 1, .keep = true },
		    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		    { .method = HTTP_GET, .client_minor = 0 },
		    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
		    { .method = HTTP_HEAD, .client_minor = 1, .keep = true },
		    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" },
		{ "HTTP/1.1 304 x\r\nContent-Length: 5\r\n\r\n",
		    { .method = HTTP_GET, .client_minor = 1, .keep = true },
		    "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n" },
		{ "HTTP/1.1 204 x\r\nContent-Length: 5\r\n\r\n",
		    { .method = HTTP_HEAD, .client_minor = 1, .keep = true },
		    "HTTP/1.1 204 No Content\r\n\r\n" },
		{ "HTTP/1.1 204 x\r\n\r\n", { .method = HTTP_GET, .client_minor = 0, .keep = true },
		    "HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\n" },
	};

	for (size_t i = 0; i < CYG_N(rows); i++)
		ck_assert_str_eq(answer(rows[i].text, rows[i].in), rows[i].want);
}
END_TEST

START_TEST(test_a_users_server_cannot_act_for_the_origin)
{
	static const char text[] =
	    "HTTP/1.1 200 OK\r\nSet-Cookie: __Host-cygnet=x\r\nset-cookie: __HOST-CYGNETx=1\r\n"
	    "Set-Cookie: =__Host-cygnet=x\r\nSet-Cookie: =\t = __Host-cygnet\r\nSet-Cookie: _xsrf=1\r\nService-Worker-Allowed: /\r\nClear-Site-Data: *\r\n"
	    "X-Cygnet-User: root\r\nContent-Length: 0\r\n\r\n";
	struct rewrite_response in = { .method = HTTP_GET, .client_minor = 1, .keep = true };

	ck_assert_ptr_nonnull(strstr(answer(text, in), "Set-Cookie: __Host-cygnet=x\r\n"));
	in.from_server = true;
	ck_assert_str_eq(answer(text, in),
	    "HTTP/1.1 200 OK\r\nSet-Cookie: _xsrf=1\r\nContent-Length: 0\r\n\r\n");
}
END_TEST

START_TEST(test_nor_can_it_by_an_interim_answer)
{
	static const char text[] =
	    "HTTP/1.1 103 Early Hints\r\nSet-Cookie: __Host-cygnet=x\r\nLink: </a>\r\n"
	    "Service-Worker-Allowed: /\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\r\n";
	struct rewrite_response in = { .head = &head, .from_server = true };
	cyg_autobuf struct cyg_buf out;
	struct cyg_err err = { 0 };
	int status;

	cyg_buf_init(&out, 4096);
	ck_assert_int_gt(
	    http_head_parse_response(text, strlen(text), HTTP_GET, &head, &status, &err), 0);
	ck_assert_int_eq(rewrite_interim(&in, &out, &err), 0);
	ck_assert_str_eq(out.data, "HTTP/1.1 103 \r\nLink: </a>\r\n\r\n");
}
END_TEST

START_TEST(test_the_pages_style_is_the_one_its_policy_allows)
{
	struct page page = { .status = 404,
		.message = "m",
		.location = CYG_STR(""),
		.html = true,
		.client_minor = 1 };
	cyg_autobuf struct cyg_buf out, hash;
	uint8_t sum[EVP_MAX_MD_SIZE];
	unsigned len;
	const char *from;
	const char *to;
	char want[128];

	cyg_buf_init(&out, 16 * 1024);
	cyg_buf_init(&hash, 256);
	ck_assert_int_eq(page_write(&page, &out, NULL), 0);
	from = strstr(out.data, "<style>") + strlen("<style>");
	to = strstr(from, "</style>");
	ck_assert_int_eq(EVP_Digest(from, (size_t)(to - from), sum, &len, EVP_sha256(), NULL), 1);
	ck_assert_int_eq(cyg_base64_write(&hash, sum, len, NULL), 0);
	ck_assert_int_lt(snprintf(want, sizeof(want), "'sha256-%s'", hash.data), (int)sizeof(want));
	ck_assert_msg(strstr(out.data, want) != NULL, "the style's hash is now %s", hash.data);
	ck_assert_ptr_null(strstr(out.data, "<script"));
}
END_TEST

START_TEST(test_own_answers_are_whole_messages)
{
	static const int statuses[] = { 302, 400, 403, 404, 408, 417, 421, 426, 431, 501, 502, 503,
		504, 505 };

	for (size_t i = 0; i < 4 * CYG_N(statuses); i++) {
		struct page page = { .status = statuses[i / 4],
			.message = "what to do next",
			.location = CYG_STR("/x"),
			.html = (i & 1) != 0,
			.head_only = (i & 2) != 0,
			.keep = true,
			.client_minor = 1 };
		enum http_method method = page.head_only ? HTTP_HEAD : HTTP_GET;
		cyg_autobuf struct cyg_buf out;
		struct cyg_err err = { 0 };
		int status;
		long n;

		cyg_buf_init(&out, 16 * 1024);
		ck_assert_int_eq(page_write(&page, &out, &err), 0);
		n = http_head_parse_response(out.data, out.len, method, &head, &status, &err);
		ck_assert_msg(n > 0, "%d: %s", page.status, err.msg);
		ck_assert_int_eq(head.status, page.status);
		ck_assert(head.keep_alive);
		ck_assert_uint_eq(out.len - (size_t)n, page.head_only ? 0 : head.content_length);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("proxy rewrite");
	TCase *tc = tcase_create("rewrite");
	SRunner *runner;
	int failed;

	tcase_add_test(tc, test_a_users_server_gets_no_credential_and_a_name);
	tcase_add_test(tc, test_a_servers_own_authorization_passes_beside_our_cookie);
	tcase_add_test(tc, test_a_server_that_anybody_may_reach_gets_no_cookie_of_ours_either);
	tcase_add_test(tc, test_nobody_can_say_who_is_asking);
	tcase_add_test(tc, test_the_hub_gets_cookies_and_tokens_as_they_came);
	tcase_add_test(tc, test_the_inner_door_names_the_server_and_passes_no_cookie);
	tcase_add_test(tc, test_an_upgrade_is_passed_only_when_it_was_allowed);
	tcase_add_test(tc, test_answers_are_framed_for_the_client);
	tcase_add_test(tc, test_a_users_server_cannot_act_for_the_origin);
	tcase_add_test(tc, test_nor_can_it_by_an_interim_answer);
	tcase_add_test(tc, test_the_pages_style_is_the_one_its_policy_allows);
	tcase_add_test(tc, test_own_answers_are_whole_messages);
	suite_add_tcase(s, tc);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}

/* The server's conduct: endpoints, keep-alive, order, bodies, refusals. Later responses, clients
 * that go and deadlines are in test_http_later.c; streams, files and WebSockets in
 * test_http_flow.c. */
#include "base/mem.h"
#include "tests/unit/http/http_rig.h"

#include <check.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define GET(path)  "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST(body) "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " body

static struct rig rig;
static struct cyg_buf answer;
static struct cyg_err err;

static void set_up(void)
{
	rig_start(&rig, NULL);
	cyg_buf_init(&answer, 1 << 22);
}

static void tear_down(void)
{
	rig_stop(&rig);
	cyg_buf_free(&answer);
}

static bool exchange(const char *text)
{
	cyg_buf_reset(&answer);
	return rig_exchange(&rig, cyg_str_of(text), &answer);
}

/* ---- the table ---- */

static void nothing(struct http_req *req)
{
	(void)req;
}

static const struct http_endpoint rows[] = {
	{ HTTP_GET, "/", "s", nothing, 0 },
	{ HTTP_GET, "/k", "s", nothing, 1 },
	{ HTTP_POST, "/k", "s", nothing, 2 },
	{ HTTP_GET, "/k/{id}", "s", nothing, 3 },
	{ HTTP_POST, "/k/start", "s", nothing, 4 },
	{ HTTP_GET, "/k/{id}/{what}", "s", nothing, 5 },
	{ HTTP_GET, "/f/{rest...}", "s", nothing, 6 },
	{ HTTP_GET, "/f/x/y", "s", nothing, 7 },
	{ HTTP_GET, "/lab/", "s", nothing, 8 },
	{ .path = NULL },
};

START_TEST(test_paths_find_their_row)
{
	static const struct {
		enum http_method method;
		const char *path;
		size_t row; /* 99: none */
		const char *first, *second;
	} cases[] = {
		{ HTTP_GET, "/", 0, NULL, NULL },
		{ HTTP_GET, "/k", 1, NULL, NULL },
		{ HTTP_HEAD, "/k", 1, NULL, NULL },
		{ HTTP_POST, "/k", 2, NULL, NULL },
		{ HTTP_GET, "/k/a b", 3, "a b", NULL },
		{ HTTP_GET, "/k/start", 3, "start", NULL },
		{ HTTP_POST, "/k/start", 4, NULL, NULL },
		{ HTTP_GET, "/k/1/stop", 5, "1", "stop" },
		{ HTTP_GET, "/f", 6, "", NULL },
		{ HTTP_GET, "/f/", 6, "", NULL },
		{ HTTP_GET, "/f/a/b/", 6, "a/b/", NULL },
		{ HTTP_GET, "/f/x/y", 7, NULL, NULL },
		{ HTTP_GET, "/f/x/z", 6, "x/z", NULL },
		{ HTTP_GET, "/lab/", 8, NULL, NULL },
		{ HTTP_GET, "/lab", 99, NULL, NULL },
		{ HTTP_GET, "/k/", 99, NULL, NULL },
		{ HTTP_GET, "/k/1/", 99, NULL, NULL },
		{ HTTP_GET, "/kk", 99, NULL, NULL },
		{ HTTP_DELETE, "/k", 99, NULL, NULL },
		{ HTTP_GET, "", 99, NULL, NULL },
	};
	const struct http_mount mount = { .prefix = "", .endpoints = rows };
	struct endpoint_tree *tree = endpoint_tree_new();

	ck_assert_int_eq(endpoint_tree_add(tree, &mount, &err), 0);
	for (size_t i = 0; i < CYG_N(cases); i++) {
		struct cyg_str params[HTTP_PARAMS_MAX] = { { NULL, 0 } };
		unsigned allowed;
		const struct http_endpoint *row = endpoint_find(
		    tree, cases[i].method, cyg_str_of(cases[i].path), params, &allowed)
						      .row;

		ck_assert_msg(
		    row == (cases[i].row == 99 ? NULL : &rows[cases[i].row]), "%s", cases[i].path);
		ck_assert(cases[i].first == NULL || cyg_str_eq(params[0], cases[i].first));
		ck_assert(cases[i].second == NULL || cyg_str_eq(params[1], cases[i].second));
	}
	endpoint_tree_free(tree);
}
END_TEST

START_TEST(test_allowed_methods_are_known)
{
	struct cyg_str params[HTTP_PARAMS_MAX];
	const struct http_mount mount = { .prefix = "", .endpoints = rows };
	struct endpoint_tree *tree = endpoint_tree_new();
	unsigned allowed;

	ck_assert_int_eq(endpoint_tree_add(tree, &mount, &err), 0);
	ck_assert_ptr_null(
	    endpoint_find(tree, HTTP_DELETE, CYG_STR("/k/start"), params, &allowed).row);
	ck_assert_uint_eq(allowed, 1U << HTTP_GET | 1U << HTTP_HEAD | 1U << HTTP_POST);
	ck_assert_ptr_null(endpoint_find(tree, HTTP_GET, CYG_STR("/none"), params, &allowed).row);
	ck_assert_uint_eq(allowed, 0);
	endpoint_tree_free(tree);
}
END_TEST

START_TEST(test_bad_tables_do_not_start)
{
	static const struct http_endpoint tables[][3] = {
		{ { HTTP_GET, "/", NULL, nothing, 0 } },
		{ { HTTP_GET, "/", "", nothing, 0 } },
		{ { HTTP_GET, "/", "s", NULL, 0 } },
		{ { HTTP_OTHER, "/", "s", nothing, 0 } },
		{ { HTTP_GET, "a", "s", nothing, 0 } },
		{ { HTTP_GET, "/{a", "s", nothing, 0 } },
		{ { HTTP_GET, "/{a...}/b", "s", nothing, 0 } },
		{ { HTTP_GET, "/{a}/{b}/{c}/{d}/{e}/{f}/{g}", "s", nothing, 0 } },
		{ { HTTP_GET, "/{a}", "s", nothing, 0 }, { HTTP_GET, "/{b}", "s", nothing, 0 } },
	};
	struct http_mount mounts[] = { { .prefix = "" }, { .endpoints = NULL } };
	const struct http_server_opts opts = { .mounts = mounts };
	struct http_server *server;

	for (size_t i = 0; i < CYG_N(tables); i++) {
		mounts[0].endpoints = tables[i];
		ck_assert_int_eq(http_server_new(&rig.loop, &opts, &server, &err), -CYG_EINVAL);
	}
	ck_assert_ptr_nonnull(strstr(err.msg, "endpoint"));
}
END_TEST

/* ---- whole responses ---- */

START_TEST(test_an_answer_has_its_head_and_body)
{
	ck_assert(!exchange(GET("/")));
	ck_assert(cyg_str_starts(cyg_buf_str(&answer), "HTTP/1.1 200 OK\r\nDate: "));
	ck_assert_ptr_nonnull(strstr(answer.data, "\r\nContent-Length: 2\r\n"));
	ck_assert_ptr_nonnull(strstr(answer.data, "\r\nContent-Type: text/plain\r\n"));
	ck_assert_ptr_null(strstr(answer.data, "Connection"));
	ck_assert(cyg_str_ends(cyg_buf_str(&answer), "\r\n\r\nok"));
}
END_TEST

START_TEST(test_head_gets_the_head_alone)
{
	ck_assert(!exchange("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"));
	ck_assert_ptr_nonnull(strstr(answer.data, "\r\nContent-Length: 2\r\n"));
	ck_assert(cyg_str_ends(cyg_buf_str(&answer), "\r\n\r\n"));
}
END_TEST

START_TEST(test_unknown_paths_and_methods)
{
	ck_assert(!exchange(GET("/none")));
	ck_assert_ptr_nonnull(strstr(answer.data, "{\"status\": 404, \"message\": \"not found\"}"));
	ck_assert(!exchange("DELETE / HTTP/1.1\r\nHost: a\r\n\r\n"));
	ck_assert_ptr_nonnull(strstr(answer.data, "HTTP/1.1 405 "));
	ck_assert_ptr_nonnull(strstr(answer.data, "\r\nAllow: GET, HEAD, POST, PUT\r\n"));
	ck_assert_uint_eq(rig.handled, 0);
}
END_TEST

START_TEST(test_old_clients_get_their_connection_closed)
{
	ck_assert(exchange("GET / HTTP/1.0\r\n\r\n"));
	ck_assert_ptr_nonnull(strstr(answer.data, "\r\nConnection: close\r\n"));
	ck_assert(!exchange("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
	ck_assert_ptr_nonnull(strstr(answer.data, "\r\nConnection: keep-alive\r\n"));
	ck_assert(exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
	ck_assert_ptr_nonnull(strstr(answer.data, "\r\nConnection: close\r\n"));
}
END_TEST

START_TEST(test_pipelined_requests_are_answered_in_order)
{
	cyg_autobuf struct cyg_buf text;
	const char *at;

	cyg_buf_init(&text, 1 << 20);
	for (int i = 0; i < 500; i++)
		(void)cyg_buf_printf(&text, NULL, POST("5\r\n\r\n%05d"), i);
	(void)rig_exchange(&rig, cyg_buf_str(&text), &answer);
	ck_assert_uint_eq(rig.handled, 500);
	at = answer.data;
	for (int i = 0; i < 500; i++) {
		char want[16];

		(void)snprintf(want, sizeof(want), "\r\n\r\n%05d", i);
		at = strstr(at, want);
		ck_assert_msg(at != NULL, "answer %d", i);
	}
}
END_TEST

START_TEST(test_half_closed_pipeline_is_answered)
{
	int fd = rig_connect(&rig);

	ck_assert_int_gt(send(fd, GET("/") GET("/") GET("/"), 3 * strlen(GET("/")), 0), 0);
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	ck_assert(rig_receive(&rig, fd, &answer));
	ck_assert_uint_eq(rig.handled, 3);
	cyg_close(fd);
}
END_TEST

/* ---- bodies ---- */

START_TEST(test_bodies_up_to_the_limit_are_gathered)
{
	cyg_autobuf struct cyg_buf text;
	char *room;

	cyg_buf_init(&text, 1 << 20);
	(void)cyg_buf_add_str(&text, POST("65536\r\n\r\n"), NULL);
	ck_assert_int_eq(cyg_buf_reserve(&text, 65536, &room, NULL), 0);
	memset(room, 'x', 65536);
	cyg_buf_commit(&text, 65536);
	ck_assert(!rig_exchange(&rig, cyg_buf_str(&text), &answer));
	ck_assert_str_eq(rig.log.data, "POST / 65536\n");
	ck_assert_uint_gt(answer.len, 65536);
}
END_TEST

START_TEST(test_larger_bodies_are_refused_before_they_come)
{
	ck_assert(exchange(POST("65537\r\nExpect: 100-continue\r\n\r\n")));
	ck_assert(cyg_str_starts(cyg_buf_str(&answer), "HTTP/1.1 413 "));
	ck_assert_uint_eq(rig.handled, 0);
}
END_TEST

START_TEST(test_a_refused_upload_reads_its_answer)
{
	static char megabytes[8 << 20];
	int fd = rig_connect(&rig);

	rig_send(&rig, fd, CYG_STR(POST("8388608\r\n\r\n")), SIZE_MAX);
	rig_send(&rig, fd, (struct cyg_str){ megabytes, sizeof(megabytes) }, 1 << 20);
	ck_assert(rig_receive(&rig, fd, &answer));
	ck_assert(cyg_str_starts(cyg_buf_str(&answer), "HTTP/1.1 413 "));
	ck_assert_uint_eq(http_server_connections(rig.server), 1);
	cyg_close(fd);
	while (http_server_connections(rig.server) > 0)
		(void)uv_run(&rig.loop, UV_RUN_ONCE);
}
END_TEST

START_TEST(test_continue_is_sent_once_the_body_is_wanted)
{
	int fd = rig_connect(&rig);

	rig_send(&rig, fd, CYG_STR(POST("5\r\nExpect: 100-continue\r\n\r\n")), SIZE_MAX);
	ck_assert(!rig_receive(&rig, fd, &answer));
	ck_assert_str_eq(answer.data, "HTTP/1.1 100 Continue\r\n\r\n");
	rig_send(&rig, fd, CYG_STR("hello"), SIZE_MAX);
	ck_assert(!rig_receive(&rig, fd, &answer));
	ck_assert_ptr_nonnull(strstr(answer.data, "HTTP/1.1 200 OK"));
	cyg_close(fd);
}
END_TEST

/* ---- authorize, base, not_found ---- */

static bool refuse_posts(struct http_req *req, const struct http_endpoint *endpoint)
{
	ck_assert_str_eq(endpoint->scope, "any");
	if (req->method != HTTP_POST)
		return true;
	http_reply_error(req, 403, "no \"posts\"\n");
	return false;
}

static const struct http_endpoint small[] = {
	{ HTTP_GET, "/x/{a}/{b...}", "any", rig_handle, 0 },
	{ HTTP_POST, "/x", "any", rig_handle, 0 },
	{ .path = NULL },
};

static void own_not_found(struct http_req *req)
{
	ck_assert_ptr_null(req->endpoint);
	http_reply(req, 404, "text/html", CYG_STR("<p>none</p>"));
}

START_TEST(test_refused_requests_do_not_reach_the_handler)
{
	static const struct http_endpoint none[] = { { .path = NULL } };
	const struct http_mount mounts[] = { { "/user/alice", small, NULL, own_not_found },
		{ "", none, NULL, own_not_found }, { .endpoints = NULL } };
	struct http_server_opts opts = {
		.mounts = mounts, .authorize = refuse_posts, .product = "cygnet"
	};

	rig_stop(&rig);
	rig_start(&rig, &opts);
	ck_assert(!exchange("POST /user/alice/x HTTP/1.1\r\nHost: a\r\n\r\n"));
	ck_assert_ptr_nonnull(
	    strstr(answer.data, "{\"status\": 403, \"message\": \"no \\\"posts\\\"\\u000a\"}"));
	ck_assert_ptr_nonnull(strstr(answer.data, "\r\nServer: cygnet\r\n"));
	ck_assert(exchange("POST /user/alice/x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
			   "Expect: 100-continue\r\n\r\n"));
	ck_assert(cyg_str_starts(cyg_buf_str(&answer), "HTTP/1.1 403 "));
	ck_assert_uint_eq(rig.handled, 0);
	ck_assert(!exchange(GET("/user/alice/x/1%202/3/4")));
	ck_assert_str_eq(rig.log.data, "GET /user/alice/x/1 2/3/4 0\n");
	ck_assert(!exchange(GET("/user/alicex/1/2")));
	ck_assert_ptr_nonnull(strstr(answer.data, "<p>none</p>"));
	ck_assert(!exchange(GET("/user/alice")));
	ck_assert_ptr_nonnull(strstr(answer.data, "<p>none</p>"));
}
END_TEST

/* ---- our mistakes ---- */

static void answer_badly(struct http_req *req)
{
	http_reply_field(req, "X-A", "b\r\nX-C: d");
}

static void frame_by_hand(struct http_req *req)
{
	http_reply_field(req, "Content-Length", "5");
}

static void answer_twice(struct http_req *req)
{
	http_reply(req, 200, NULL, CYG_STR(""));
	http_reply(req, 200, NULL, CYG_STR(""));
}

static const struct http_endpoint mistakes[] = {
	{ HTTP_GET, "/value", "any", answer_badly, 0 },
	{ HTTP_GET, "/length", "any", frame_by_hand, 0 },
	{ HTTP_GET, "/twice", "any", answer_twice, 0 },
	{ .path = NULL },
};

START_TEST(test_our_mistakes_end_the_process)
{
	static const char *const requests[] = { GET("/value"), GET("/length"), GET("/twice") };
	const struct http_mount mounts[] = { { .prefix = "", .endpoints = mistakes },
		{ .endpoints = NULL } };
	struct http_server_opts opts = { .mounts = mounts };
	pid_t child;
	int status;

	rig_stop(&rig);
	/* A process of its own: all tests share one. */
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		rig_start(&rig, &opts);
		(void)exchange(requests[_i]);
		_exit(0);
	}
	rig_start(&rig, &opts);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}
END_TEST

static Suite *suite_of_server(void)
{
	Suite *suite = suite_create("http_server");
	TCase *tc = tcase_create("answers");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, test_paths_find_their_row);
	tcase_add_test(tc, test_allowed_methods_are_known);
	tcase_add_test(tc, test_bad_tables_do_not_start);
	tcase_add_test(tc, test_an_answer_has_its_head_and_body);
	tcase_add_test(tc, test_head_gets_the_head_alone);
	tcase_add_test(tc, test_unknown_paths_and_methods);
	tcase_add_test(tc, test_old_clients_get_their_connection_closed);
	tcase_add_test(tc, test_pipelined_requests_are_answered_in_order);
	tcase_add_test(tc, test_half_closed_pipeline_is_answered);
	tcase_add_test(tc, test_bodies_up_to_the_limit_are_gathered);
	tcase_add_test(tc, test_larger_bodies_are_refused_before_they_come);
	tcase_add_test(tc, test_a_refused_upload_reads_its_answer);
	tcase_add_test(tc, test_continue_is_sent_once_the_body_is_wanted);
	tcase_add_test(tc, test_refused_requests_do_not_reach_the_handler);
	tcase_add_loop_test(tc, test_our_mistakes_end_the_process, 0, 3);
	suite_add_tcase(suite, tc);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(suite_of_server());
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}

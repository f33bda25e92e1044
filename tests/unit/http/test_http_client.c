/* The client, against our own server on a Unix socket and against peers that misbehave. */
#include "base/clock.h"
#include "base/mem.h"
#include "daemon/unixsock.h"
#include "http/client.h"
#include "tests/unit/http/http_rig.h"

#include <check.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum { LARGE = 50 * 1000 * 1000, PATIENCE_MS = 50 * 1000 };

static struct rig rig;
static char path[100];
static char *large;

/* What a call came to. */
struct outcome {
	unsigned calls;
	int status;
	enum cyg_code code;
	struct cyg_buf body;
	char msg[CYG_ERR_MSG];
};

static void on_done(void *arg, const struct http_result *result)
{
	struct outcome *o = arg;

	o->calls++;
	o->status = result->status;
	o->code = result->err.code;
	(void)cyg_str_copy(o->msg, sizeof(o->msg), cyg_str_of(result->err.msg));
	cyg_buf_reset(&o->body);
	(void)cyg_buf_add(&o->body, result->body.p, result->body.len, NULL);
}

static void on_gone(struct http_req *req)
{
	ck_assert_ptr_nonnull(req->head);
}

static void hold(struct http_req *req)
{
	req->on_abort = on_gone;
}

static void get_large(struct http_req *req)
{
	http_reply(req, 200, "text/plain", (struct cyg_str){ large, LARGE });
}

static void show_head(struct http_req *req)
{
	const struct http_field *auth = http_head_find(req->head, "authorization");
	const struct http_field *type = http_head_find(req->head, "content-type");
	char *text = cyg_arena_printf(req->arena, "%.*s|%.*s|%.*s", CYG_STR_ARGS(req->head->host),
	    CYG_STR_ARGS(auth->value), CYG_STR_ARGS(type->value));

	http_reply(req, 200, "text/plain", cyg_str_of(text));
}

static const struct http_endpoint rows[] = {
	{ HTTP_GET, "/", "any", rig_handle, 0 },
	{ HTTP_POST, "/", "any", rig_handle, LARGE },
	{ HTTP_POST, "/small", "any", rig_handle, 1 },
	{ HTTP_PUT, "/head", "any", show_head, 0 },
	{ HTTP_GET, "/hold", "any", hold, 0 },
	{ HTTP_GET, "/large", "any", get_large, 0 },
	{ .path = NULL },
};

static void set_up(void)
{
	const struct http_mount mounts[] = { { .prefix = "", .endpoints = rows },
		{ .endpoints = NULL } };
	struct http_server_opts opts = { .mounts = mounts };
	const char *tmp = getenv("TMPDIR");
	int fd;

	rig_start(&rig, &opts);
	(void)snprintf(
	    path, sizeof(path), "%s/http_client.%d", tmp != NULL ? tmp : "/tmp", getpid());
	fd = unixsock_listen(path, SOCK_STREAM, 0600, (gid_t)-1, NULL);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(http_server_listen(rig.server, fd, NULL), 0);
}

static void tear_down(void)
{
	rig_stop(&rig);
	(void)unlink(path);
	free(large);
	large = NULL;
}

static struct http_call_spec spec_of(const char *method, const char *target)
{
	return (struct http_call_spec){ .socket_path = path,
		.method = method,
		.target = target,
		.host = "hub.test",
		.timeout_ms = PATIENCE_MS,
		.body_max = LARGE };
}

static void run(const struct http_call_spec *spec, struct outcome *o)
{
	o->calls = 0;
	ck_assert_ptr_nonnull(http_call_start(&rig.loop, spec, on_done, o));
	ck_assert_uint_eq(o->calls, 0);
	while (o->calls == 0)
		(void)uv_run(&rig.loop, UV_RUN_ONCE);
	rig_turn(&rig);
	ck_assert_uint_eq(o->calls, 1);
}

static void outcome_init(struct outcome *o)
{
	memset(o, 0, sizeof(*o));
	cyg_buf_init(&o->body, 2 * LARGE);
}

START_TEST(test_a_thousand_calls_one_after_the_other)
{
	struct http_call_spec spec = spec_of("GET", "/");
	struct outcome o;

	outcome_init(&o);
	for (int i = 0; i < 1000; i++) {
		run(&spec, &o);
		ck_assert_int_eq(o.status, 200);
		ck_assert_str_eq(o.body.data, "ok");
	}
	ck_assert_uint_eq(rig.handled, 1000);
	rig_turn(&rig);
	ck_assert_uint_eq(http_server_connections(rig.server), 0);
	cyg_buf_free(&o.body);
}
END_TEST

START_TEST(test_what_is_sent)
{
	struct http_call_spec spec = spec_of("PUT", "/head");
	struct outcome o;

	outcome_init(&o);
	spec.authorization = "token abc";
	spec.content_type = "application/json";
	spec.body = CYG_STR("{}");
	run(&spec, &o);
	ck_assert_int_eq(o.status, 200);
	ck_assert_str_eq(o.body.data, "hub.test|token abc|application/json");
	cyg_buf_free(&o.body);
}
END_TEST

START_TEST(test_many_calls_at_once)
{
	struct http_call_spec spec = spec_of("POST", "/");
	struct outcome outcomes[200];

	spec.body = CYG_STR("hello");
	for (size_t i = 0; i < CYG_N(outcomes); i++) {
		outcome_init(&outcomes[i]);
		(void)http_call_start(&rig.loop, &spec, on_done, &outcomes[i]);
	}
	while (rig.handled < CYG_N(outcomes))
		(void)uv_run(&rig.loop, UV_RUN_ONCE);
	for (int i = 0; i < 10; i++)
		rig_turn(&rig);
	for (size_t i = 0; i < CYG_N(outcomes); i++) {
		ck_assert_uint_eq(outcomes[i].calls, 1);
		ck_assert_str_eq(outcomes[i].body.data, "hello");
		cyg_buf_free(&outcomes[i].body);
	}
}
END_TEST

START_TEST(test_large_bodies_pass_both_ways)
{
	struct http_call_spec spec = spec_of("POST", "/");
	struct outcome o;

	outcome_init(&o);
	large = malloc(LARGE);
	ck_assert_ptr_nonnull(large);
	for (size_t i = 0; i < LARGE; i++)
		large[i] = (char)(i * 2654435761U >> 24);
	spec.body = (struct cyg_str){ large, LARGE };
	run(&spec, &o);
	ck_assert_int_eq(o.status, 200);
	ck_assert_uint_eq(o.body.len, LARGE);
	ck_assert(memcmp(o.body.data, large, LARGE) == 0);
	spec = spec_of("GET", "/large");
	run(&spec, &o);
	ck_assert_uint_eq(o.body.len, LARGE);
	ck_assert(memcmp(o.body.data, large, LARGE) == 0);
	cyg_buf_free(&o.body);
}
END_TEST

START_TEST(test_an_early_refusal_is_read)
{
	struct http_call_spec spec = spec_of("POST", "/small");
	struct outcome o;

	outcome_init(&o);
	large = cyg_xcalloc(1, LARGE);
	spec.body = (struct cyg_str){ large, LARGE };
	run(&spec, &o);
	ck_assert_int_eq(o.status, 413);
	ck_assert_uint_eq(rig.handled, 0);
	cyg_buf_free(&o.body);
}
END_TEST

START_TEST(test_an_answer_over_the_limit_is_an_error)
{
	struct http_call_spec spec = spec_of("GET", "/");
	struct outcome o;

	outcome_init(&o);
	spec.body_max = 1;
	run(&spec, &o);
	ck_assert_int_eq(o.status, 0);
	ck_assert_int_eq(o.code, CYG_ELIMIT);
	cyg_buf_free(&o.body);
}
END_TEST

START_TEST(test_nobody_there_is_an_error)
{
	struct http_call_spec spec = spec_of("GET", "/");
	struct outcome o;
	char long_path[200];

	outcome_init(&o);
	spec.socket_path = "/nowhere/at/all";
	run(&spec, &o);
	ck_assert_int_eq(o.status, 0);
	ck_assert_int_eq(o.code, CYG_ENOENT);
	memset(long_path, 'x', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	spec.socket_path = long_path;
	run(&spec, &o);
	ck_assert_int_eq(o.code, CYG_EINVAL);
	cyg_buf_free(&o.body);
}
END_TEST

START_TEST(test_bad_requests_are_not_sent)
{
	struct http_call_spec spec = spec_of("GET", "/a b");
	struct outcome o;

	outcome_init(&o);
	run(&spec, &o);
	ck_assert_int_eq(o.code, CYG_EINVAL);
	spec = spec_of("GET", "/");
	spec.authorization = "token x\r\nX-Evil: y";
	run(&spec, &o);
	ck_assert_int_eq(o.code, CYG_EINVAL);
	cyg_buf_free(&o.body);
}
END_TEST

START_TEST(test_a_silent_peer_is_given_up)
{
	struct http_call_spec spec = spec_of("GET", "/hold");
	struct outcome o;

	outcome_init(&o);
	spec.timeout_ms = 20;
	run(&spec, &o);
	ck_assert_int_eq(o.code, CYG_ETIMEOUT);
	cyg_buf_free(&o.body);
}
END_TEST

START_TEST(test_a_cancelled_call_calls_nobody)
{
	struct http_call_spec spec = spec_of("GET", "/");
	struct outcome o;

	outcome_init(&o);
	http_call_cancel(http_call_start(&rig.loop, &spec, on_done, &o));
	http_call_cancel(NULL);
	spec.socket_path = "/nowhere";
	http_call_cancel(http_call_start(&rig.loop, &spec, on_done, &o));
	for (int i = 0; i < 10; i++)
		rig_turn(&rig);
	ck_assert_uint_eq(o.calls, 0);
}
END_TEST

/* ---- other peers: each responds to one request with a text and closes ---- */

struct peer {
	uv_poll_t door, conn;
	int door_fd, conn_fd;
	const char *text;
};

/* The request has come: whatever it was, the text is the response. */
static void on_request(uv_poll_t *poll, int status, int events)
{
	struct peer *p = poll->data;
	char request[4096];

	(void)status;
	(void)events;
	ck_assert_int_gt(read(p->conn_fd, request, sizeof(request)), 0);
	ck_assert_int_eq(
	    send(p->conn_fd, p->text, strlen(p->text), MSG_NOSIGNAL), (ssize_t)strlen(p->text));
	uv_close((uv_handle_t *)poll, NULL);
	cyg_close(p->conn_fd);
}

static void on_client(uv_poll_t *poll, int status, int events)
{
	struct peer *p = poll->data;

	(void)status;
	(void)events;
	p->conn_fd = accept4(p->door_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	ck_assert_int_ge(p->conn_fd, 0);
	ck_assert_int_eq(uv_poll_init(poll->loop, &p->conn, p->conn_fd), 0);
	p->conn.data = p;
	ck_assert_int_eq(uv_poll_start(&p->conn, UV_READABLE, on_request), 0);
}

static void ask_peer(const char *text, struct outcome *o)
{
	struct http_call_spec spec = spec_of("GET", "/");
	struct peer p = { .text = text };
	char peer_path[sizeof(path) + 8];

	(void)snprintf(peer_path, sizeof(peer_path), "%s.peer", path);
	p.door_fd = unixsock_listen(peer_path, SOCK_STREAM, 0600, (gid_t)-1, NULL);
	ck_assert_int_ge(p.door_fd, 0);
	ck_assert_int_eq(uv_poll_init(&rig.loop, &p.door, p.door_fd), 0);
	p.door.data = &p;
	ck_assert_int_eq(uv_poll_start(&p.door, UV_READABLE, on_client), 0);
	spec.socket_path = peer_path;
	run(&spec, o);
	uv_close((uv_handle_t *)&p.door, NULL);
	rig_turn(&rig);
	cyg_close(p.door_fd);
	(void)unlink(peer_path);
}

START_TEST(test_good_answers_of_others)
{
	static const struct {
		const char *text;
		int status;
		const char *body;
	} cases[] = {
		{ "HTTP/1.1 200 OK\r\n\r\nto the end", 200, "to the end" },
		{ "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n"
		  "HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno",
		    404, "no" },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
		    200, "abc" },
		{ "HTTP/1.1 204 None\r\n\r\n", 204, "" },
	};
	struct outcome o;

	outcome_init(&o);
	for (size_t i = 0; i < CYG_N(cases); i++) {
		ask_peer(cases[i].text, &o);
		ck_assert_msg(o.status == cases[i].status, "%s: %s", cases[i].text, o.msg);
		ck_assert_str_eq(o.body.data, cases[i].body);
	}
	cyg_buf_free(&o.body);
}
END_TEST

START_TEST(test_bad_answers_of_others)
{
	static const char *const cases[] = {
		"SSH-2.0-x\r\n",
		"",
		"HTTP/1.1 200 OK\r\nContent-Le",
		"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
		"HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\n",
	};
	struct outcome o;

	outcome_init(&o);
	for (size_t i = 0; i < CYG_N(cases); i++) {
		ask_peer(cases[i], &o);
		ck_assert_msg(o.code == CYG_EPROTO && o.status == 0, "%s: %s", cases[i], o.msg);
	}
	cyg_buf_free(&o.body);
}
END_TEST

int main(void)
{
	SRunner *runner;
	Suite *suite = suite_create("http_client");
	TCase *tc = tcase_create("client");
	int failed;

	tcase_set_timeout(tc, 100);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, test_a_thousand_calls_one_after_the_other);
	tcase_add_test(tc, test_what_is_sent);
	tcase_add_test(tc, test_many_calls_at_once);
	tcase_add_test(tc, test_large_bodies_pass_both_ways);
	tcase_add_test(tc, test_an_early_refusal_is_read);
	tcase_add_test(tc, test_an_answer_over_the_limit_is_an_error);
	tcase_add_test(tc, test_nobody_there_is_an_error);
	tcase_add_test(tc, test_bad_requests_are_not_sent);
	tcase_add_test(tc, test_a_silent_peer_is_given_up);
	tcase_add_test(tc, test_a_cancelled_call_calls_nobody);
	tcase_add_test(tc, test_good_answers_of_others);
	tcase_add_test(tc, test_bad_answers_of_others);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}

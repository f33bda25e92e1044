/* Responses that come later, clients that go meanwhile, and the server's deadlines. */
#include "base/mem.h"
#include "tests/unit/http/http_rig.h"

#include <check.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GET(path)  "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST(body) "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " body

static struct rig rig;
static struct cyg_buf answer;

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

/* ---- later responses, and clients that go ---- */

static struct http_req *held;
static unsigned aborted;

static void on_abort(struct http_req *req)
{
	ck_assert_ptr_eq(req, held);
	held = NULL;
	aborted++;
}

static void hold(struct http_req *req)
{
	held = req;
	req->on_abort = on_abort;
}

static void hold_silently(struct http_req *req)
{
	held = req;
}

static void close_server(struct http_req *req)
{
	http_server_close(rig.server);
	http_reply(req, 200, "text/plain", CYG_STR("to nobody"));
}

static void close_server_told(struct http_req *req)
{
	held = req;
	req->on_abort = on_abort;
	http_server_close(rig.server);
	ck_assert(cyg_str_eq(req->path, "/close-told"));
}

static const struct http_endpoint later[] = {
	{ HTTP_GET, "/close", "any", close_server, 0 },
	{ HTTP_GET, "/close-told", "any", close_server_told, 0 },
	{ HTTP_GET, "/", "any", rig_handle, 0 },
	{ HTTP_GET, "/hold", "any", hold, 0 },
	{ HTTP_GET, "/silent", "any", hold_silently, 0 },
	{ .path = NULL },
};

static void set_up_later(void)
{
	const struct http_mount mounts[] = { { .prefix = "", .endpoints = later },
		{ .endpoints = NULL } };
	struct http_server_opts opts = { .mounts = mounts };

	rig_start(&rig, &opts);
	cyg_buf_init(&answer, 1 << 22);
	held = NULL;
	aborted = 0;
}

START_TEST(test_later_answers_keep_the_order)
{
	int fd = rig_connect(&rig);

	rig_send(&rig, fd, CYG_STR(GET("/hold") GET("/")), SIZE_MAX);
	ck_assert(!rig_receive(&rig, fd, &answer));
	ck_assert_uint_eq(answer.len, 0);
	ck_assert_uint_eq(rig.handled, 0);
	http_reply(held, 201, "text/plain", CYG_STR("late"));
	ck_assert_uint_eq(rig.handled, 0);
	ck_assert(!rig_receive(&rig, fd, &answer));
	ck_assert(cyg_str_starts(cyg_buf_str(&answer), "HTTP/1.1 201 "));
	ck_assert(cyg_str_ends(cyg_buf_str(&answer), "ok"));
	ck_assert_uint_eq(rig.handled, 1);
	cyg_close(fd);
}
END_TEST

START_TEST(test_a_client_that_goes_is_reported_once)
{
	int fd = rig_connect(&rig);

	rig_send(&rig, fd, CYG_STR(GET("/hold")), SIZE_MAX);
	ck_assert_ptr_nonnull(held);
	cyg_close(fd);
	rig_turn(&rig);
	ck_assert_uint_eq(aborted, 1);
	ck_assert_uint_eq(http_server_connections(rig.server), 0);
}
END_TEST

START_TEST(test_a_client_that_goes_behind_unread_requests_is_reported)
{
	static char many[4 * HTTP_IN_MAX];
	int fd = rig_connect(&rig);

	memset(many, 'x', sizeof(many));
	rig_send(&rig, fd, CYG_STR(GET("/hold")), SIZE_MAX);
	(void)send(fd, many, sizeof(many), MSG_NOSIGNAL);
	rig_turn(&rig);
	rig_turn(&rig);
	rig_turn(&rig);
	ck_assert_uint_eq(aborted, 0);
	cyg_close(fd);
	rig_turn(&rig);
	ck_assert_uint_eq(aborted, 1);
}
END_TEST

START_TEST(test_an_answer_to_nobody_goes_nowhere)
{
	int fd = rig_connect(&rig);

	rig_send(&rig, fd, CYG_STR(GET("/silent")), SIZE_MAX);
	cyg_close(fd);
	rig_turn(&rig);
	ck_assert_uint_eq(http_server_connections(rig.server), 0);
	http_reply_field(held, "X-A", "b");
	http_reply(held, 200, "text/plain", CYG_STR("late"));
	rig_turn(&rig);
}
END_TEST

START_TEST(test_closing_the_server_aborts_what_is_open)
{
	int fd = rig_connect(&rig);
	int idle = rig_connect(&rig);

	rig_send(&rig, fd, CYG_STR(GET("/hold")), SIZE_MAX);
	http_server_close(rig.server);
	ck_assert_uint_eq(aborted, 1);
	(void)uv_run(&rig.loop, UV_RUN_DEFAULT);
	ck_assert(rig_receive(&rig, fd, &answer));
	cyg_close(fd);
	cyg_close(idle);
	ck_assert_int_eq(uv_loop_close(&rig.loop), 0);
	cyg_buf_free(&rig.log);
	rig_start(&rig, NULL);
}
END_TEST

START_TEST(test_a_handler_may_close_the_server)
{
	ck_assert(exchange(_i == 0 ? GET("/close") : GET("/close-told")));
	ck_assert_uint_eq(answer.len, 0);
	ck_assert_uint_eq(aborted, (unsigned)_i);
	ck_assert_int_eq(uv_loop_close(&rig.loop), 0);
	cyg_buf_free(&rig.log);
	rig_start(&rig, NULL);
}
END_TEST

/* ---- deadlines ---- */

/* Runs the loop until the server shuts its side. */
static void wait_end(int fd)
{
	while (!rig_receive(&rig, fd, &answer))
		(void)uv_run(&rig.loop, UV_RUN_ONCE);
}

static void shorten(uint64_t *timeout_ms)
{
	rig.server->timeouts.tick_ms = 5;
	*timeout_ms = 20;
}

START_TEST(test_a_slow_head_is_408)
{
	int fd;

	/* Not before the accept: the first byte must come in time on any machine. */
	rig.server->timeouts.tick_ms = 5;
	fd = rig_connect(&rig);
	shorten(&rig.server->timeouts.head_ms);
	rig_send(&rig, fd, CYG_STR("GET / HTTP/1.1\r\n"), SIZE_MAX);
	wait_end(fd);
	ck_assert(cyg_str_starts(cyg_buf_str(&answer), "HTTP/1.1 408 "));
	cyg_close(fd);
}
END_TEST

START_TEST(test_a_silent_client_is_closed_silently)
{
	int fd;

	shorten(&rig.server->timeouts.head_ms);
	fd = rig_connect(&rig);
	wait_end(fd);
	ck_assert_uint_eq(answer.len, 0);
	cyg_close(fd);
}
END_TEST

START_TEST(test_an_idle_connection_is_closed)
{
	int fd;

	shorten(&rig.server->timeouts.idle_ms);
	fd = rig_connect(&rig);
	rig_send(&rig, fd, CYG_STR(GET("/")), SIZE_MAX);
	wait_end(fd);
	ck_assert(cyg_str_ends(cyg_buf_str(&answer), "\r\n\r\nok"));
	cyg_close(fd);
}
END_TEST

START_TEST(test_a_slow_body_is_408)
{
	int fd;

	shorten(&rig.server->timeouts.body_ms);
	fd = rig_connect(&rig);
	rig_send(&rig, fd, CYG_STR(POST("100\r\n\r\nhello")), SIZE_MAX);
	wait_end(fd);
	ck_assert(cyg_str_starts(cyg_buf_str(&answer), "HTTP/1.1 408 "));
	ck_assert_uint_eq(rig.handled, 0);
	cyg_close(fd);
}
END_TEST

START_TEST(test_a_client_that_does_not_close_is_dropped)
{
	int fd;

	shorten(&rig.server->timeouts.linger_ms);
	fd = rig_connect(&rig);
	rig_send(&rig, fd, CYG_STR("GET / HTTP/1.0\r\n\r\n"), SIZE_MAX);
	wait_end(fd);
	while (http_server_connections(rig.server) > 0)
		(void)uv_run(&rig.loop, UV_RUN_ONCE);
	cyg_close(fd);
}
END_TEST

static Suite *suite_of_later(void)
{
	Suite *suite = suite_create("http_later");
	TCase *tc = tcase_create("deadlines");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, test_a_slow_head_is_408);
	tcase_add_test(tc, test_a_silent_client_is_closed_silently);
	tcase_add_test(tc, test_an_idle_connection_is_closed);
	tcase_add_test(tc, test_a_slow_body_is_408);
	tcase_add_test(tc, test_a_client_that_does_not_close_is_dropped);
	suite_add_tcase(suite, tc);
	tc = tcase_create("later");
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up_later, tear_down);
	tcase_add_test(tc, test_later_answers_keep_the_order);
	tcase_add_test(tc, test_a_client_that_goes_is_reported_once);
	tcase_add_test(tc, test_a_client_that_goes_behind_unread_requests_is_reported);
	tcase_add_test(tc, test_an_answer_to_nobody_goes_nowhere);
	tcase_add_test(tc, test_closing_the_server_aborts_what_is_open);
	tcase_add_loop_test(tc, test_a_handler_may_close_the_server, 0, 2);
	suite_add_tcase(suite, tc);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(suite_of_later());
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}

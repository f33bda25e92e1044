/* Mounts: which part of a server a request belongs to, and what that part's handler finds in it. */
#include "base/mem.h"
#include "tests/unit/http/http_rig.h"

#include <check.h>
#include <string.h>

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

static struct rig rig;
static struct cyg_buf answer;

/* Says whose it is, and where. */
static void tell(struct http_req *req)
{
	ck_assert_ptr_eq(req->app, &rig);
	http_reply_field(req, "X-Base", req->base_url);
	http_reply_field(req, "X-Path", cyg_arena_dup(req->arena, req->path));
	http_reply(req, req->endpoint != NULL ? 200 : 404, "text/plain", cyg_str_of(req->ctx));
}

static struct http_req *held;

static void keep(struct http_req *req)
{
	held = req;
}

static const struct http_endpoint files[] = {
	{ HTTP_GET, "/later", "any", keep, 0 },
	{ HTTP_GET, "", "any", tell, 0 },
	{ HTTP_GET, "/", "any", tell, 0 },
	{ HTTP_GET, "/one", "any", tell, 0 },
	{ HTTP_GET, "/k/{id}", "any", tell, 0 },
	{ .path = NULL },
};
static const struct http_endpoint shells[] = {
	{ HTTP_GET, "/two", "any", tell, 0 },
	{ HTTP_POST, "/one", "any", tell, 0 },
	{ HTTP_GET, "/k/all", "any", tell, 0 },
	{ .path = NULL },
};
static const struct http_endpoint outer[] = {
	{ HTTP_GET, "/", "any", tell, 0 },
	{ HTTP_GET, "/{path...}", "any", tell, 0 },
	{ .path = NULL },
};
static char one[] = "one", two[] = "two", whole[] = "whole", deep[] = "deep";

static void set_up(void)
{
	const struct http_mount mounts[] = {
		{ "/hub", files, one, NULL },
		{ "", outer, whole, NULL },
		{ "/hub", shells, two, tell },
		{ "/hub/deep", files, deep, NULL },
		{ "/user/al ice", files, one, NULL },
		{ .endpoints = NULL },
	};
	const struct http_server_opts opts = { .mounts = mounts };

	rig_start(&rig, &opts);
	cyg_buf_init(&answer, 1 << 20);
}

static void tear_down(void)
{
	cyg_buf_free(&answer);
	rig_stop(&rig);
}

static const struct {
	const char *request;
	int status;
	const char *has; /* in the response */
} cases[] = {
	/* two parts at one prefix: each has its own context */
	{ GET("/hub/one"), 200, "\r\n\r\none" },
	{ GET("/hub/two"), 200, "\r\n\r\ntwo" },
	{ "POST /hub/one HTTP/1.1\r\nHost: a\r\n\r\n", 200, "\r\n\r\ntwo" },
	/* a literal of one wins over a parameter of the other */
	{ GET("/hub/k/all"), 200, "\r\n\r\ntwo" },
	{ GET("/hub/k/1"), 200, "\r\n\r\none" },
	/* the prefix itself, with and without its slash */
	{ GET("/hub"), 200, "\r\n\r\none" },
	{ GET("/hub/"), 200, "\r\n\r\none" },
	/* the longest prefix has it, also where only a shorter one has an endpoint */
	{ GET("/hub/deep/one"), 200, "\r\n\r\ndeep" },
	{ GET("/hub/deep/two"), 404, "\"not found\"" },
	{ GET("/hub/deeper"), 404, "\r\n\r\ntwo" },
	{ GET("/hub/none"), 404, "\r\n\r\ntwo" },
	{ GET("/hubble"), 200, "\r\n\r\nwhole" },
	{ GET("/"), 200, "\r\n\r\nwhole" },
	/* methods of all parts of a prefix are known, those of other prefixes are not */
	{ "PUT /hub/one HTTP/1.1\r\nHost: a\r\n\r\n", 405, "\r\nAllow: GET, HEAD, POST\r\n" },
	{ "POST /hub/deep/one HTTP/1.1\r\nHost: a\r\n\r\n", 405, "\r\nAllow: GET, HEAD\r\n" },
	/* however it is written in a URL */
	{ GET("/%68ub/on%65"), 200, "\r\nX-Base: /hub/\r\nX-Path: /hub/one\r\n" },
	{ GET("/user/al%20ice/one"), 200, "\r\nX-Base: /user/al%20ice/\r\n" },
	{ GET("/%75ser/%61l%20ice/one"), 200, "\r\nX-Path: /user/al ice/one\r\n" },
	{ GET("/user/al%2520ice/one"), 200, "\r\n\r\nwhole" },
};

START_TEST(test_a_request_belongs_to_the_longest_prefix)
{
	char start[16];

	(void)rig_exchange(&rig, cyg_str_of(cases[_i].request), &answer);
	(void)snprintf(start, sizeof(start), "HTTP/1.1 %d ", cases[_i].status);
	ck_assert_msg(
	    cyg_str_starts(cyg_buf_str(&answer), start), "%s%s", cases[_i].request, answer.data);
	ck_assert_msg(
	    strstr(answer.data, cases[_i].has) != NULL, "%s%s", cases[_i].request, answer.data);
}
END_TEST

/* Work for it may go on in another thread. */
START_TEST(test_a_request_keeps_its_mount_when_the_server_has_gone)
{
	int fd = rig_connect(&rig);

	rig_send(&rig, fd, CYG_STR(GET("/hub/later")), SIZE_MAX);
	http_server_close(rig.server);
	(void)uv_run(&rig.loop, UV_RUN_DEFAULT);
	ck_assert_str_eq(held->base_url, "/hub/");
	ck_assert_str_eq(held->mount->prefix, "/hub");
	ck_assert_ptr_eq(held->ctx, one);
	http_reply(held, 200, "text/plain", CYG_STR("late"));
	cyg_close(fd);
	ck_assert_int_eq(uv_loop_close(&rig.loop), 0);
	cyg_buf_free(&rig.log);
	rig_start(&rig, NULL);
}
END_TEST

START_TEST(test_bad_mounts_do_not_start)
{
	static const struct http_mount lists[][3] = {
		{ { "hub", files, one, NULL } },
		{ { "/hub/", files, one, NULL } },
		{ { "/", files, one, NULL } },
		{ { "/hub", files, one, NULL }, { "/hub", files, two, NULL } },
	};
	struct http_server *server;
	struct cyg_err err;

	for (size_t i = 0; i < CYG_N(lists); i++) {
		const struct http_server_opts opts = { .mounts = lists[i] };

		ck_assert_int_eq(http_server_new(&rig.loop, &opts, &server, &err), -CYG_EINVAL);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http mounts");
	TCase *tc = tcase_create("mounts");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, test_a_request_belongs_to_the_longest_prefix, 0, (int)CYG_N(cases));
	tcase_add_test(tc, test_a_request_keeps_its_mount_when_the_server_has_gone);
	tcase_add_test(tc, test_bad_mounts_do_not_start);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}

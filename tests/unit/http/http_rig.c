/* The rig of the HTTP server's tests. */
#include "tests/unit/http/http_rig.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

enum { QUIET_TURNS = 4, LOG_MAX = 1 << 20, RESPONSE_MAX = 1 << 20 };

void rig_handle(struct http_req *req)
{
	struct rig *rig = req->app;

	rig->handled++;
	(void)cyg_buf_printf(&rig->log, NULL, "%s %.*s %zu\n", http_method_text(req->method),
	    CYG_STR_ARGS(req->path), req->body.len);
	http_reply(req, 200, "text/plain", req->body.len > 0 ? req->body : CYG_STR("ok"));
}

static const struct http_endpoint default_rows[] = {
	{ HTTP_GET, "/", "any", rig_handle, 0 },
	{ HTTP_POST, "/", "any", rig_handle, 0 },
	{ HTTP_PUT, "/", "any", rig_handle, 0 },
	{ .path = NULL },
};

void rig_start(struct rig *rig, const struct http_server_opts *opts)
{
	static const struct http_mount mounts[] = { { .prefix = "", .endpoints = default_rows },
		{ .endpoints = NULL } };
	struct http_server_opts own = { .mounts = mounts };
	struct cyg_err err;

	memset(rig, 0, sizeof(*rig));
	(void)signal(SIGPIPE, SIG_IGN);
	cyg_buf_init(&rig->log, LOG_MAX);
	cyg_buf_init(&rig->response, RESPONSE_MAX);
	ck_assert_int_eq(uv_loop_init(&rig->loop), 0);
	if (opts != NULL)
		own = *opts;
	own.app = rig;
	ck_assert_msg(http_server_new(&rig->loop, &own, &rig->server, &err) == 0, "%s", err.msg);
}

void rig_stop(struct rig *rig)
{
	http_server_close(rig->server);
	(void)uv_run(&rig->loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(uv_loop_close(&rig->loop), 0);
	cyg_buf_free(&rig->log);
	cyg_buf_free(&rig->response);
}

int rig_connect(struct rig *rig)
{
	int fds[2];

	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	ck_assert_int_eq(conn_open(rig->server, fds[1], NULL), 0);
	return fds[0];
}

void rig_turn(struct rig *rig)
{
	/* Files are read by other threads. */
	while (rig->loop.active_reqs.count > 0)
		(void)uv_run(&rig->loop, UV_RUN_ONCE);
	for (int i = 0; i < 2; i++)
		(void)uv_run(&rig->loop, UV_RUN_NOWAIT);
}

void rig_send(struct rig *rig, int fd, struct cyg_str data, size_t step)
{
	while (data.len > 0) {
		size_t want = data.len < step ? data.len : step;
		ssize_t n = send(fd, data.p, want, MSG_NOSIGNAL);

		rig_turn(rig);
		if (n > 0)
			data = cyg_str_skip(data, (size_t)n);
		else if (errno != EAGAIN)
			return;
	}
}

bool rig_receive(struct rig *rig, int fd, struct cyg_buf *out)
{
	int quiet = 0;

	while (quiet < QUIET_TURNS) {
		char *at;
		ssize_t n;

		rig_turn(rig);
		ck_assert_int_eq(cyg_buf_reserve(out, 65536, &at, NULL), 0);
		n = read(fd, at, 65536);
		if (n == 0)
			return true;
		quiet = n > 0 ? 0 : quiet + 1;
		if (n > 0)
			cyg_buf_commit(out, (size_t)n);
	}
	return false;
}

size_t rig_statuses(struct cyg_str stream, int *statuses, size_t max)
{
	static struct http_head head;
	struct cyg_err err = { .msg = "" };
	size_t n = 0;

	while (stream.len > 0 && n < max) {
		struct http_body body;
		struct cyg_str payload;
		size_t used;
		int status;
		long len =
		    http_head_parse_response(stream.p, stream.len, HTTP_GET, &head, &status, &err);

		ck_assert_msg(len > 0, "%s in: %.*s", err.msg, CYG_STR_ARGS(stream));
		stream = cyg_str_skip(stream, (size_t)len);
		if (head.status < 200)
			continue;
		statuses[n++] = head.status;
		http_body_init(&body, &head);
		while (!body.done && stream.len > 0) {
			ck_assert_int_eq(
			    http_body_step(&body, stream.p, stream.len, &used, &payload, &err), 0);
			stream = cyg_str_skip(stream, used);
		}
		ck_assert_int_eq(http_body_end(&body, &err), 0);
	}
	return n;
}

bool rig_exchange(struct rig *rig, struct cyg_str request, struct cyg_buf *out)
{
	int fd = rig_connect(rig);
	bool eof;

	rig_send(rig, fd, request, SIZE_MAX);
	eof = rig_receive(rig, fd, out);
	cyg_close(fd);
	rig_turn(rig);
	return eof;
}

const char *rig_ask(struct rig *rig, const char *request)
{
	cyg_buf_free(&rig->response);
	cyg_buf_init(&rig->response, RESPONSE_MAX);
	(void)rig_exchange(rig, cyg_str_of(request), &rig->response);
	return rig->response.data;
}

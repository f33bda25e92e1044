/* One request over one connection, read downwards: connect, write, head, body, done. Every end
 * goes through call_finish, on the loop. */
#include "http/client.h"

#include "base/mem.h"
#include "http/body.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

enum {
	READ_STEP = 64 * 1024,
	CONNECT_RETRY_MS = 10, /* a Unix connect does not wait for a full backlog */
	HEAD_OUT_MAX = CYG_HTTP_HEAD_MAX,
};

struct http_call {
	uv_loop_t *loop;
	uv_timer_t timer;
	uv_poll_t poll; /* in use from the connect on */
	int fd;
	unsigned handles;
	bool ended;
	bool failed; /* before the loop ran: reported by the timer */
	uint64_t deadline_ms;
	union {
		struct sockaddr any;
		struct sockaddr_un local;
		struct sockaddr_in loopback;
	} address;
	socklen_t address_len;
	enum http_method method;
	struct cyg_buf out, in, body;
	bool has_head;
	struct http_body decoder;
	struct http_result result;
	http_call_fn done;
	void (*on_head)(void *arg, const struct http_head *head);
	void *arg;
	struct http_head head;
};

static void on_closed(uv_handle_t *handle)
{
	struct http_call *call = handle->data;

	if (--call->handles > 0)
		return;
	/* The request may have held an authorization. */
	if (call->out.base_ != NULL)
		cyg_cleanse(call->out.base_, call->out.cap_);
	cyg_buf_free(&call->out);
	cyg_buf_free(&call->in);
	cyg_buf_free(&call->body);
	free(call);
}

void http_call_cancel(struct http_call *call)
{
	if (call == NULL || call->ended)
		return;
	call->ended = true;
	uv_close((uv_handle_t *)&call->timer, on_closed);
	if (call->fd >= 0) {
		uv_close((uv_handle_t *)&call->poll, on_closed);
		cyg_close(call->fd);
	}
}

static void call_finish(struct http_call *call)
{
	if (call->result.err.code != CYG_OK)
		call->result.status = 0;
	call->result.body = cyg_buf_str(&call->body);
	http_call_cancel(call);
	call->done(call->arg, &call->result);
}

/* Reads what has come of the response: 1 when it is whole. */
static int read_response(struct http_call *call)
{
	struct cyg_err *err = &call->result.err;
	struct cyg_str payload;
	size_t used;
	int status;
	int rc = 0;

	while (!call->has_head) {
		long len = http_head_parse_response(
		    call->in.data, call->in.len, call->method, &call->head, &status, err);

		if (len <= 0)
			return (int)len;
		call->result.status = call->head.status;
		http_body_init(&call->decoder, &call->head);
		if (call->head.status >= 200 && call->on_head != NULL)
			call->on_head(call->arg, &call->head);
		cyg_buf_consume(&call->in, (size_t)len);
		if (call->head.status == 101)
			return cyg_fail(err, CYG_EPROTO, "the peer switches protocols unasked");
		call->has_head = call->head.status >= 200;
	}
	while (rc == 0 && !call->decoder.done && call->in.len > 0) {
		rc = http_body_step(
		    &call->decoder, call->in.data, call->in.len, &used, &payload, err);
		if (rc == 0)
			rc = cyg_buf_add(&call->body, payload.p, payload.len, err);
		if (rc == 0)
			cyg_buf_consume(&call->in, used);
	}
	return rc < 0 ? rc : call->decoder.done;
}

/* 1 when the call has come to its end, well or not. */
static int on_eof(struct http_call *call)
{
	if (!call->has_head)
		(void)cyg_fail(&call->result.err, CYG_EPROTO, "the peer closed without a response");
	else
		(void)http_body_end(&call->decoder, &call->result.err);
	return 1;
}

static int call_read(struct http_call *call)
{
	char *at;
	ssize_t n;
	int rc = cyg_buf_reserve(&call->in, READ_STEP, &at, &call->result.err);

	if (rc < 0)
		return 1;
	n = read(call->fd, at, READ_STEP);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0) {
		(void)cyg_fail_sys(&call->result.err, errno, "read a response");
		return 1;
	}
	if (n == 0)
		return on_eof(call);
	cyg_buf_commit(&call->in, (size_t)n);
	return read_response(call) != 0;
}

/* A peer that does not want the body may respond and close at once: its response is still read. */
static void call_write(struct http_call *call)
{
	ssize_t n = send(call->fd, call->out.data, call->out.len, MSG_NOSIGNAL);

	if (n > 0)
		cyg_buf_consume(&call->out, (size_t)n);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		cyg_buf_reset(&call->out);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct http_call *call = poll->data;
	bool writing = call->out.len > 0;

	if (status < 0)
		events = UV_READABLE;
	if (writing && (events & UV_WRITABLE) != 0)
		call_write(call);
	if ((events & UV_READABLE) != 0 && call_read(call) != 0) {
		call_finish(call);
		return;
	}
	if (writing && call->out.len == 0)
		(void)uv_poll_start(poll, UV_READABLE, on_poll);
}

static void on_timer(uv_timer_t *timer);

/* Connects; a full backlog is tried again until the deadline. */
static void call_connect(struct http_call *call)
{
	bool local = call->address.any.sa_family == AF_UNIX;
	int fd = socket(call->address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int rc;

	if (fd < 0 ||
	    (connect(fd, &call->address.any, call->address_len) < 0 && errno != EINPROGRESS)) {
		bool again = fd >= 0 && errno == EAGAIN;

		if (!again) {
			(void)cyg_fail_sys(&call->result.err, errno, "connect to %s",
			    local ? call->address.local.sun_path : "a port on loopback");
			call->failed = true;
		}
		cyg_close(fd);
		(void)uv_timer_start(&call->timer, on_timer, again ? CONNECT_RETRY_MS : 0, 0);
		return;
	}
	call->fd = fd;
	rc = uv_poll_init(call->loop, &call->poll, fd);
	if (rc < 0)
		abort();
	call->poll.data = call;
	call->handles++;
	(void)uv_poll_start(&call->poll, UV_READABLE | UV_WRITABLE, on_poll);
	(void)uv_timer_start(&call->timer, on_timer, call->deadline_ms - uv_now(call->loop), 0);
}

static void on_timer(uv_timer_t *timer)
{
	struct http_call *call = timer->data;

	if (!call->failed && uv_now(call->loop) >= call->deadline_ms) {
		(void)cyg_fail(&call->result.err, CYG_ETIMEOUT, "no response in time");
		call->failed = true;
	}
	if (call->failed)
		call_finish(call);
	else
		call_connect(call);
}

static int add_field(struct cyg_buf *out, const char *name, const char *value, struct cyg_err *err)
{
	return value == NULL ? 0 : http_write_field(out, cyg_str_of(name), cyg_str_of(value), err);
}

/* The whole request, in one allocation made beforehand: growing would leave copies of an
 * authorization behind. */
static int write_request(
    struct cyg_buf *out, const struct http_call_spec *spec, struct cyg_err *err)
{
	bool has_body = spec->body.len > 0 || strcmp(spec->method, "POST") == 0 ||
			strcmp(spec->method, "PUT") == 0 || strcmp(spec->method, "PATCH") == 0;
	char length[24];
	char *room;
	int rc;

	cyg_buf_init(out, HEAD_OUT_MAX + spec->body.len);
	rc = cyg_buf_reserve(out, HEAD_OUT_MAX + spec->body.len, &room, err);
	if (rc == 0)
		rc = http_write_request_line(
		    out, cyg_str_of(spec->method), cyg_str_of(spec->target), err);
	if (rc == 0)
		rc = add_field(out, "Host", spec->host != NULL ? spec->host : "localhost", err);
	if (rc == 0)
		rc = add_field(out, "Connection", "close", err);
	if (rc == 0)
		rc = add_field(out, "Authorization", spec->authorization, err);
	if (rc == 0 && spec->field_name != NULL)
		rc = add_field(out, spec->field_name, spec->field_value, err);
	if (rc == 0 && has_body)
		rc = add_field(out, "Content-Type", spec->content_type, err);
	(void)snprintf(length, sizeof(length), "%zu", spec->body.len);
	if (rc == 0 && has_body)
		rc = add_field(out, "Content-Length", length, err);
	if (rc == 0)
		rc = http_write_end(out, err);
	return rc == 0 ? cyg_buf_add(out, spec->body.p, spec->body.len, err) : rc;
}

static int set_address(
    struct http_call *call, const struct http_call_spec *spec, struct cyg_err *err)
{
	struct sockaddr_un *local = &call->address.local;

	if (spec->socket_path == NULL) {
		call->address.loopback = (struct sockaddr_in){ .sin_family = AF_INET,
			.sin_port = htons(spec->loopback_port),
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		call->address_len = sizeof(call->address.loopback);
		return 0;
	}
	local->sun_family = AF_UNIX;
	call->address_len = sizeof(*local);
	if (!cyg_str_copy(local->sun_path, sizeof(local->sun_path), cyg_str_of(spec->socket_path)))
		return cyg_fail(err, CYG_EINVAL, "the path of a socket is too long");
	return 0;
}

struct http_call *http_call_start(
    uv_loop_t *loop, const struct http_call_spec *spec, http_call_fn done, void *arg)
{
	struct http_call *call = cyg_xcalloc(1, sizeof(*call));
	struct cyg_err *err = &call->result.err;

	call->loop = loop;
	call->fd = -1;
	call->done = done;
	call->on_head = spec->on_head;
	call->arg = arg;
	call->method = http_method_of(cyg_str_of(spec->method));
	call->deadline_ms = uv_now(loop) + spec->timeout_ms;
	cyg_buf_init(&call->in, CYG_HTTP_HEAD_MAX + READ_STEP);
	cyg_buf_init(&call->body, spec->body_max);
	(void)uv_timer_init(loop, &call->timer);
	call->timer.data = call;
	call->handles = 1;
	call->failed = set_address(call, spec, err) < 0 || write_request(&call->out, spec, err) < 0;
	if (call->failed)
		(void)uv_timer_start(&call->timer, on_timer, 0, 0);
	else
		call_connect(call);
	return call;
}

/* A connection: reads, lets the request's steps run, writes, and waits for what comes next. Which
 * events it waits for follows from its state alone (conn_wait). */
#include "http/server_priv.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

enum {
	READ_STEP = 16 * 1024,
	BODY_STEP = 64 * 1024,
	STEPS_PER_RUN = 64, /* some sixteen pipelined requests, then the others' turn */
};

static void on_poll(uv_poll_t *poll, int status, int events);

int conn_open(struct http_server *s, int fd, struct cyg_err *err)
{
	struct http_conn *c = cyg_xcalloc(1, sizeof(*c));
	int on = 1;
	int rc = uv_poll_init(s->loop, &c->poll, fd);

	if (rc < 0) {
		free(c);
		cyg_close(fd);
		return cyg_fail_sys(err, -rc, "watch a connection");
	}
	/* On a Unix socket this fails, and need not succeed. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	c->server = s;
	c->fd = fd;
	c->poll.data = c;
	c->out.file = -1;
	cyg_link_init(&c->kicked);
	cyg_buf_init(&c->in, CYG_HTTP_HEAD_MAX + BODY_STEP);
	cyg_buf_init(&c->out.buf, HTTP_STREAM_MAX + HTTP_FIELDS_OUT_MAX);
	server_start_janitor(s);
	cyg_list_add(&s->conns, &c->link);
	s->handles++;
	conn_move(c, CONN_HEAD);
	c->deadline_ms = uv_now(s->loop) + s->timeouts.head_ms;
	c->events = UV_READABLE;
	(void)uv_poll_start(&c->poll, UV_READABLE, on_poll);
	return 0;
}

void conn_move(struct http_conn *c, enum conn_state to)
{
	const struct http_timeouts *t = &c->server->timeouts;
	const uint64_t after_ms[] = {
		[CONN_HEAD] = t->idle_ms,
		[CONN_BODY] = t->body_ms,
		[CONN_REPLY] = t->write_ms,
		[CONN_LINGER] = t->linger_ms,
		[CONN_CLOSED] = 0,
	};

	c->state = to;
	c->deadline_ms = after_ms[to] > 0 ? uv_now(c->server->loop) + after_ms[to] : 0;
	if (to != CONN_HEAD)
		return;
	c->begun = false;
	c->fresh = c->in.len > 0;
	if (c->fresh) {
		c->begun = true;
		c->deadline_ms = uv_now(c->server->loop) + t->head_ms;
	}
}

void conn_kick(struct http_conn *c)
{
	struct http_server *s = c->server;

	if (c->running || c->state == CONN_CLOSED || cyg_link_is_on(&c->kicked))
		return;
	cyg_list_add(&s->kicked, &c->kicked);
	server_start_idle(s);
}

static void on_closed(uv_handle_t *handle)
{
	struct http_conn *c = handle->data;

	server_unref(c->server);
	request_free(c->req);
	free(c);
}

/* Takes the connection out of every list and off the loop; the descriptor stays open. */
static void conn_detach(struct http_conn *c)
{
	c->state = CONN_CLOSED;
	cyg_list_remove(&c->server->conns, &c->link);
	if (cyg_link_is_on(&c->kicked))
		cyg_list_remove(&c->server->kicked, &c->kicked);
	uv_close((uv_handle_t *)&c->poll, on_closed);
	conn_out_free(c);
}

/* Gives the descriptor away, with what was read already. */
static void conn_hand_over(struct http_conn *c)
{
	struct cyg_buf early = c->in;

	cyg_buf_init(&c->in, 0);
	conn_detach(c);
	c->on_open(c->on_open_arg, c->fd, cyg_buf_str(&early));
	cyg_buf_free(&early);
}

void conn_drop(struct http_conn *c)
{
	struct conn_stream *st = CYG_TAKE(c->stream);

	if (c->state == CONN_CLOSED)
		return;
	if (c->state == CONN_UPGRADE) {
		conn_hand_over(c);
		return;
	}
	conn_detach(c);
	cyg_close(c->fd);
	cyg_buf_free(&c->in);
	if (st != NULL && st->events.on_close != NULL)
		st->events.on_close(&st->base, st->arg);
	free(st);
	/* The request itself goes with the connection, at the end of the loop's turn: its handler
	 * may be at work further up the stack. */
	if (c->req != NULL && !request_abort(c->req))
		c->req = NULL;
}

/* All written: closes, in a way that lets the peer read it. */
static bool conn_linger(struct http_conn *c)
{
	if (c->eof || shutdown(c->fd, SHUT_WR) < 0) {
		conn_drop(c);
		return false;
	}
	cyg_buf_free(&c->in);
	conn_move(c, CONN_LINGER);
	c->linger_until_ms = uv_now(c->server->loop) + c->server->timeouts.linger_max_ms;
	return false;
}

static bool step_reply(struct http_conn *c)
{
	int rc = conn_out_flush(c);

	if (rc < 0)
		conn_drop(c);
	if (rc <= 0)
		return false;
	request_end(c);
	return c->keep_alive ? true : conn_linger(c);
}

static bool step_stream(struct http_conn *c)
{
	struct conn_stream *st = c->stream;
	int rc = st->aborted ? -1 : conn_out_flush(c);

	if (rc < 0)
		conn_drop(c);
	if (rc <= 0)
		return false;
	c->deadline_ms = 0;
	if (st->ended) {
		c->stream = NULL;
		if (st->events.on_close != NULL)
			st->events.on_close(&st->base, st->arg);
		free(st);
		if (c->state == CONN_CLOSED)
			return false;
		conn_move(c, CONN_REPLY);
		return true;
	}
	if (st->wrote) {
		st->wrote = false;
		if (st->events.on_drain != NULL)
			st->events.on_drain(&st->base, st->arg);
		return c->state == CONN_STREAM && (st->wrote || st->ended || st->aborted);
	}
	return false;
}

/* One step; true when another may follow at once. */
static bool conn_step(struct http_conn *c)
{
	switch (c->state) {
	case CONN_HEAD:
		if (request_begin(c))
			return true;
		if (c->state == CONN_HEAD && c->eof)
			conn_drop(c);
		return false;
	case CONN_BODY:
		if (conn_out_pending(c) && conn_out_flush(c) < 0) {
			conn_drop(c);
			return false;
		}
		return request_read_body(c);
	case CONN_REPLY:
		return step_reply(c);
	case CONN_STREAM:
		return step_stream(c);
	case CONN_UPGRADE:
		conn_hand_over(c);
		return false;
	case CONN_HANDLER:
	case CONN_LINGER:
	case CONN_CLOSED:
		break;
	}
	return false;
}

static int conn_wait(const struct http_conn *c)
{
	int events = 0;

	if (c->state == CONN_HEAD || c->state == CONN_BODY || c->state == CONN_LINGER)
		events |= UV_READABLE;
	/* While the handler works only the end of the peer is of interest; but it comes behind what
	 * the peer has sent. */
	if (c->state == CONN_HANDLER || c->state == CONN_STREAM)
		events |= c->in.len < HTTP_IN_MAX ? UV_READABLE : UV_DISCONNECT;
	if (conn_out_has_memory(c))
		events |= UV_WRITABLE;
	return events;
}

static void conn_arm(struct http_conn *c)
{
	int events = conn_wait(c);

	if (events == c->events)
		return;
	c->events = events;
	(void)uv_poll_start(&c->poll, events, on_poll);
}

void conn_run(struct http_conn *c)
{
	int steps = 0;

	if (c->running || c->state == CONN_CLOSED)
		return;
	c->running = true;
	while (steps < STEPS_PER_RUN && conn_step(c))
		steps++;
	c->running = false;
	if (c->state == CONN_CLOSED)
		return;
	if (steps == STEPS_PER_RUN)
		conn_kick(c);
	conn_arm(c);
}

/* The deadline of a body moves with the bytes that come: a minimum rate, not a maximum time. */
static void note_progress(struct http_conn *c, size_t n)
{
	const struct http_timeouts *t = &c->server->timeouts;
	uint64_t now_ms = uv_now(c->server->loop);

	if (c->state == CONN_HEAD && !c->begun) {
		c->begun = true;
		c->deadline_ms = now_ms + t->head_ms;
	}
	if (c->state == CONN_LINGER) {
		c->deadline_ms = now_ms + t->linger_ms;
		if (c->deadline_ms > c->linger_until_ms)
			c->deadline_ms = c->linger_until_ms;
	}
	if (c->state == CONN_BODY) {
		c->deadline_ms += n * 1000 / t->body_rate;
		if (c->deadline_ms > now_ms + t->body_ms)
			c->deadline_ms = now_ms + t->body_ms;
	}
}

/* The peer sends no more. A handler or stream that works for it is told that it has gone, as nginx
 * and Node do; a response that is being written is still delivered. */
static void on_eof(struct http_conn *c)
{
	c->eof = true;
	if (c->state != CONN_HEAD && c->state != CONN_REPLY)
		conn_drop(c);
}

static void conn_read(struct http_conn *c)
{
	char waste[READ_STEP];
	size_t room = c->state == CONN_BODY ? BODY_STEP : READ_STEP;
	char *at = waste;
	ssize_t n;

	if (room > c->in.max - c->in.len)
		room = c->in.max - c->in.len;
	if (c->state == CONN_LINGER)
		room = sizeof(waste);
	else if (room == 0 || cyg_buf_reserve(&c->in, room, &at, NULL) < 0)
		return;
	n = read(c->fd, at, room);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		conn_drop(c);
		return;
	}
	if (n == 0) {
		on_eof(c);
		return;
	}
	note_progress(c, (size_t)n);
	if (c->state == CONN_LINGER)
		return;
	/* A head can only be complete, or over its limits, with a line end or a full buffer. */
	c->fresh = c->fresh || memchr(at, '\n', (size_t)n) != NULL ||
		   c->in.len + (size_t)n >= CYG_HTTP_TARGET_MAX;
	cyg_buf_commit(&c->in, (size_t)n);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct http_conn *c = poll->data;

	if (status < 0) {
		conn_drop(c);
		return;
	}
	if ((events & UV_DISCONNECT) != 0)
		on_eof(c);
	else if ((events & UV_READABLE) != 0)
		conn_read(c);
	conn_run(c);
}

void conn_check_deadline(struct http_conn *c, uint64_t now_ms)
{
	/* An idle connection keeps no buffers. */
	if (c->state == CONN_HEAD && c->in.len == 0) {
		cyg_buf_free(&c->in);
		cyg_buf_free(&c->out.buf);
	}
	if (c->deadline_ms == 0 || now_ms < c->deadline_ms)
		return;
	if (c->state == CONN_BODY || (c->state == CONN_HEAD && c->begun)) {
		request_refuse(c, 408, "the request did not arrive in time");
		conn_kick(c);
		return;
	}
	conn_drop(c);
}

/* Responses that go on: chunked streams with back-pressure, and the WebSocket that takes the
 * connection along. */
#include "http/server_priv.h"

#include "http/text.h"
#include "http/ws.h"

#include <assert.h>
#include <sys/socket.h>

static struct conn_stream *stream_of(struct http_stream *stream)
{
	return CYG_CONTAINER_OF(stream, struct conn_stream, base);
}

struct http_stream *conn_reply_stream(struct http_req *req, int status, const char *type,
    const struct http_stream_events *events, void *arg)
{
	struct request *r = request_of(req);
	struct http_conn *c = r->conn;
	struct conn_stream *st;

	if (c == NULL) {
		request_free(r);
		return NULL;
	}
	st = cyg_xcalloc(1, sizeof(*st));
	st->base.sender = &conn_sender;
	st->conn = c;
	st->events = *events;
	st->arg = arg;
	st->chunked = r->head.minor == 1;
	st->mute = r->head.method == HTTP_HEAD;
	c->stream = st;
	reply_write_head(r, status, type, st->chunked ? REPLY_CHUNKED : REPLY_NO_LENGTH);
	conn_move(c, CONN_STREAM);
	conn_kick(c);
	return &st->base;
}

int conn_stream_write(struct http_stream *stream, struct cyg_str data, struct cyg_err *err)
{
	struct conn_stream *st = stream_of(stream);
	struct http_conn *c = st->conn;
	int rc;

	assert(!st->ended);
	if (data.len == 0 || st->mute || st->aborted)
		return 0;
	if (c->out.buf.len + data.len > HTTP_STREAM_MAX)
		return cyg_fail(err, CYG_ELIMIT, "the client does not read");
	rc = st->chunked ? http_chunk_write(&c->out.buf, data.p, data.len, err)
			 : cyg_buf_add(&c->out.buf, data.p, data.len, err);
	if (rc < 0)
		return rc;
	st->wrote = true;
	if (c->deadline_ms == 0)
		c->deadline_ms = uv_now(c->server->loop) + c->server->timeouts.write_ms;
	conn_kick(c);
	return 0;
}

void conn_stream_end(struct http_stream *stream)
{
	struct conn_stream *st = stream_of(stream);

	assert(!st->ended);
	st->ended = true;
	/* There is room: the buffer's maximum is more than a stream may fill. */
	if (st->chunked && !st->mute)
		(void)http_chunk_end(&st->conn->out.buf, NULL);
	conn_kick(st->conn);
}

void conn_stream_abort(struct http_stream *stream)
{
	struct conn_stream *st = stream_of(stream);

	st->aborted = true;
	conn_kick(st->conn);
}

static int write_switch(
    struct request *r, const char *protocol, struct cyg_buf *out, struct cyg_err *err)
{
	const struct http_field *key = http_head_find(&r->head, "sec-websocket-key");
	char accept[WS_ACCEPT_SIZE];
	int rc = http_write_status_line(out, 101, err);

	ws_accept_of(key->value, accept);
	if (rc == 0)
		rc = http_write_field(out, CYG_STR("Upgrade"), CYG_STR("websocket"), err);
	if (rc == 0)
		rc = http_write_field(out, CYG_STR("Connection"), CYG_STR("Upgrade"), err);
	if (rc == 0)
		rc =
		    http_write_field(out, CYG_STR("Sec-WebSocket-Accept"), cyg_str_of(accept), err);
	if (rc == 0 && protocol != NULL)
		rc = http_write_field(
		    out, CYG_STR("Sec-WebSocket-Protocol"), cyg_str_of(protocol), err);
	if (rc == 0)
		rc = cyg_buf_add(out, r->fields.data, r->fields.len, err);
	return rc == 0 ? http_write_end(out, err) : rc;
}

int conn_reply_websocket(struct http_req *req, const char *protocol, http_upgraded_fn on_open,
    void *arg, struct cyg_err *err)
{
	struct request *r = request_of(req);
	struct http_conn *c = r->conn;
	cyg_autobuf struct cyg_buf out;
	int status = 400;
	int rc;

	cyg_buf_init(&out, HTTP_FIELDS_OUT_MAX + 1024);
	if (c == NULL)
		return cyg_fail(err, CYG_EPROTO, "the client has gone");
	assert(!r->answered);
	rc = ws_request_check(&r->head, &status, err);
	if (rc < 0 && status == 426)
		http_reply_field(req, "Sec-WebSocket-Version", "13");
	if (rc == 0)
		rc = write_switch(r, protocol, &out, err);
	if (rc < 0)
		return rc;
	/* Nothing else waits on this connection, so that its socket takes the few bytes whole. */
	if (send(c->fd, out.data, out.len, MSG_NOSIGNAL) != (ssize_t)out.len)
		return cyg_fail(err, CYG_EPROTO, "the client has gone");
	r->answered = true;
	c->on_open = on_open;
	c->on_open_arg = arg;
	conn_move(c, CONN_UPGRADE);
	conn_kick(c);
	return 0;
}

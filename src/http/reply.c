/* Responses: the head, and whole bodies from memory or a file. Framing and Connection are written
 * here and nowhere else. */
#include "http/server_priv.h"

#include <assert.h>
#include <stdio.h>

static int descriptor(const struct http_req *req)
{
	const struct request *r = (const struct request *)req; /* its first member */

	return r->conn != NULL ? r->conn->fd : -1;
}

static void reply_field(struct http_req *req, const char *name, const char *value)
{
	if (http_write_field(&request_of(req)->fields, cyg_str_of(name), cyg_str_of(value), NULL) <
	    0)
		abort();
}

static void put(struct cyg_buf *out, const char *name, const char *value)
{
	if (http_write_field(out, cyg_str_of(name), cyg_str_of(value), NULL) < 0)
		abort();
}

static void put_head(struct http_conn *c, int status, const char *type, int64_t length)
{
	struct cyg_buf *out = &c->out.buf;
	char digits[24];

	if (http_write_status_line(out, status, NULL) < 0)
		abort();
	put(out, "Date", server_date(c->server));
	if (c->server->opts.product != NULL)
		put(out, "Server", c->server->opts.product);
	if (type != NULL)
		put(out, "Content-Type", type);
	if (length >= 0 && status >= 200 && status != 204 && status != 304) {
		(void)snprintf(digits, sizeof(digits), "%lld", (long long)length);
		put(out, "Content-Length", digits);
	}
	if (length == REPLY_CHUNKED)
		put(out, "Transfer-Encoding", "chunked");
}

void reply_write_head(struct request *r, int status, const char *type, int64_t length)
{
	struct http_conn *c = r->conn;

	assert(!r->answered);
	r->answered = true;
	/* What is left of an unread body would be read as the next request. */
	c->keep_alive = r->head.keep_alive && r->decoder.done && length != REPLY_NO_LENGTH;
	put_head(c, status, type, length);
	if (!c->keep_alive)
		put(&c->out.buf, "Connection", "close");
	else if (r->head.minor == 0)
		put(&c->out.buf, "Connection", "keep-alive");
	if (cyg_buf_add(&c->out.buf, r->fields.data, r->fields.len, NULL) < 0 ||
	    http_write_end(&c->out.buf, NULL) < 0)
		abort();
}

void reply_write_refusal(struct http_conn *c, int status, const char *message)
{
	enum http_method method =
	    c->req != NULL ? c->req->head.method : http_head_peek_method(c->in.data, c->in.len);
	cyg_autobuf struct cyg_buf body;

	cyg_buf_init(&body, HTTP_COPY_MAX);
	http_error_body(&body, status, message);
	put_head(c, status, "application/json", (int64_t)body.len);
	put(&c->out.buf, "Connection", "close");
	(void)http_write_end(&c->out.buf, NULL);
	if (method != HTTP_HEAD)
		(void)cyg_buf_add(&c->out.buf, body.data, body.len, NULL);
}

/* True when the response can be sent; a request whose client left unnoticed ends here. */
static bool is_wanted(struct request *r)
{
	if (r->conn != NULL)
		return true;
	request_free(r);
	return false;
}

static bool has_body(const struct request *r, int status)
{
	return r->head.method != HTTP_HEAD && status >= 200 && status != 204 && status != 304;
}

static void reply_done(struct http_conn *c)
{
	conn_move(c, CONN_REPLY);
	conn_kick(c);
}

static void reply_take(struct http_req *req, int status, const char *type, char *body, size_t len)
{
	struct request *r = request_of(req);
	struct http_conn *c = r->conn;

	if (!is_wanted(r)) {
		free(body);
		return;
	}
	reply_write_head(r, status, type, (int64_t)len);
	if (has_body(r, status)) {
		c->out.body = body;
		c->out.body_len = len;
	} else {
		free(body);
	}
	reply_done(c);
}

static void reply_copy(struct http_req *req, int status, const char *type, struct cyg_str body)
{
	struct request *r = request_of(req);
	struct http_conn *c = r->conn;

	if (!is_wanted(r))
		return;
	if (body.len > HTTP_COPY_MAX) {
		reply_take(req, status, type, cyg_str_dup(body), body.len);
		return;
	}
	reply_write_head(r, status, type, (int64_t)body.len);
	if (has_body(r, status) && cyg_buf_add(&c->out.buf, body.p, body.len, NULL) < 0)
		abort();
	reply_done(c);
}

static void reply_file(
    struct http_req *req, int status, const char *type, int fd, uint64_t off, uint64_t len)
{
	struct request *r = request_of(req);
	struct http_conn *c = r->conn;

	if (!is_wanted(r)) {
		cyg_close(fd);
		return;
	}
	reply_write_head(r, status, type, (int64_t)len);
	if (has_body(r, status) && len > 0) {
		c->out.file = fd;
		c->out.file_off = off;
		c->out.file_left = len;
	} else {
		cyg_close(fd);
	}
	reply_done(c);
}

const struct http_sender conn_sender = {
	.descriptor = descriptor,
	.field = reply_field,
	.reply = reply_copy,
	.reply_take = reply_take,
	.reply_file = reply_file,
	.reply_stream = conn_reply_stream,
	.reply_websocket = conn_reply_websocket,
	.stream_write = conn_stream_write,
	.stream_end = conn_stream_end,
	.stream_abort = conn_stream_abort,
};

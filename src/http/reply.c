/* Answers: the head, and whole bodies from memory or a file. Framing and Connection are written
 * here and nowhere else. */
#include "http/server_priv.h"

#include "http/text.h"

#include <assert.h>
#include <stdio.h>

bool http_value_is_ok(struct cyg_str value)
{
	return http_text_is_value(value, true);
}

void http_reply_field(struct http_req *req, const char *name, const char *value)
{
	static const char *const ours[] = { "connection", "content-length", "transfer-encoding",
		"date", "upgrade" };
	struct cyg_str field = cyg_str_of(name);

	for (size_t i = 0; i < CYG_N(ours); i++) {
		if (cyg_str_case_eq(field, ours[i]))
			abort();
	}
	if (http_write_field(&request_of(req)->fields, field, cyg_str_of(value), NULL) < 0)
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
	/* What is left of a body nobody wants would be read as the next request. */
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

static void add_json_text(struct cyg_buf *out, const char *text)
{
	bool ok = cyg_str_is_utf8(cyg_str_of(text));

	(void)cyg_buf_add_str(out, "\"", NULL);
	for (const char *p = text; *p != '\0'; p++) {
		unsigned char b = (unsigned char)*p;

		if (b == '"' || b == '\\')
			(void)cyg_buf_printf(out, NULL, "\\%c", b);
		else if (b < 0x20 || b == 0x7f)
			(void)cyg_buf_printf(out, NULL, "\\u%04x", b);
		else
			(void)cyg_buf_add(out, ok || b < 0x80 ? p : "?", 1, NULL);
	}
	(void)cyg_buf_add_str(out, "\"", NULL);
}

static void write_error(struct cyg_buf *out, int status, const char *message)
{
	(void)cyg_buf_printf(out, NULL, "{\"status\": %d, \"message\": ", status);
	add_json_text(out, message);
	(void)cyg_buf_add_str(out, "}", NULL);
}

void reply_write_refusal(struct http_conn *c, int status, const char *message)
{
	enum http_method method =
	    c->req != NULL ? c->req->head.method : http_head_peek_method(c->in.data, c->in.len);
	cyg_autobuf struct cyg_buf body;

	cyg_buf_init(&body, HTTP_COPY_MAX);
	write_error(&body, status, message);
	put_head(c, status, "application/json", (int64_t)body.len);
	put(&c->out.buf, "Connection", "close");
	(void)http_write_end(&c->out.buf, NULL);
	if (method != HTTP_HEAD)
		(void)cyg_buf_add(&c->out.buf, body.data, body.len, NULL);
}

/* True when the answer has somewhere to go; a request whose client went unnoticed ends here. */
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

void http_reply(struct http_req *req, int status, const char *type, struct cyg_str body)
{
	struct request *r = request_of(req);
	struct http_conn *c = r->conn;

	if (!is_wanted(r))
		return;
	if (body.len > HTTP_COPY_MAX) {
		http_reply_take(req, status, type, cyg_str_dup(body), body.len);
		return;
	}
	reply_write_head(r, status, type, (int64_t)body.len);
	if (has_body(r, status) && cyg_buf_add(&c->out.buf, body.p, body.len, NULL) < 0)
		abort();
	reply_done(c);
}

void http_reply_take(struct http_req *req, int status, const char *type, char *body, size_t len)
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

void http_reply_error(struct http_req *req, int status, const char *message)
{
	cyg_autobuf struct cyg_buf body;

	cyg_buf_init(&body, (size_t)1024 * 1024);
	write_error(&body, status, message);
	http_reply(req, status, "application/json", cyg_buf_str(&body));
}

int http_status_of(enum cyg_code code)
{
	static const int status_of[] = {
		[CYG_OK] = 500,
		[CYG_EINVAL] = 400,
		[CYG_ENOENT] = 404,
		[CYG_EDENIED] = 403,
		[CYG_EEXIST] = 409,
		[CYG_ELIMIT] = 413,
		[CYG_ETIMEOUT] = 504,
		[CYG_EPROTO] = 502,
		[CYG_EBUSY] = 503,
		[CYG_ESYS] = 500,
	};

	return status_of[code];
}

void http_reply_err(struct http_req *req, const struct cyg_err *err)
{
	http_reply_error(req, http_status_of(err->code), err->msg);
}

void http_reply_redirect(struct http_req *req, int status, const char *location)
{
	http_reply_field(req, "Location", location);
	http_reply(req, status, NULL, CYG_STR(""));
}

void http_reply_file(
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

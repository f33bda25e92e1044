/* The public calls that respond to a request: the part that is the same for every server. The rest
 * goes to the server that holds the connection (sender.h). */
#include "http/sender.h"

#include "base/mem.h"
#include "http/text.h"

#include <stdlib.h>

enum { ERROR_BODY_MAX = 1024 * 1024 };

bool http_value_is_ok(struct cyg_str value)
{
	return http_text_is_value(value, true);
}

void http_reply_field(struct http_req *req, const char *name, const char *value)
{
	static const char *const ours[] = { "connection", "content-length", "transfer-encoding",
		"date", "upgrade" };

	for (size_t i = 0; i < CYG_N(ours); i++) {
		if (cyg_str_case_eq(cyg_str_of(name), ours[i]))
			abort();
	}
	if (!http_text_is(cyg_str_of(name), HTTP_C_TOKEN) || !http_value_is_ok(cyg_str_of(value)))
		abort();
	req->sender_->field(req, name, value);
}

static void tell(const struct http_req *req, int status)
{
	if (req->on_response != NULL)
		req->on_response(req, status);
}

void http_reply(struct http_req *req, int status, const char *type, struct cyg_str body)
{
	tell(req, status);
	req->sender_->reply(req, status, type, body);
}

void http_reply_take(struct http_req *req, int status, const char *type, char *body, size_t len)
{
	tell(req, status);
	req->sender_->reply_take(req, status, type, body, len);
}

void http_reply_fixed(struct http_req *req, struct http_fixed *fixed)
{
	if (req->sender_->reply_fixed != NULL) {
		tell(req, fixed->status);
		req->sender_->reply_fixed(req, fixed);
		return;
	}
	for (const struct http_fixed_field *f = fixed->fields; f->name != NULL; f++)
		http_reply_field(req, f->name, f->value);
	http_reply(req, fixed->status, fixed->type, (struct cyg_str){ fixed->body, fixed->len });
}

void http_fixed_end(struct http_fixed *fixed)
{
	if (fixed->made_ != NULL)
		fixed->unmake_(CYG_TAKE(fixed->made_));
}

void http_reply_file(
    struct http_req *req, int status, const char *type, int fd, uint64_t off, uint64_t len)
{
	tell(req, status);
	req->sender_->reply_file(req, status, type, fd, off, len);
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

void http_error_body(struct cyg_buf *out, int status, const char *message)
{
	(void)cyg_buf_printf(out, NULL, "{\"status\": %d, \"message\": ", status);
	add_json_text(out, message);
	(void)cyg_buf_add_str(out, "}", NULL);
}

void http_reply_error(struct http_req *req, int status, const char *message)
{
	cyg_autobuf struct cyg_buf body;

	cyg_buf_init(&body, ERROR_BODY_MAX);
	http_error_body(&body, status, message);
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

struct http_stream *http_reply_stream(struct http_req *req, int status, const char *type,
    const struct http_stream_events *events, void *arg)
{
	tell(req, status);
	return req->sender_->reply_stream(req, status, type, events, arg);
}

int http_stream_write(struct http_stream *st, struct cyg_str data, struct cyg_err *err)
{
	return st->sender->stream_write(st, data, err);
}

void http_stream_end(struct http_stream *st)
{
	st->sender->stream_end(st);
}

void http_stream_abort(struct http_stream *st)
{
	st->sender->stream_abort(st);
}

int http_reply_websocket(struct http_req *req, const char *protocol, http_upgraded_fn on_open,
    void *arg, struct cyg_err *err)
{
	return req->sender_->reply_websocket(req, protocol, on_open, arg, err);
}

/* Responses of the Jupyter endpoints. The policy fields are those of jupyter_server, because
 * clients' own tests compare them literally. */
#include "kernels/base/reply.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>

enum { ERROR_MAX = 16 * 1024 };
static const char JSON[] = "application/json";

void reply_policy(struct http_req *req, bool page)
{
	const char *policy = cyg_arena_printf(req->arena,
	    "frame-ancestors 'self'; report-uri %sapi/security/csp-report%s", req->base_url,
	    page ? "" : "; default-src 'none'");

	http_reply_field(req, "Content-Security-Policy", policy);
	http_reply_field(req, "X-Content-Type-Options", "nosniff");
}

void reply_begin(struct reply *r)
{
	cyg_buf_init(&r->buf, REPLY_MAX);
	jsonw_init(&r->w, &r->buf);
}

void reply_end(struct reply *r, struct http_req *req, int status)
{
	struct cyg_err err = { 0 };
	size_t len;

	if (jsonw_finish(&r->w, &err) < 0) {
		cyg_buf_free(&r->buf);
		reply_error(req, 500, NULL, "%s", err.msg);
		return;
	}
	char *body = cyg_buf_take(&r->buf, &len);

	reply_policy(req, false);
	http_reply_take(req, status, JSON, body, len);
}

void reply_write_error(struct cyg_buf *out, const char *message, const char *reason)
{
	struct jsonw w;

	jsonw_init(&w, out);
	jsonw_object(&w);
	jsonw_key_cstr(&w, "message", message);
	jsonw_key_cstr(&w, "reason", reason);
	jsonw_object_end(&w);
	(void)jsonw_finish(&w, NULL);
}

static void send_error(struct http_req *req, int status, const char *reason, const char *text)
{
	cyg_autobuf struct cyg_buf out;

	cyg_buf_init(&out, ERROR_MAX);
	reply_write_error(&out, text, reason);
	reply_policy(req, false);
	http_reply(req, status, JSON, cyg_buf_str(&out));
}

void reply_error(struct http_req *req, int status, const char *reason, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	send_error(req, status, reason, text);
}

void reply_err(struct http_req *req, const struct cyg_err *err)
{
	send_error(req, http_status_of(err->code), NULL, err->msg);
}

void reply_empty(struct http_req *req)
{
	reply_policy(req, false);
	http_reply(req, 204, NULL, CYG_STR(""));
}

void reply_location(struct http_req *req, const char *below)
{
	http_reply_field(
	    req, "Location", cyg_arena_printf(req->arena, "%s%s", req->base_url, below));
}

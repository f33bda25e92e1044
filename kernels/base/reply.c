/* Answers of the Jupyter endpoints. The policy fields are jupyter_server's, which clients' own
 * tests compare literally. */
#include "kernels/base/reply.h"

#include "base/mem.h"
#include "kernels/base/job.h"

#include <stdarg.h>
#include <stdio.h>

static const char JSON[] = "application/json";

void reply_begin(struct reply *r)
{
	cyg_buf_init(&r->buf, REPLY_MAX);
	jsonw_init(&r->w, &r->buf);
}

/* NOLINTBEGIN(misc-no-recursion): only more than REPLY_MAX fails, an error is short */
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

	agent_reply_policy(req, req->base_url, false, "");
	http_reply_take(req, status, JSON, body, len);
}

static void write_error(struct http_req *req, int status, const char *reason, const char *text)
{
	struct reply r;

	reply_begin(&r);
	jsonw_object(&r.w);
	jsonw_key_cstr(&r.w, "message", text);
	if (reason != NULL)
		jsonw_key_cstr(&r.w, "reason", reason);
	else
		jsonw_key_null(&r.w, "reason");
	jsonw_object_end(&r.w);
	reply_end(&r, req, status);
}

void reply_error(struct http_req *req, int status, const char *reason, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	write_error(req, status, reason, text);
}
/* NOLINTEND(misc-no-recursion) */

void reply_err(struct http_req *req, const struct cyg_err *err)
{
	write_error(req, http_status_of(err->code), NULL, err->msg);
}

void reply_empty(struct http_req *req)
{
	agent_reply_policy(req, req->base_url, false, "");
	http_reply(req, 204, NULL, CYG_STR(""));
}

void reply_location(struct http_req *req, const char *base, const char *below)
{
	cyg_autofree char *location = cyg_xasprintf("%s/%s", base, below);

	http_reply_field(req, "Location", location);
}

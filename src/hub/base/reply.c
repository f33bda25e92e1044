/* How the hub responds. Every error goes through reply_error, which decides between an error page
 * and JSON. Pages come from webfiles.c; texts and forms are JupyterHub's where it has them. */
#include "hub/base/reply.h"

#include "base/mem.h"
#include "cygnet/paths.h"
#include "cygnet/version.h"
#include "http/url.h"
#include "hub/base/webfiles.h"

#include <stdio.h>
#include <string.h>

enum { NEXT_MAX = 2048, LOCATION_MAX = 8192 };

void reply_json(struct http_req *req, int status, json_t *root)
{
	char *text = json_dumps(root, JSON_COMPACT);

	json_decref(root);
	if (text == NULL) {
		http_reply_error(req, 500, "The response could not be written.");
		return;
	}
	http_reply_take(req, status, "application/json", text, strlen(text));
}

void reply_unsaved(struct http_req *req)
{
	http_reply_field(req, "Retry-After", "10");
	reply_error(req, 503,
	    "This could not be saved, because the service cannot write to its disk. What runs goes "
	    "on. Please try again in a moment.");
}

bool request_is_api(const struct http_req *req)
{
	return cyg_str_starts(req->path, CYG_HUB_PATH "/api/") ||
	       cyg_str_eq(req->path, CYG_HUB_PATH "/api");
}

/* Addresses that no user opens in a browser: a server's own API, and the health check of a
 * watchdog. */
static bool is_for_programs(const struct http_req *req)
{
	if (cyg_str_eq(req->path, CYG_HUB_PATH "/health"))
		return true;
	return cyg_str_starts(req->path, CYG_USER_PATH) &&
	       memmem(req->path.p, req->path.len, "/api/", 5) != NULL;
}

bool request_wants_json(const struct http_req *req)
{
	const struct http_field *accept = http_head_find(req->head, "accept");

	if (request_is_api(req) || is_for_programs(req))
		return true;
	if (req->method != HTTP_GET && req->method != HTTP_HEAD)
		return accept == NULL || !http_head_lists(req->head, "accept", "text/html");
	/* A browser's navigation always names text/html first. */
	return accept != NULL &&
	       memmem(accept->value.p, accept->value.len, "text/html", 9) == NULL &&
	       memmem(accept->value.p, accept->value.len, "application/json", 16) != NULL;
}

void reply_error(struct http_req *req, int status, const char *message)
{
	if (request_wants_json(req) || !webfiles_send_error(req, status))
		http_reply_error(req, status, message);
}

void reply_field_error(struct http_req *req, int status, const char *message, const char *field)
{
	if (field == NULL)
		reply_error(req, status, message);
	else
		reply_json(req, status,
		    json_pack("{s:i, s:s, s:{s:s}}", "status", status, "message", message, "cygnet",
			"field", field));
}

void reply_err(struct http_req *req, const struct cyg_err *err)
{
	reply_error(req, http_status_of(err->code), err->msg);
}

void reply_retry_after(struct http_req *req, uint64_t wait_ms)
{
	char seconds[24];

	(void)snprintf(
	    seconds, sizeof(seconds), "%llu", (unsigned long long)(wait_ms + 999) / 1000);
	http_reply_field(req, "Retry-After", seconds);
}

const char *request_next(struct http_req *req, struct cyg_str next)
{
	if (next.len == 0 || next.len > NEXT_MAX || !url_is_local(next))
		return CYG_HUB_PATH "/home";
	return cyg_arena_dup(req->arena, next);
}

/* The proxy appends the peer's address: the last one is the one it saw itself. */
struct cyg_str request_client(const struct http_req *req)
{
	const struct http_field *f = http_head_find(req->head, "x-forwarded-for");
	struct cyg_str rest = f != NULL ? f->value : CYG_STR("unknown"), part, last = rest;

	while (cyg_str_next(&rest, ',', &part))
		last = cyg_str_trim(part);
	return last;
}

void reply_redirect_next(struct http_req *req, int status, const char *path, struct cyg_str next)
{
	cyg_autobuf struct cyg_buf b;

	cyg_buf_init(&b, LOCATION_MAX);
	if (cyg_buf_add_str(&b, path, NULL) < 0 || cyg_buf_add_str(&b, "?next=", NULL) < 0 ||
	    url_encode(&b, next, "/", NULL) < 0) {
		http_reply_redirect(req, status, path);
		return;
	}
	http_reply_redirect(req, status, b.data);
}

void reply_sign_in(struct http_req *req)
{
	bool navigation = req->method == HTTP_GET || req->method == HTTP_HEAD;

	if (!navigation || request_wants_json(req)) {
		reply_error(req, 403, "Missing or invalid credentials.");
		return;
	}
	http_reply_field(req, "Cache-Control", "no-store");
	reply_redirect_next(req, 302, CYG_HUB_PATH "/login", req->head->target);
}

void reply_api_fields(struct http_req *req)
{
	http_reply_field(req, "X-JupyterHub-Version", CYGNET_JUPYTERHUB_VERSION);
	http_reply_field(req, "Content-Security-Policy",
	    "frame-ancestors 'none'; report-uri " CYG_HUB_PATH
	    "/security/csp-report; default-src 'none'");
	http_reply_field(req, "X-Content-Type-Options", "nosniff");
	http_reply_field(req, "Cache-Control", "no-store");
}

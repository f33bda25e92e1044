/* Writes the heads that are forwarded. Two tables name the fields that each direction drops; the
 * rest is copied field by field by the codec's writer, which checks every byte again. */
#include "proxy/rewrite.h"

#include "base/mem.h"
#include "http/cookie.h"

#include <string.h>
#include <strings.h>

/* A field's name; with '*' at its end, every name that begins so. */
struct drop {
	const char *name;
	size_t len;
	bool prefix;
};
#define DROP(text)                                                                                 \
	{                                                                                          \
		(text), sizeof(text) - 1, false                                                    \
	}
#define DROP_ALL(text)                                                                             \
	{                                                                                          \
		(text), sizeof(text) - 1, true                                                     \
	}

/* Fields that we write ourselves, and fields by which a client could claim to be somebody. */
static const struct drop request_drops[] = {
	DROP("host"),
	DROP("content-length"),
	DROP("expect"),
	DROP("cookie"),
	DROP("forwarded"),
	DROP("x-scheme"),
	DROP("x-client-ip"),
	DROP("x-cluster-client-ip"),
	DROP("true-client-ip"),
	DROP_ALL("remote-"),
	DROP_ALL("x-auth-request-"),
	DROP_ALL("x-authenticated-"),
	DROP_ALL("x-real-"),
	DROP_ALL("x-cygnet-"),
	DROP_ALL("x-forwarded-"),
	DROP_ALL("x-remote-"),
};

static const struct drop response_drops[] = {
	DROP("content-length"),
	DROP_ALL("x-cygnet-"),
};

/* A user's server may not set these for the whole origin, which it shares with the hub. */
static const struct drop server_drops[] = {
	DROP("service-worker-allowed"),
	DROP("clear-site-data"),
};

static bool is_dropped(struct cyg_str name, const struct drop *drops, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct drop *d = &drops[i];

		if (d->prefix ? name.len >= d->len : name.len == d->len) {
			if (strncasecmp(name.p, d->name, d->len) == 0)
				return true;
		}
	}
	return false;
}

static int write_text(
    struct cyg_buf *out, struct cyg_str name, const char *value, struct cyg_err *err)
{
	return http_write_field(out, name, cyg_str_of(value), err);
}

static int write_length(struct cyg_buf *out, uint64_t length, struct cyg_err *err)
{
	return cyg_buf_printf(out, err, "Content-Length: %llu\r\n", (unsigned long long)length);
}

/* ---- requests ---- */
static int write_request_fields(
    const struct rewrite_request *in, struct cyg_buf *out, struct cyg_err *err)
{
	bool drop_token = in->edge->by_token && in->edge->route->auth == ROUTE_SESSION;
	int rc = 0;

	for (size_t i = 0; i < in->head->n_fields && rc == 0; i++) {
		const struct http_field *f = &in->head->fields[i];

		if (is_dropped(f->name, request_drops, CYG_N(request_drops)) ||
		    http_head_is_hop_by_hop(in->head, f->name))
			continue;
		if (drop_token && cyg_str_case_eq(f->name, "authorization"))
			continue;
		rc = http_write_field(out, f->name, f->value, err);
	}
	return rc;
}

/* The hub gets all cookies; users' servers get those that are not the hub's; requests of agents
 * have none. */
static int write_cookies(const struct rewrite_request *in, struct cyg_buf *out, struct cyg_err *err)
{
	const char *left_out = table_is_server(in->edge->route) ? EDGE_COOKIE : "=";
	cyg_autobuf struct cyg_buf text;
	int rc;

	cyg_buf_init(&text, CYG_HTTP_HEAD_MAX);
	if (in->kind == LISTENER_INNER || http_head_find(in->head, "cookie") == NULL)
		return 0;
	/* No cookie's name begins with '=', so nothing is left out. */
	rc = http_cookie_without(in->head, left_out, &text, err);
	if (rc < 0 || text.len == 0)
		return rc;
	return http_write_field(out, CYG_STR("Cookie"), cyg_buf_str(&text), err);
}

static int write_identity(
    const struct rewrite_request *in, struct cyg_buf *out, struct cyg_err *err)
{
	const struct cred *cred = in->edge->cred;
	int rc = 0;

	if (in->ip[0] != '\0')
		rc = write_text(out, CYG_STR("X-Forwarded-For"), in->ip, err);
	if (rc == 0)
		rc = write_text(out, CYG_STR("X-Forwarded-Proto"), in->scheme, err);
	if (rc == 0 && in->head->host.len > 0)
		rc = http_write_field(out, CYG_STR("X-Forwarded-Host"), in->head->host, err);
	if (rc == 0 && cred != NULL)
		rc = write_text(out, CYG_STR("X-Cygnet-User"), cred->user, err);
	if (rc == 0 && cred != NULL && cred->server[0] != '\0')
		rc = write_text(out, CYG_STR("X-Cygnet-Server"), cred->server, err);
	return rc;
}

static int write_request_framing(
    const struct rewrite_request *in, struct cyg_buf *out, struct cyg_err *err)
{
	int rc = 0;

	if (in->head->framing == HTTP_BODY_LENGTH)
		rc = write_length(out, in->head->content_length, err);
	else if (in->head->framing == HTTP_BODY_CHUNKED)
		rc = cyg_buf_add_str(out, "Transfer-Encoding: chunked\r\n", err);
	if (rc == 0 && in->head->expect_continue)
		rc = cyg_buf_add_str(out, "Expect: 100-continue\r\n", err);
	if (rc == 0 && in->edge->upgrade)
		rc = cyg_buf_add_str(out, "Connection: Upgrade\r\nUpgrade: websocket\r\n", err);
	return rc;
}

int rewrite_request(const struct rewrite_request *in, struct cyg_buf *out, struct cyg_err *err)
{
	int rc;

	if ((rc = http_write_request_line(out, in->head->method_text, in->head->target, err)) < 0 ||
	    (rc = http_write_field(out, CYG_STR("Host"),
		 in->head->host.len > 0 ? in->head->host : CYG_STR("localhost"), err)) < 0 ||
	    (rc = write_request_fields(in, out, err)) < 0 ||
	    (rc = write_cookies(in, out, err)) < 0 || (rc = write_identity(in, out, err)) < 0 ||
	    (rc = write_request_framing(in, out, err)) < 0)
		return rc;
	return http_write_end(out, err);
}

/* ---- responses ---- */
enum http_framing rewrite_framing(const struct http_head *head, int client_minor)
{
	if (head->framing == HTTP_BODY_NONE || head->framing == HTTP_BODY_LENGTH)
		return head->framing;
	return client_minor >= 1 ? HTTP_BODY_CHUNKED : HTTP_BODY_CLOSE;
}

/* Some browsers read "=__Host-cygnet=x" as a cookie without a name and send it back as
 * "__Host-cygnet=x", so that counts as ours too. */
static bool is_our_cookie(const struct http_field *f)
{
	static const char name[] = EDGE_COOKIE;
	struct cyg_str text = f->value;

	if (!cyg_str_case_eq(f->name, "set-cookie"))
		return false;
	while (text.len > 0 && strchr("= \t", text.p[0]) != NULL)
		text = cyg_str_skip(text, 1);
	return text.len >= sizeof(name) - 1 && strncasecmp(text.p, name, sizeof(name) - 1) == 0;
}

static bool is_forwarded(const struct rewrite_response *in, const struct http_field *f)
{
	if (is_dropped(f->name, response_drops, CYG_N(response_drops)) ||
	    http_head_is_hop_by_hop(in->head, f->name))
		return false;
	if (!in->from_server)
		return true;
	return !is_dropped(f->name, server_drops, CYG_N(server_drops)) && !is_our_cookie(f);
}

/* Responses to HEAD and 304 have no body; their Content-Length is that of the body that GET would
 * have. A 204 has none (RFC 9110 8.6). */
static int write_response_framing(
    const struct rewrite_response *in, struct cyg_buf *out, struct cyg_err *err)
{
	const struct http_field *length = http_head_find(in->head, "content-length");
	int status = in->head->status;
	bool describes = status == 304 || (in->method == HTTP_HEAD && status != 204);

	if (in->framing == HTTP_BODY_LENGTH)
		return write_length(out, in->head->content_length, err);
	if (in->framing == HTTP_BODY_CHUNKED)
		return cyg_buf_add_str(out, "Transfer-Encoding: chunked\r\n", err);
	if (describes && length != NULL)
		return http_write_field(out, CYG_STR("Content-Length"), length->value, err);
	return 0;
}

static int write_connection(
    const struct rewrite_response *in, struct cyg_buf *out, struct cyg_err *err)
{
	if (in->upgrade)
		return cyg_buf_add_str(out, "Connection: Upgrade\r\nUpgrade: websocket\r\n", err);
	if (!in->keep)
		return cyg_buf_add_str(out, "Connection: close\r\n", err);
	if (in->client_minor == 0)
		return cyg_buf_add_str(out, "Connection: keep-alive\r\n", err);
	return 0;
}

static int write_response_fields(
    const struct rewrite_response *in, struct cyg_buf *out, struct cyg_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < in->head->n_fields && rc == 0; i++) {
		const struct http_field *f = &in->head->fields[i];

		if (is_forwarded(in, f))
			rc = http_write_field(out, f->name, f->value, err);
	}
	return rc;
}

int rewrite_response(const struct rewrite_response *in, struct cyg_buf *out, struct cyg_err *err)
{
	int rc = http_write_status_line(out, in->head->status, err);

	if (rc == 0)
		rc = write_response_fields(in, out, err);
	if (rc == 0)
		rc = write_response_framing(in, out, err);
	if (rc == 0)
		rc = write_connection(in, out, err);
	return rc < 0 ? rc : http_write_end(out, err);
}

int rewrite_interim(const struct rewrite_response *in, struct cyg_buf *out, struct cyg_err *err)
{
	int rc = http_write_status_line(out, in->head->status, err);

	if (rc == 0)
		rc = write_response_fields(in, out, err);
	return rc < 0 ? rc : http_write_end(out, err);
}

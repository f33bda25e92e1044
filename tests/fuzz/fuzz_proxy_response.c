/* Fuzz target: a response through the proxy. A valid head of a target is written as one that parses
 * again to the same message, framed for the client, without the fields that a user's server may not
 * set. The first byte chooses method, client version, keep-alive and kind of target. */
#include "base/mem.h"
#include "proxy/rewrite.h"

#include <stdint.h>
#include <stdlib.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct http_head head, again;

static void require(bool ok)
{
	if (!ok)
		abort();
}

/* Also for a browser that takes a cookie without a name for the one it holds. */
static void check_cookie(struct cyg_str text)
{
	static const char name[] = EDGE_COOKIE;

	while (text.len > 0 && (text.p[0] == '=' || text.p[0] == ' ' || text.p[0] == '\t'))
		text = cyg_str_skip(text, 1);
	require(text.len < sizeof(name) - 1 || strncasecmp(text.p, name, sizeof(name) - 1) != 0);
}

static void check_fields(const struct rewrite_response *in)
{
	require(http_head_count(&again, "connection") <= 1);
	require(http_head_count(&again, "upgrade") == in->upgrade);
	require(http_head_count(&again, "x-cygnet-user") == 0);
	for (size_t i = 0; i < again.n_fields && in->from_server; i++) {
		const struct http_field *f = &again.fields[i];

		require(!cyg_str_case_eq(f->name, "service-worker-allowed"));
		require(!cyg_str_case_eq(f->name, "clear-site-data"));
		if (cyg_str_case_eq(f->name, "set-cookie"))
			check_cookie(f->value);
	}
}

static void check_message(const struct rewrite_response *in)
{
	bool interim = head.status < 200 && head.status != 101;
	cyg_autobuf struct cyg_buf out;
	struct cyg_err err;
	int status;
	long n;

	cyg_buf_init(&out, 64 * 1024);
	if (interim)
		require(rewrite_interim(in, &out, &err) == 0);
	else
		require(rewrite_response(in, &out, &err) == 0);
	n = http_head_parse_response(out.data, out.len, in->method, &again, &status, &err);
	/* What is added can lift a head at the limits over them. */
	if (n < 0 && (out.len > CYG_HTTP_HEAD_MAX || head.n_fields + 3 > CYG_HTTP_FIELDS_MAX))
		return;
	require(n > 0 && (size_t)n == out.len);
	require(again.status == head.status && again.framing == in->framing);
	require(in->framing != HTTP_BODY_LENGTH || again.content_length == head.content_length);
	require(interim || in->upgrade || again.keep_alive == in->keep);
	check_fields(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rewrite_response in = { .head = &head };
	struct cyg_err err;
	int status;

	if (size == 0)
		return 0;
	in.method = (data[0] & 1) != 0 ? HTTP_HEAD : HTTP_GET;
	in.client_minor = (data[0] & 2) != 0 ? 0 : 1;
	in.from_server = (data[0] & 8) == 0;
	if (http_head_parse_response(
		(const char *)data + 1, size - 1, in.method, &head, &status, &err) <= 0)
		return 0;
	in.framing = rewrite_framing(&head, in.client_minor);
	in.keep = (data[0] & 4) == 0 && in.framing != HTTP_BODY_CLOSE;
	in.upgrade = head.status == 101;
	check_message(&in);
	return 0;
}

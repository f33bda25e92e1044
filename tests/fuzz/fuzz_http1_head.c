/* Fuzz target: a request (or response) head and what follows it. What parses must need every one of
 * its bytes, have one framing only, and parse to the same again when it is written anew; its body
 * must decode alike in one piece and byte by byte. The corpus is also the unit tests' battery. */
#include "base/mem.h"
#include "http/body.h"
#include "http/text.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct http_head head, again;

/* The most bytes that follow a head: enough to reach every state. */
enum { BODY_MAX = 1 << 20, WRITTEN_MAX = 64 * 1024 };

static void check_one_framing(const struct http_head *h)
{
	size_t lengths = http_head_count(h, "content-length");
	size_t codings = http_head_count(h, "transfer-encoding");

	assert(lengths + codings <= 1);
	assert(h->framing != HTTP_BODY_CHUNKED || codings == 1);
	assert(h->framing != HTTP_BODY_LENGTH || lengths == 1);
}

static void check_fields(const struct http_head *a, const struct http_head *b)
{
	assert(a->n_fields == b->n_fields);
	for (size_t i = 0; i < a->n_fields; i++) {
		assert(cyg_str_same(a->fields[i].name, b->fields[i].name));
		assert(cyg_str_same(a->fields[i].value, b->fields[i].value));
	}
}

/* Writes the parsed head anew and reads that. */
static void check_written(const struct http_head *h)
{
	cyg_autobuf struct cyg_buf out;
	int status;
	int rc;

	cyg_buf_init(&out, WRITTEN_MAX);
	rc = http_write_request_line(&out, h->method_text, h->target, NULL);
	for (size_t i = 0; rc == 0 && i < h->n_fields; i++)
		rc = http_write_field(&out, h->fields[i].name, h->fields[i].value, NULL);
	assert(rc == 0 && http_write_end(&out, NULL) == 0);
	/* A head full to its limit may grow beyond it by the spaces after its colons. */
	if (out.len > CYG_HTTP_HEAD_MAX)
		return;
	assert(http_head_parse_request(out.data, out.len, &again, &status, NULL) == (long)out.len);
	assert(again.method == h->method && cyg_str_same(again.target, h->target));
	assert(cyg_str_same(again.host, h->host));
	assert(again.framing == h->framing && again.content_length == h->content_length);
	assert(again.keep_alive == h->keep_alive && again.upgrade == h->upgrade);
	check_fields(h, &again);
}

/* Decodes in steps: bytes used, or -1. */
static long decode(const struct http_head *h, struct cyg_str data, size_t step, struct cyg_buf *out)
{
	struct http_body body;
	size_t at = 0;

	http_body_init(&body, h);
	while (!body.done && at < data.len) {
		struct cyg_str payload;
		size_t n = data.len - at < step ? data.len - at : step;
		size_t used;

		if (http_body_step(&body, data.p + at, n, &used, &payload, NULL) < 0)
			return -1;
		assert(used <= n && payload.len <= used);
		assert(used > 0 || body.done);
		(void)cyg_buf_add(out, payload.p, payload.len, NULL);
		at += used;
	}
	return (long)at;
}

static void check_body(const struct http_head *h, struct cyg_str data)
{
	cyg_autobuf struct cyg_buf whole, bytes;

	cyg_buf_init(&whole, BODY_MAX);
	cyg_buf_init(&bytes, BODY_MAX);
	assert(decode(h, data, SIZE_MAX, &whole) == decode(h, data, 1, &bytes));
	assert(cyg_str_same(cyg_buf_str(&whole), cyg_buf_str(&bytes)));
}

static void check_request(const char *text, size_t size)
{
	int status = 0;
	long len = http_head_parse_request(text, size, &head, &status, NULL);

	if (len < 0)
		assert(http_status_text(status)[0] != '\0' && status >= 400);
	if (len <= 0)
		return;
	assert((size_t)len <= size && len <= CYG_HTTP_HEAD_MAX);
	assert(http_head_parse_request(text, (size_t)len - 1, &again, &status, NULL) == 0);
	check_one_framing(&head);
	assert(head.method != HTTP_OTHER && head.framing != HTTP_BODY_CLOSE);
	assert(head.minor == 0 || http_host_is_ok(head.host));
	if (head.minor == 1)
		check_written(&head);
	check_body(&head, (struct cyg_str){ text + len, size - (size_t)len });
}

static void check_response(const char *text, size_t size)
{
	enum http_method method = size % 2 == 0 ? HTTP_GET : HTTP_HEAD;
	int status = 0;
	long len = http_head_parse_response(text, size, method, &head, &status, NULL);

	if (len < 0)
		assert(status == 502);
	if (len <= 0)
		return;
	assert(http_head_parse_response(text, (size_t)len - 1, method, &again, &status, NULL) == 0);
	assert(method != HTTP_HEAD || head.framing == HTTP_BODY_NONE);
	check_one_framing(&head);
	check_body(&head, (struct cyg_str){ text + len, size - (size_t)len });
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_request((const char *)data, size);
	check_response((const char *)data, size);
	return 0;
}

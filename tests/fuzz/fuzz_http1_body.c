/* Fuzz target: the chunked coding. The first byte is the step; what decodes must decode alike in
 * steps, and its payload, written as chunks, must come back. */
#include "base/mem.h"
#include "http/body.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BODY_MAX = 1 << 20 };

/* Bytes used when the body is complete, 0 when more is needed, -1 when it is refused. */
static long decode(struct cyg_str data, size_t step, struct cyg_buf *out)
{
	static const struct http_head chunked = { .framing = HTTP_BODY_CHUNKED };
	struct http_body body;
	size_t at = 0;

	http_body_init(&body, &chunked);
	while (!body.done && at < data.len) {
		struct cyg_str payload;
		size_t n = data.len - at < step ? data.len - at : step;
		size_t used;

		if (http_body_step(&body, data.p + at, n, &used, &payload, NULL) < 0)
			return -1;
		assert(used > 0 && used <= n && payload.len <= used);
		assert(payload.len == 0 ||
		       (payload.p >= data.p + at && payload.p + payload.len <= data.p + at + used));
		(void)cyg_buf_add(out, payload.p, payload.len, NULL);
		at += used;
	}
	assert(body.done == (http_body_end(&body, NULL) == 0));
	return body.done ? (long)at : 0;
}

static void check_written(struct cyg_str payload)
{
	cyg_autobuf struct cyg_buf text, back;
	size_t half = payload.len / 2;
	int rc = 0;

	cyg_buf_init(&text, 2 * BODY_MAX);
	cyg_buf_init(&back, BODY_MAX);
	if (half > 0)
		rc = http_chunk_write(&text, payload.p, half, NULL);
	if (rc == 0 && payload.len > half)
		rc = http_chunk_write(&text, payload.p + half, payload.len - half, NULL);
	assert(rc == 0 && http_chunk_end(&text, NULL) == 0);
	assert(decode(cyg_buf_str(&text), SIZE_MAX, &back) == (long)text.len);
	assert(cyg_str_same(cyg_buf_str(&back), payload));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cyg_autobuf struct cyg_buf whole, steps;
	struct cyg_str text;
	long used;

	cyg_buf_init(&whole, BODY_MAX);
	cyg_buf_init(&steps, BODY_MAX);
	if (size == 0)
		return 0;
	text = (struct cyg_str){ (const char *)data + 1, size - 1 };
	used = decode(text, SIZE_MAX, &whole);
	assert(decode(text, (size_t)data[0] % 16 + 1, &steps) == used);
	assert(cyg_str_same(cyg_buf_str(&whole), cyg_buf_str(&steps)));
	if (used > 0)
		check_written(cyg_buf_str(&whole));
	return 0;
}

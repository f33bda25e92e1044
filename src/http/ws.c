/* The WebSocket handshake, as far as HTTP goes. */
#include "http/ws.h"

#include "base/enc.h"
#include "http/sha1.h"

#include <string.h>

static int refuse(int *status, int code, struct cyg_err *err, const char *why)
{
	*status = code;
	return cyg_fail(err, CYG_EINVAL, "%s", why);
}

/* 16 bytes in base64 (RFC 6455 4.1). */
static bool key_is_ok(struct cyg_str key)
{
	cyg_autobuf struct cyg_buf raw;

	cyg_buf_init(&raw, 64);
	return key.len == 24 && cyg_base64_read(&raw, key, NULL) == 0 && raw.len == 16;
}

int ws_request_check(const struct http_head *head, int *status, struct cyg_err *err)
{
	const struct http_field *key = http_head_find(head, "sec-websocket-key");
	const struct http_field *version = http_head_find(head, "sec-websocket-version");

	if (head->method != HTTP_GET || head->minor != 1 || head->framing != HTTP_BODY_NONE)
		return refuse(status, 400, err, "a WebSocket opens with a GET without a body");
	if (!head->upgrade || !http_head_lists(head, "upgrade", "websocket"))
		return refuse(status, 400, err, "not an upgrade to websocket");
	if (version == NULL || http_head_count(head, "sec-websocket-version") != 1 ||
	    !cyg_str_eq(version->value, "13"))
		return refuse(status, 426, err, "only version 13 of WebSocket is spoken");
	if (key == NULL || http_head_count(head, "sec-websocket-key") != 1 ||
	    !key_is_ok(key->value))
		return refuse(status, 400, err, "bad Sec-WebSocket-Key");
	return 0;
}

void ws_accept_of(struct cyg_str key, char out[WS_ACCEPT_SIZE])
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	cyg_autobuf struct cyg_buf text;
	uint8_t digest[HTTP_SHA1_LEN];

	cyg_buf_init(&text, 256);
	if (key.len <= 64)
		(void)cyg_buf_add(&text, key.p, key.len, NULL);
	(void)cyg_buf_add_str(&text, guid, NULL);
	http_sha1(text.data, text.len, digest);
	cyg_buf_reset(&text);
	(void)cyg_base64_write(&text, digest, sizeof(digest), NULL);
	(void)cyg_str_copy(out, WS_ACCEPT_SIZE, cyg_buf_str(&text));
}

/* Parses the client's frames (masks, fragments, control frames, limits) by libwslay's event
 * interface, which also writes the control frames to send back. The only file that uses libwslay.
 */
#include "base/mem.h"
#include "kernels/base/ws.h"

#include <string.h>
#include <wslay/wslay.h>

enum { CONTROL_MAX = 64 * 1024 }; /* pongs to the pings of one read; a flood ends the connection */

struct ws_reader {
	wslay_event_context_ptr ctx;
	void (*on_message)(void *arg, bool binary, struct cyg_str message);
	void *arg;
	struct cyg_str in; /* being fed */
	char *out;
	size_t out_len;
};

static ssize_t on_recv(
    wslay_event_context_ptr ctx, uint8_t *buf, size_t len, int flags, void *user_data)
{
	struct ws_reader *r = user_data;
	size_t n = r->in.len < len ? r->in.len : len;

	if (n == 0) {
		wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	memcpy(buf, r->in.p, n);
	r->in = cyg_str_skip(r->in, n);
	return (ssize_t)n;
}

static ssize_t on_send(
    wslay_event_context_ptr ctx, const uint8_t *data, size_t len, int flags, void *user_data)
{
	struct ws_reader *r = user_data;

	if (r->out_len + len > CONTROL_MAX) {
		wslay_event_set_error(ctx, WSLAY_ERR_CALLBACK_FAILURE);
		return -1;
	}
	r->out = cyg_xrealloc(r->out, r->out_len + len);
	memcpy(r->out + r->out_len, data, len);
	r->out_len += len;
	return (ssize_t)len;
}

static void on_msg(
    wslay_event_context_ptr ctx, const struct wslay_event_on_msg_recv_arg *arg, void *user_data)
{
	struct ws_reader *r = user_data;

	if (arg->opcode != WSLAY_TEXT_FRAME && arg->opcode != WSLAY_BINARY_FRAME)
		return;
	r->on_message(r->arg, arg->opcode == WSLAY_BINARY_FRAME,
	    (struct cyg_str){ (const char *)arg->msg, arg->msg_length });
}

struct ws_reader *ws_reader_new(size_t message_max,
    void (*on_message)(void *arg, bool binary, struct cyg_str message), void *arg)
{
	const struct wslay_event_callbacks callbacks = {
		.recv_callback = on_recv,
		.send_callback = on_send,
		.on_msg_recv_callback = on_msg,
	};
	struct ws_reader *r = cyg_xcalloc(1, sizeof(*r));

	r->on_message = on_message;
	r->arg = arg;
	if (wslay_event_context_server_init(&r->ctx, &callbacks, r) != 0) {
		free(r);
		return NULL;
	}
	wslay_event_config_set_max_recv_msg_length(r->ctx, message_max);
	return r;
}

void ws_reader_free(struct ws_reader *r)
{
	if (r == NULL)
		return;
	wslay_event_context_free(r->ctx);
	free(r->out);
	free(r);
}

static struct wsbuf *take_out(struct ws_reader *r)
{
	struct wsbuf *b = NULL;

	if (r->out_len > 0)
		b = wsbuf_copy(WSBUF_RAW, (struct cyg_str){ r->out, r->out_len });
	free(r->out);
	r->out = NULL;
	r->out_len = 0;
	return b;
}

bool ws_reader_feed(struct ws_reader *r, struct cyg_str data, struct wsbuf **out, int *code)
{
	int rc;

	r->in = data;
	rc = wslay_event_recv(r->ctx);
	if (wslay_event_want_write(r->ctx) && wslay_event_send(r->ctx) != 0)
		rc = WSLAY_ERR_CALLBACK_FAILURE;
	*out = take_out(r);
	if (rc == 0 && !wslay_event_get_close_sent(r->ctx) &&
	    !wslay_event_get_close_received(r->ctx))
		return true;
	*code = wslay_event_get_close_received(r->ctx)
		    ? wslay_event_get_status_code_received(r->ctx)
		    : WSLAY_CODE_ABNORMAL_CLOSURE;
	return false;
}

/* The proxy's own responses, and the end of every response: the connection is kept for the next
 * request or closed. */
#include "base/clock.h"
#include "daemon/log.h"
#include "proxy/page.h"
#include "proxy/proxy.h"
#include "proxy/upstream.h"

/* Skips what has arrived of the request's body. The connection is not kept when the body is not
 * complete, because the next request cannot be found. */
static void skip_body(struct client *c)
{
	struct exchange *x = &c->x;
	struct cyg_buf *in = &c->peer.in;
	struct cyg_str payload;
	size_t used;

	while (x->begun && !x->up.done && in->len > 0) {
		if (http_body_step(&x->up, in->data, in->len, &used, &payload, NULL) < 0)
			break;
		cyg_buf_consume(in, used);
	}
	/* After a WebSocket opening that failed, the next bytes may be frames. */
	if (!x->begun || !x->up.done || x->upgrade)
		x->keep = false;
}

static void reply_page(struct client *c, struct page *page)
{
	struct exchange *x = &c->x;
	struct cyg_err err;

	upstream_release(c, false);
	skip_body(c);
	page->head_only = x->method == HTTP_HEAD;
	page->keep = x->keep;
	page->client_minor = x->client_minor;
	x->status = page->status;
	if (page_write(page, peer_out(&c->peer), &err) < 0) {
		cyg_log_error(client_name(c), "own response: %s", err.msg);
		client_close(c, "own response failed");
		return;
	}
	client_move(c, CLIENT_REPLY);
}

void reply_own(struct client *c, enum refusal cause, int status, const char *message)
{
	struct page page = {
		.status = status, .message = message, .location = CYG_STR(""), .html = c->x.html
	};

	c->proxy->n_refused[cause]++;
	reply_page(c, &page);
}

void reply_no_head(struct client *c, enum refusal cause, int status, const char *message)
{
	c->x.client_minor = 1;
	c->x.start_ns = cyg_clock_mono_ns();
	c->x.method = http_head_peek_method(c->peer.in.data, c->peer.in.len);
	reply_own(c, cause, status, message);
}

void reply_redirect(struct client *c, struct cyg_str location)
{
	struct page page = { .status = 302,
		.message = "The address has moved",
		.location = location,
		.html = c->x.html };

	reply_page(c, &page);
}

bool reply_step(struct client *c)
{
	bool keep;

	if (peer_flush(&c->peer))
		c->moved_ms = uv_now(c->proxy->loop);
	if (c->peer.failed)
		return true;
	if (c->peer.out.len > 0)
		return false;
	/* A client that ended its direction may still have sent further requests before. */
	keep = c->x.keep && !c->proxy->draining && (!c->peer.eof || c->peer.in.len > 0);
	access_done(c, "done");
	client_reset(c);
	if (keep) {
		client_move(c, CLIENT_IDLE);
		return true;
	}
	peer_shut(&c->peer);
	if (c->peer.eof) {
		client_close(c, "done");
		return false;
	}
	client_move(c, CLIENT_LINGER);
	return true;
}

/* Reads on after the last response: closing a socket with unread bytes sends a reset, which could
 * destroy the response on its way. */
bool reply_step_linger(struct client *c)
{
	cyg_buf_reset(&c->peer.in);
	if (c->peer.eof)
		client_close(c, "done");
	return false;
}

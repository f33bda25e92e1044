/* Relays the request's body to the target and the response to the client. Each body is decoded and
 * framed anew, as far as the other side takes it. A full buffer stops the reading, so that nothing
 * is read that cannot be passed on. Comes after request.c; reply.c ends the response. */
#include "base/mem.h"
#include "daemon/log.h"
#include "proxy/proxy.h"
#include "proxy/rewrite.h"
#include "proxy/upstream.h"

/* Ends a response that can no longer be completed, so that the client notices: with a length or
 * chunked coding the end alone shows it; otherwise client_close sends a reset. */
static void cut(struct client *c, const char *why)
{
	c->proxy->n_cut++;
	/* What is valid of it is still sent. */
	(void)peer_flush(&c->peer);
	cyg_log_info(client_name(c), "response cut: %s", why);
	client_close(c, "cut");
}

static void send_run(struct peer *to, bool chunked, struct cyg_str payload)
{
	if (payload.len == 0 || to->failed)
		return;
	if (!chunked)
		peer_put(to, payload);
	else if (http_chunk_write(peer_out(to), payload.p, payload.len, NULL) < 0)
		to->failed = true;
}

static void send_end(struct peer *to, bool chunked)
{
	if (chunked && !to->failed && http_chunk_end(peer_out(to), NULL) < 0)
		to->failed = true;
}

/* Moves the bytes in from's buffer through the decoder to the other side. 1 when any moved, 0, or
 * -errno when the body is not valid. */
static int pump(
    struct http_body *body, struct peer *from, struct peer *to, bool chunked, struct cyg_err *err)
{
	struct cyg_str payload;
	int moved = 0;
	size_t used;

	while (!body->done && from->in.len > 0 && to->out.len < PEER_OUT_HIGH && !to->failed) {
		int rc = http_body_step(body, from->in.data, from->in.len, &used, &payload, err);

		if (rc < 0)
			return rc;
		send_run(to, chunked, payload);
		cyg_buf_consume(&from->in, used);
		if (body->done)
			send_end(to, chunked);
		moved = 1;
	}
	return moved;
}

/* The request's body. True when something moved (or ended the connection). */
static bool relay_up(struct client *c)
{
	struct exchange *x = &c->x;
	struct upstream *u = c->up;
	size_t before = c->peer.in.len;
	struct cyg_err err;
	int moved = pump(&x->up, &c->peer, &u->peer, x->chunked_up, &err);

	if (moved < 0) {
		x->keep = false;
		if (c->state == CLIENT_RESPONSE)
			reply_own(c, REFUSED_BODY, 400, "The request's body is not valid");
		else
			cut(c, err.msg);
		return true;
	}
	x->window_bytes += before - c->peer.in.len;
	/* A client that sends its body does not wait for 100 Continue any more. */
	if (moved > 0)
		x->wants_100 = false;
	if (moved > 0)
		access_touch(c);
	if (!x->up.done && c->peer.eof && c->peer.in.len == 0) {
		client_close(c, "client left inside its body");
		return true;
	}
	return peer_flush(&u->peer) || moved > 0;
}

/* ---- the response's head ---- */
static void begin_tunnel(struct client *c, size_t head_len)
{
	struct exchange *x = &c->x;
	struct cyg_buf *out = peer_out(&c->peer);
	size_t before = out->len;
	struct rewrite_response rewrite = { .head = &c->proxy->parsed,
		.method = x->method,
		.client_minor = x->client_minor,
		.from_server = x->from_server,
		.framing = HTTP_BODY_NONE,
		.upgrade = true };
	struct cyg_err err;

	if (!x->upgrade || !http_head_lists(&c->proxy->parsed, "upgrade", "websocket") ||
	    rewrite_response(&rewrite, out, &err) < 0) {
		out->len = before;
		reply_own(c, REFUSED_BAD_RESPONSE, 502,
		    "The server responded with a protocol that was not requested");
		return;
	}
	cyg_buf_consume(&c->up->peer.in, head_len);
	x->status = 101;
	cyg_buf_free(&x->head);
	client_move(c, CLIENT_TUNNEL);
}

static void begin_response(struct client *c, const struct http_head *head, size_t head_len)
{
	struct exchange *x = &c->x;
	struct cyg_buf *out = peer_out(&c->peer);
	size_t before = out->len;
	struct rewrite_response rewrite = { .head = head,
		.method = x->method,
		.client_minor = x->client_minor,
		.from_server = x->from_server,
		.framing = rewrite_framing(head, x->client_minor) };
	struct cyg_err err;

	x->chunked_down = rewrite.framing == HTTP_BODY_CHUNKED;
	x->until_close = rewrite.framing == HTTP_BODY_CLOSE;
	x->up_keep = head->keep_alive && head->framing != HTTP_BODY_CLOSE;
	x->keep = x->keep && !x->until_close && !x->upgrade && !c->proxy->draining;
	rewrite.keep = x->keep;
	if (rewrite_response(&rewrite, out, &err) < 0) {
		cyg_log_info(client_name(c), "response not forwarded: %s", err.msg);
		/* The buffer holds only heads that we wrote before this one; a page may follow
		 * them. */
		out->len = before;
		reply_own(c, REFUSED_BAD_RESPONSE, 502, "The server's response is not valid HTTP");
		return;
	}
	x->status = head->status;
	http_body_init(&x->down, head);
	cyg_buf_consume(&c->up->peer.in, head_len);
	cyg_buf_free(&x->head);
	client_move(c, CLIENT_BODY);
}

/* Forwards 100 only when the client waits for it, other interim responses always; none to an
 * HTTP/1.0 client. */
static void pass_interim(struct client *c, const struct http_head *head, size_t head_len)
{
	struct exchange *x = &c->x;
	const struct rewrite_response rewrite = { .head = head, .from_server = x->from_server };
	bool wanted = head->status == 100 ? x->wants_100 : x->client_minor >= 1;
	int rc = 0;

	if (++x->n_interim > INTERIM_MAX) {
		reply_own(c, REFUSED_BAD_RESPONSE, 502, "The server's response does not begin");
		return;
	}
	if (wanted)
		rc = rewrite_interim(&rewrite, peer_out(&c->peer), NULL);
	if (head->status == 100)
		x->wants_100 = false;
	cyg_buf_consume(&c->up->peer.in, head_len);
	(void)peer_flush(&c->peer);
	if (rc < 0)
		cut(c, "interim response not forwarded");
}

static void take_head(struct client *c, const struct http_head *head, size_t head_len)
{
	if (head->status == 101)
		begin_tunnel(c, head_len);
	else if (head->status < 200)
		pass_interim(c, head, head_len);
	else
		begin_response(c, head, head_len);
}

bool relay_step_response(struct client *c)
{
	struct http_head *head = &c->proxy->parsed;
	struct cyg_err err;
	int status;
	bool moved = relay_up(c);
	struct peer *up;
	long n = 0;

	if (c->state != CLIENT_RESPONSE)
		return true;
	up = &c->up->peer;
	if (up->in.len > 0)
		n = http_head_parse_response(
		    up->in.data, up->in.len, c->x.method, head, &status, &err);
	if (n < 0) {
		cyg_log_info(client_name(c), "response refused: %s", err.msg);
		reply_own(c, REFUSED_BAD_RESPONSE, 502, "The server's response is not valid HTTP");
		return true;
	}
	if (n > 0) {
		take_head(c, head, (size_t)n);
		return true;
	}
	if (!up->eof)
		return moved;
	if (up->in.len > 0)
		c->x.fresh = true; /* the response has begun: the request is not repeated */
	request_upstream_failed(c, "ended before its response");
	return true;
}

/* ---- the response's body ---- */
static void finish(struct client *c)
{
	struct exchange *x = &c->x;

	/* The response came before the end of the request's body: the rest of the body cannot be
	 * told from a next request. */
	if (!x->up.done)
		x->keep = false;
	upstream_release(c, x->up_keep && x->up.done);
	access_touch(c);
	client_move(c, CLIENT_REPLY);
}

/* The target sends no more. A reset is not a valid end, not even of a body that lasts until the end
 * of the connection (RFC 9112 8): it may be incomplete. */
static int end_body(struct client *c, struct cyg_err *err)
{
	struct exchange *x = &c->x;
	int rc;

	if (c->up->peer.broken)
		return cyg_fail(err, CYG_EPROTO, "the target's connection broke");
	rc = http_body_end(&x->down, err);
	if (rc == 0)
		send_end(&c->peer, x->chunked_down);
	return rc;
}

bool relay_step_body(struct client *c)
{
	struct exchange *x = &c->x;
	struct peer *up = &c->up->peer;
	struct cyg_err err;
	bool moved = false;
	int rc;

	if (!x->up.done && !up->failed)
		moved = relay_up(c);
	if (c->state != CLIENT_BODY)
		return true;
	rc = pump(&x->down, up, &c->peer, x->chunked_down, &err);
	if (rc == 0 && !x->down.done && up->eof && up->in.len == 0)
		rc = end_body(c, &err);
	if (rc < 0) {
		cut(c, err.msg);
		return true;
	}
	if (x->down.done) {
		finish(c);
		return true;
	}
	if (peer_flush(&c->peer))
		moved = true;
	return moved || rc > 0;
}

/* Bodies and answers on their way: each is decoded and framed anew, as far as the other side takes
 * it. Nothing is read that could not be passed on: a full buffer stops the reading. */
#include "base/mem.h"
#include "daemon/log.h"
#include "proxy/proxy.h"
#include "proxy/rewrite.h"
#include "proxy/upstream.h"

/* The answer cannot become whole any more, and the client must notice: a length or chunked coding
 * shows it by the end alone, for the rest client_close sees to it. */
static void cut(struct client *c, const char *why)
{
	c->proxy->n_cut++;
	/* What was good of it still leaves. */
	(void)peer_flush(&c->peer);
	cyg_log_info(client_name(c), "answer cut: %s", why);
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

/* Moves what is at hand from one side's in through the decoder to the other side. */
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
		if (c->state == CLIENT_ANSWER)
			reply_own(c, REFUSED_BODY, 400, "The request's body is not valid");
		else
			cut(c, err.msg);
		return true;
	}
	x->window_bytes += before - c->peer.in.len;
	/* Who sends does not wait for 100 Continue, and keeps to the body's rate. */
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

/* ---- the answer's head ---- */
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
		    "The server answered with a protocol that nobody asked for");
		return;
	}
	cyg_buf_consume(&c->up->peer.in, head_len);
	x->status = 101;
	cyg_buf_free(&x->head);
	client_move(c, CLIENT_TUNNEL);
}

static void begin_answer(struct client *c, const struct http_head *head, size_t head_len)
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
		cyg_log_info(client_name(c), "answer not forwarded: %s", err.msg);
		/* Only heads of ours stand before it: nothing of them is lost by a page. */
		out->len = before;
		reply_own(c, REFUSED_BAD_RESPONSE, 502, "The server's answer is not valid HTTP");
		return;
	}
	x->status = head->status;
	http_body_init(&x->down, head);
	cyg_buf_consume(&c->up->peer.in, head_len);
	cyg_buf_free(&x->head);
	client_move(c, CLIENT_BODY);
}

/* 100 only when it was waited for, other interim answers as they come; none for HTTP/1.0. */
static void pass_interim(struct client *c, const struct http_head *head, size_t head_len)
{
	struct exchange *x = &c->x;
	const struct rewrite_response rewrite = { .head = head, .from_server = x->from_server };
	bool wanted = head->status == 100 ? x->wants_100 : x->client_minor >= 1;
	int rc = 0;

	if (++x->n_interim > INTERIM_MAX) {
		reply_own(c, REFUSED_BAD_RESPONSE, 502, "The server's answer does not begin");
		return;
	}
	if (wanted)
		rc = rewrite_interim(&rewrite, peer_out(&c->peer), NULL);
	if (head->status == 100)
		x->wants_100 = false;
	cyg_buf_consume(&c->up->peer.in, head_len);
	(void)peer_flush(&c->peer);
	if (rc < 0)
		cut(c, "interim answer not forwarded");
}

static void take_head(struct client *c, const struct http_head *head, size_t head_len)
{
	if (head->status == 101)
		begin_tunnel(c, head_len);
	else if (head->status < 200)
		pass_interim(c, head, head_len);
	else
		begin_answer(c, head, head_len);
}

bool relay_step_answer(struct client *c)
{
	struct http_head *head = &c->proxy->parsed;
	struct cyg_err err;
	int status;
	bool moved = relay_up(c);
	struct peer *up;
	long n = 0;

	if (c->state != CLIENT_ANSWER)
		return true;
	up = &c->up->peer;
	if (up->in.len > 0)
		n = http_head_parse_response(
		    up->in.data, up->in.len, c->x.method, head, &status, &err);
	if (n < 0) {
		cyg_log_info(client_name(c), "answer refused: %s", err.msg);
		reply_own(c, REFUSED_BAD_RESPONSE, 502, "The server's answer is not valid HTTP");
		return true;
	}
	if (n > 0) {
		take_head(c, head, (size_t)n);
		return true;
	}
	if (!up->eof)
		return moved;
	if (up->in.len > 0)
		c->x.fresh = true; /* it began to answer: not to be asked again */
	request_upstream_failed(c, "ended before its answer");
	return true;
}

/* ---- the answer's body ---- */
static void finish(struct client *c)
{
	struct exchange *x = &c->x;

	/* An answer that came before the end of its request leaves bytes of nobody behind. */
	if (!x->up.done)
		x->keep = false;
	upstream_release(c, x->up_keep && x->up.done);
	access_touch(c);
	client_move(c, CLIENT_REPLY);
}

/* The target sends no more. A reset ends no body, not even one that lasts until the end (RFC 9112
 * 8): nobody knows what is missing. */
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

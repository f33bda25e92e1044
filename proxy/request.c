/* The first part of a request: reading its head, deciding about it, connecting to the target and
 * sending the head there. Read downwards; relay.c comes next. */
#include "base/clock.h"
#include "base/mem.h"
#include "cygnet/paths.h"
#include "daemon/log.h"
#include "http/url.h"
#include "proxy/listen.h"
#include "proxy/proxy.h"
#include "proxy/rewrite.h"
#include "proxy/upstream.h"

#include <string.h>

static void begin(struct client *c, const struct http_head *head);
static void forward(struct client *c, const struct edge_decision *edge, size_t head_len);
static void write_sign_in(const struct http_head *head, struct cyg_buf *out);
static void write_slash(const struct http_head *head, struct cyg_buf *out);
static void bind_route(struct client *c, const struct edge_decision *edge);

/* A head is parsed again only when the new bytes can change the result: a line ended, or a CR was
 * not followed by its LF. So a client that sends single bytes costs one parse a line. */
static bool worth_parsing(const struct client *c)
{
	const struct cyg_buf *in = &c->peer.in;
	const char *fresh = in->data + c->parsed;
	size_t n = in->len - c->parsed;

	if (c->parsed == 0 || in->len >= CYG_HTTP_HEAD_MAX)
		return true;
	return n > 0 && (fresh[-1] == '\r' || memchr(fresh, '\n', n) != NULL ||
			    memchr(fresh, '\r', n) != NULL);
}

static const char *refusal_text(int status)
{
	switch (status) {
	case 414:
		return "The address is too long";
	case 417:
		return "Only 100-continue can be expected";
	case 421:
		return "The address and the Host field name different hosts";
	case 431:
		return "The request's head is too large. Deleting this site's cookies may help.";
	case 501:
		return "This method or transfer coding is not known here";
	case 505:
		return "Only HTTP/1.0 and HTTP/1.1 are supported here";
	default:
		return "The request is not valid HTTP";
	}
}

static void refuse_head(struct client *c, int status, const struct cyg_err *err)
{
	cyg_log_debug(client_name(c), "head refused with %d: %s", status, err->msg);
	reply_no_head(c, REFUSED_HEAD, status, refusal_text(status));
}

/* Drops the head's bytes. The parsed head's text is no longer valid after it. */
static void consume_head(struct client *c, size_t head_len)
{
	cyg_buf_consume(&c->peer.in, head_len);
	c->parsed = 0;
}

static void decide(struct client *c, const struct http_head *head, size_t head_len)
{
	struct proxy *p = c->proxy;
	struct cyg_arena arena;
	struct edge_decision edge;
	struct edge_request request = {
		.kind = c->listener->kind,
		.policy = &c->listener->policy,
		.table = p->table,
		.head = head,
		.now_s = cyg_clock_wall_us() / 1000000,
		.arena = &arena,
	};

	cyg_arena_init(&arena);
	edge_decide(&request, &edge);
	cyg_arena_free(&arena);
	c->x.html = edge.is_navigation;
	c->x.upgrade = edge.upgrade;
	if (edge.verdict == EDGE_PASS) {
		bind_route(c, &edge);
		forward(c, &edge, head_len);
		return;
	}
	cyg_buf_reset(&p->head);
	if (edge.verdict == EDGE_LOGIN) {
		p->n_refused[REFUSED_CREDENTIAL]++;
		write_sign_in(head, &p->head);
	} else if (edge.verdict == EDGE_SLASH) {
		write_slash(head, &p->head);
	}
	consume_head(c, head_len);
	/* A client that is wrong about the address may be wrong about the rest: no second request
	 * is read. */
	if (edge.verdict == EDGE_REFUSE && (edge.status == 400 || edge.status == 421))
		c->x.keep = false;
	if (edge.verdict == EDGE_REFUSE)
		reply_own(c, edge.cause, edge.status, edge.message);
	else
		reply_redirect(c, cyg_buf_str(&p->head));
}

bool request_step(struct client *c)
{
	struct cyg_buf *in = &c->peer.in;
	struct http_head *head = &c->proxy->parsed;
	struct cyg_err err;
	int status = 400;
	long n = 0;

	if (in->len > 0 && c->state == CLIENT_IDLE)
		client_move(c, CLIENT_HEAD);
	if (in->len > 0 && worth_parsing(c))
		n = http_head_parse_request(in->data, in->len, head, &status, &err);
	c->parsed = in->len;
	if (n < 0) {
		refuse_head(c, status, &err);
		return true;
	}
	if (n == 0) {
		if (c->peer.eof)
			client_close(c, "no further request");
		return false;
	}
	begin(c, head);
	decide(c, head, (size_t)n);
	return true;
}

static void begin(struct client *c, const struct http_head *head)
{
	struct exchange *x = &c->x;
	const struct proxy_options *o = &c->proxy->options;
	struct cyg_str path = head->path;

	x->begun = true;
	x->method = head->method;
	x->client_minor = head->minor;
	x->keep = head->keep_alive && !c->proxy->draining;
	x->wants_100 = head->expect_continue && head->minor >= 1;
	x->start_ns = cyg_clock_mono_ns();
	x->window_ms = uv_now(c->proxy->loop);
	http_body_init(&x->up, head);
	x->chunked_up = head->framing == HTTP_BODY_CHUNKED;
	if (!o->access_log && o->log_level != CYG_LOG_DEBUG)
		return;
	if (path.len > LABEL_MAX)
		path.len = LABEL_MAX;
	x->label = cyg_xasprintf("%.*s %.*s", CYG_STR_ARGS(head->method_text), CYG_STR_ARGS(path));
}

static void bind_route(struct client *c, const struct edge_decision *edge)
{
	struct exchange *x = &c->x;

	x->route = edge->route;
	cyg_list_add(&x->route->conns, &c->route_link);
	x->from_server = table_is_server(edge->route);
	x->cred = edge->cred;
	if (x->cred != NULL)
		cyg_list_add(&x->cred->conns, &c->cred_link);
	access_begin(c, edge->route);
}

/* The new head is written before the old one's bytes are dropped: it borrows from them. */
static void forward(struct client *c, const struct edge_decision *edge, size_t head_len)
{
	struct proxy *p = c->proxy;
	struct exchange *x = &c->x;
	struct rewrite_request rewrite = {
		.head = &p->parsed,
		.edge = edge,
		.kind = c->listener->kind,
		.scheme = c->listener->policy.scheme,
		.ip = c->listener->kind == LISTENER_PUBLIC ? c->ip : "",
	};
	struct cyg_err err;

	/* A request that must not be sent twice gets a new connection: a kept one may be closing.
	 */
	x->fresh = !x->up.done ||
		   (x->method != HTTP_GET && x->method != HTTP_HEAD && x->method != HTTP_OPTIONS);
	cyg_buf_reset(&x->head);
	if (rewrite_request(&rewrite, &x->head, &err) < 0) {
		cyg_log_debug(client_name(c), "head not forwarded: %s", err.msg);
		consume_head(c, head_len);
		reply_own(c, REFUSED_HEAD, 431, refusal_text(431));
		return;
	}
	consume_head(c, head_len);
	request_connect(c);
}

static void send_head(struct client *c)
{
	struct exchange *x = &c->x;
	struct upstream *u = c->up;

	(void)cyg_buf_add(peer_out(&u->peer), x->head.data, x->head.len, NULL);
	/* Kept while it may have to be sent again. */
	if (!u->reused)
		cyg_buf_free(&x->head);
	client_move(c, CLIENT_RESPONSE);
}

static void reply_unreachable(struct client *c)
{
	reply_own(c, REFUSED_UNREACHABLE, 502,
	    c->x.from_server ? "This server does not respond. It may have been stopped: start it "
			       "again from the hub's home page."
			     : "The hub does not respond just now. Try again in a moment; servers "
			       "that run go on running.");
}

void request_connect(struct client *c)
{
	struct cyg_err err;
	int rc;

	if (c->x.route == NULL) {
		reply_own(
		    c, REFUSED_NO_ROUTE, 502, "The server that was asked has just been stopped");
		return;
	}
	rc = upstream_take(c, c->x.route->target, c->x.fresh, &err);
	if (rc < 0 && rc != -CYG_EBUSY) {
		cyg_log_info(client_name(c), "target %s: %s", c->x.route->target, err.msg);
		reply_unreachable(c);
		return;
	}
	if (rc == 0 && !c->up->connecting)
		send_head(c);
	else if (c->state != CLIENT_CONNECT)
		client_move(c, CLIENT_CONNECT);
}

bool request_step_connect(struct client *c)
{
	/* Without a connection the backlog was full: the janitor tries again. */
	if (c->up == NULL || c->up->connecting)
		return false;
	send_head(c);
	return true;
}

void request_upstream_failed(struct client *c, const char *why)
{
	struct exchange *x = &c->x;
	bool again = c->up != NULL && c->up->reused && !x->fresh;

	cyg_log_debug(client_name(c), "target failed: %s%s", why, again ? ", trying again" : "");
	if (again) {
		upstream_release(c, false);
		x->fresh = true;
		request_connect(c);
		return;
	}
	reply_unreachable(c);
}

/* ---- redirects ---- */
static void write_sign_in(const struct http_head *head, struct cyg_buf *out)
{
	(void)cyg_buf_add_str(out, CYG_HUB_PATH "/login", NULL);
	if (!url_is_local(head->target))
		return;
	(void)cyg_buf_add_str(out, "?next=", NULL);
	(void)url_encode(out, head->target, "/", NULL);
}

static void write_slash(const struct http_head *head, struct cyg_buf *out)
{
	(void)cyg_buf_printf(out, NULL, "%.*s/", CYG_STR_ARGS(head->path));
	if (head->query.p != NULL)
		(void)cyg_buf_printf(out, NULL, "?%.*s", CYG_STR_ARGS(head->query));
}

/* A client's connection: how it is made, the one function that changes its state, what the loop
 * calls, and how it is closed. The steps of a request are in request.c, relay.c, reply.c and
 * tunnel.c. */
#include "proxy/client.h"

#include "base/mem.h"
#include "daemon/log.h"
#include "proxy/listen.h"
#include "proxy/proxy.h"
#include "proxy/upstream.h"

#include <assert.h>

typedef bool (*client_step)(struct client *c);

#define TO(state) (1U << (state))
static const unsigned allowed[CLIENT_N] = {
	[CLIENT_IDLE] = TO(CLIENT_HEAD) | TO(CLIENT_CLOSED),
	[CLIENT_HEAD] =
	    TO(CLIENT_CONNECT) | TO(CLIENT_RESPONSE) | TO(CLIENT_REPLY) | TO(CLIENT_CLOSED),
	[CLIENT_CONNECT] = TO(CLIENT_RESPONSE) | TO(CLIENT_REPLY) | TO(CLIENT_CLOSED),
	[CLIENT_RESPONSE] = TO(CLIENT_CONNECT) | TO(CLIENT_RESPONSE) | TO(CLIENT_BODY) |
			    TO(CLIENT_REPLY) | TO(CLIENT_TUNNEL) | TO(CLIENT_CLOSED),
	[CLIENT_BODY] = TO(CLIENT_REPLY) | TO(CLIENT_CLOSED),
	[CLIENT_REPLY] = TO(CLIENT_IDLE) | TO(CLIENT_LINGER) | TO(CLIENT_CLOSED),
	[CLIENT_TUNNEL] = TO(CLIENT_CLOSED),
	[CLIENT_LINGER] = TO(CLIENT_CLOSED),
};

static const client_step steps[CLIENT_N] = {
	[CLIENT_IDLE] = request_step,
	[CLIENT_HEAD] = request_step,
	[CLIENT_CONNECT] = request_step_connect,
	[CLIENT_RESPONSE] = relay_step_response,
	[CLIENT_BODY] = relay_step_body,
	[CLIENT_REPLY] = reply_step,
	[CLIENT_TUNNEL] = tunnel_step,
	[CLIENT_LINGER] = reply_step_linger,
};

void client_move(struct client *c, enum client_state to)
{
	struct proxy *p = c->proxy;

	assert((allowed[c->state] & TO(to)) != 0);
	cyg_list_remove(&p->lists[c->state], &c->link);
	cyg_list_add(&p->lists[to], &c->link);
	c->state = to;
	c->since_ms = uv_now(p->loop);
}

const char *client_name(const struct client *c)
{
	return c->ip[0] != '\0' ? c->ip : "inner";
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
	struct client *c = handle->data;

	if (c->state == CLIENT_CLOSED)
		return;
	if (status < 0) {
		/* libuv stopped watching; the read and the write below find out what it is. */
		c->peer.watched = 0;
		events = UV_READABLE | UV_WRITABLE;
	}
	if (peer_event(&c->peer, events))
		c->moved_ms = uv_now(c->proxy->loop);
	client_run(c);
}

static void watch(struct client *c)
{
	struct upstream *u = c->up;

	peer_settle(&c->peer);
	peer_watch(&c->peer, peer_wanted(&c->peer), on_poll);
	if (u == NULL)
		return;
	peer_settle(&u->peer);
	upstream_watch(u, u->connecting ? UV_WRITABLE : peer_wanted(&u->peer));
}

/* Once for each connection that was waiting: those that still have more to do queue up again. */
static void on_turn(uv_idle_t *handle)
{
	struct proxy *p = handle->data;
	struct cyg_link *first;

	for (size_t n = p->turns.n; n > 0 && (first = cyg_list_first(&p->turns)) != NULL; n--) {
		cyg_list_remove(&p->turns, first);
		client_run(CYG_CONTAINER_OF(first, struct client, turn_link));
	}
	if (p->turns.n == 0)
		(void)uv_idle_stop(handle);
}

/* Continues c in the next turn. No event may come for bytes that were read already; an active idle
 * handle keeps the loop from sleeping, and runs before the next events are taken. */
static void run_later(struct client *c)
{
	struct proxy *p = c->proxy;

	if (cyg_link_is_on(&c->turn_link))
		return;
	cyg_list_add(&p->turns, &c->turn_link);
	(void)uv_idle_start(&p->turn, on_turn);
}

/* Takes bytes that a stream held back because the buffer was full: no event comes for them. */
static bool refill(struct client *c)
{
	bool more = peer_refill(&c->peer);

	return (c->up != NULL && !c->up->connecting && peer_refill(&c->up->peer)) || more;
}

void client_run(struct client *c)
{
	bool again = true;

	for (unsigned n = 0; again && n < CLIENT_TURN_STEPS && c->state != CLIENT_CLOSED; n++) {
		if (c->peer.failed) {
			client_close(c, "client gone");
			return;
		}
		again = steps[c->state](c);
		if (c->state != CLIENT_CLOSED)
			again = refill(c) || again;
	}
	if (c->state == CLIENT_CLOSED)
		return;
	if (again)
		run_later(c);
	watch(c);
}

static void client_begin(struct client *c)
{
	cyg_link_init(&c->cred_link);
	cyg_link_init(&c->route_link);
	cyg_buf_init(&c->x.head, (size_t)2 * CYG_HTTP_HEAD_MAX);
}

void client_new(struct listener *l, int fd, const char *ip)
{
	struct proxy *p = l->proxy;
	struct client *c = cyg_xcalloc(1, sizeof(*c));
	struct stream stream;
	struct cyg_err err;

	stream_init(&stream, l->stream, fd, NULL);
	if (l->stream_open != NULL)
		stream.state = l->stream_open(l);
	if (peer_init(&c->peer, p->loop, &stream, &p->spares, &err) < 0) {
		cyg_log_warn("proxy", "new connection: %s", err.msg);
		free(c);
		return;
	}
	c->peer.poll.data = c;
	c->peer.traffic = &p->client_traffic;
	cyg_link_init(&c->turn_link);
	c->proxy = p;
	c->listener = l;
	c->state = CLIENT_HEAD;
	c->since_ms = c->moved_ms = uv_now(p->loop);
	(void)cyg_str_copy(c->ip, sizeof(c->ip), cyg_str_of(ip));
	client_begin(c);
	cyg_list_add(&p->lists[CLIENT_HEAD], &c->link);
	p->n_accepted++;
	l->n_open++;
	watch(c);
}

void client_reset(struct client *c)
{
	if (c->x.cred != NULL)
		cyg_list_remove(&c->x.cred->conns, &c->cred_link);
	if (c->x.route != NULL)
		cyg_list_remove(&c->x.route->conns, &c->route_link);
	access_end(c);
	free(c->x.label);
	cyg_buf_free(&c->x.head);
	c->x = (struct exchange){ 0 };
	c->parsed = 0;
	client_begin(c);
}

static void on_closed(uv_handle_t *handle)
{
	struct client *c = handle->data;

	cyg_list_remove(&c->proxy->lists[CLIENT_CLOSED], &c->link);
	free(c);
}

void client_close(struct client *c, const char *why)
{
	bool abrupt = c->x.until_close;

	if (c->state == CLIENT_CLOSED)
		return;
	access_done(c, why);
	upstream_release(c, false);
	client_reset(c);
	client_move(c, CLIENT_CLOSED);
	if (cyg_link_is_on(&c->turn_link))
		cyg_list_remove(&c->proxy->turns, &c->turn_link);
	c->listener->n_open--;
	peer_close(&c->peer, abrupt, on_closed);
}

void clients_init(struct proxy *p)
{
	for (size_t i = 0; i < CLIENT_N; i++)
		cyg_list_init(&p->lists[i]);
	cyg_list_init(&p->turns);
	(void)uv_idle_init(p->loop, &p->turn);
	p->turn.data = p;
}

void clients_close(struct proxy *p)
{
	for (unsigned state = 0; state < CLIENT_CLOSED; state++) {
		cyg_list_each_safe (it, &p->lists[state])
			client_close(CYG_CONTAINER_OF(it, struct client, link), "proxy ends");
	}
	uv_close((uv_handle_t *)&p->turn, NULL);
}

/* A client's connection: birth, the door between its states, the loop's calls, death. */
#include "proxy/client.h"

#include "base/mem.h"
#include "daemon/log.h"
#include "proxy/proxy.h"
#include "proxy/upstream.h"

#include <assert.h>

typedef bool (*client_step)(struct client *c);

#define TO(state) (1U << (state))
static const unsigned allowed[CLIENT_N] = {
	[CLIENT_IDLE] = TO(CLIENT_HEAD) | TO(CLIENT_CLOSED),
	[CLIENT_HEAD] =
	    TO(CLIENT_CONNECT) | TO(CLIENT_ANSWER) | TO(CLIENT_REPLY) | TO(CLIENT_CLOSED),
	[CLIENT_CONNECT] = TO(CLIENT_ANSWER) | TO(CLIENT_REPLY) | TO(CLIENT_CLOSED),
	[CLIENT_ANSWER] = TO(CLIENT_CONNECT) | TO(CLIENT_ANSWER) | TO(CLIENT_BODY) |
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
	[CLIENT_ANSWER] = relay_step_answer,
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

/* What each socket waits for follows from how full the buffers are; there is nothing to forget. */
static int wanted(const struct peer *p)
{
	return (peer_can_read(p) ? UV_READABLE : 0) | (peer_must_write(p) ? UV_WRITABLE : 0);
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
	struct client *c = handle->data;
	bool moved = false;

	if (c->state == CLIENT_CLOSED)
		return;
	if (status < 0) {
		/* libuv stopped watching; the read and the write below find out what it is. */
		c->peer.watched = 0;
		events = UV_READABLE | UV_WRITABLE;
	}
	if ((events & UV_READABLE) != 0)
		moved = peer_fill(&c->peer);
	if ((events & UV_WRITABLE) != 0)
		moved = peer_flush(&c->peer) || moved;
	if (moved)
		c->moved_ms = uv_now(c->proxy->loop);
	client_run(c);
}

static void watch(struct client *c)
{
	struct upstream *u = c->up;

	peer_settle(&c->peer);
	peer_watch(&c->peer, wanted(&c->peer), on_poll);
	if (u == NULL)
		return;
	peer_settle(&u->peer);
	upstream_watch(u, u->connecting ? UV_WRITABLE : wanted(&u->peer));
}

void client_run(struct client *c)
{
	bool again = true;

	while (again && c->state != CLIENT_CLOSED) {
		if (c->peer.failed) {
			client_close(c, "client gone");
			return;
		}
		again = steps[c->state](c);
	}
	if (c->state != CLIENT_CLOSED)
		watch(c);
}

static void client_begin(struct client *c)
{
	cyg_link_init(&c->cred_link);
	cyg_buf_init(&c->x.head, (size_t)2 * CYG_HTTP_HEAD_MAX);
}

void client_new(struct proxy *p, enum edge_door door, int fd, const char *ip)
{
	struct client *c = cyg_xcalloc(1, sizeof(*c));
	struct cyg_err err;

	if (peer_init(&c->peer, p->loop, fd, &p->spares, &err) < 0) {
		cyg_log_warn("proxy", "new connection: %s", err.msg);
		free(c);
		return;
	}
	c->peer.poll.data = c;
	c->proxy = p;
	c->door = door;
	c->state = CLIENT_HEAD;
	c->since_ms = c->moved_ms = uv_now(p->loop);
	(void)cyg_str_copy(c->ip, sizeof(c->ip), cyg_str_of(ip));
	client_begin(c);
	cyg_list_add(&p->lists[CLIENT_HEAD], &c->link);
	p->n_accepted++;
	p->n_open[door]++;
	watch(c);
}

void client_reset(struct client *c)
{
	if (c->x.cred != NULL)
		cyg_list_remove(&c->x.cred->conns, &c->cred_link);
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
	c->proxy->n_open[c->door]--;
	peer_close(&c->peer, abrupt, on_closed);
}

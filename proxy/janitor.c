/* All time limits of the proxy: a timer walks over the lists of connections four times a second and
 * ends what took too long. Lists that are ordered by time are walked only as far as they are late.
 */
#include "proxy/janitor.h"

#include "base/clock.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "proxy/listen.h"
#include "proxy/upstream.h"

typedef void (*check_fn)(struct client *c, uint64_t now_ms);

static uint64_t age(uint64_t now_ms, uint64_t then_ms)
{
	return now_ms > then_ms ? now_ms - then_ms : 0;
}

static struct client *of_link(struct cyg_link *link)
{
	return CYG_CONTAINER_OF(link, struct client, link);
}

static void late_idle(struct client *c, uint64_t now_ms)
{
	(void)now_ms;
	client_close(c, "idle");
}

static void late_head(struct client *c, uint64_t now_ms)
{
	(void)now_ms;
	if (c->peer.in.len == 0) {
		client_close(c, "said nothing");
		return;
	}
	reply_no_head(c, REFUSED_SLOW_HEAD, 408, "The request's head took too long");
	client_run(c);
}

/* Lists whose members leave after a fixed time, oldest first. */
static void sweep(struct proxy *p, enum client_state state, uint64_t max_ms, check_fn late)
{
	uint64_t now_ms = uv_now(p->loop);

	cyg_list_each_safe (it, &p->lists[state]) {
		struct client *c = of_link(it);

		if (age(now_ms, c->since_ms) < max_ms)
			break;
		late(c, now_ms);
	}
}

static void each(struct proxy *p, enum client_state state, check_fn check)
{
	uint64_t now_ms = uv_now(p->loop);

	cyg_list_each_safe (it, &p->lists[state])
		check(of_link(it), now_ms);
}

static void check_connect(struct client *c, uint64_t now_ms)
{
	if (age(now_ms, c->since_ms) >= c->proxy->options.connect_ms)
		reply_own(c, REFUSED_UNREACHABLE, 504,
		    "The server does not take connections. Try again in a moment.");
	else if (c->up == NULL)
		request_connect(c);
	else
		return;
	client_run(c);
}

/* Ends a client that sends its body too slowly; true when it did. A client that waits because the
 * target does not read is left alone. */
static bool check_body_rate(struct client *c, uint64_t now_ms)
{
	struct exchange *x = &c->x;

	if (x->up.done || age(now_ms, x->window_ms) < c->proxy->options.body_ms)
		return false;
	if (x->window_bytes >= BODY_WINDOW_BYTES || c->up->peer.out.len > 0 || c->up->peer.failed ||
	    x->wants_100) {
		x->window_ms = now_ms;
		x->window_bytes = 0;
		return false;
	}
	if (c->state == CLIENT_RESPONSE) {
		reply_own(c, REFUSED_SLOW_BODY, 408, "The request's body took too long");
		client_run(c);
	} else {
		client_close(c, "slow body");
	}
	return true;
}

static void check_response(struct client *c, uint64_t now_ms)
{
	uint64_t quiet_ms = age(now_ms, c->moved_ms);

	if (check_body_rate(c, now_ms))
		return;
	if (c->peer.eof && c->x.up.done && quiet_ms >= HALF_CLOSED_MS) {
		client_close(c, "client left");
		return;
	}
	if (quiet_ms < c->proxy->options.answer_ms ||
	    age(now_ms, c->since_ms) < c->proxy->options.answer_ms)
		return;
	reply_own(c, REFUSED_LATE, 504,
	    "The server has not responded in time. It may be busy: wait a little, then reload.");
	client_run(c);
}

static bool is_stuck(const struct client *c, uint64_t now_ms)
{
	uint64_t quiet_ms = age(now_ms, c->moved_ms);

	return (c->peer.out.len > 0 && quiet_ms >= CLIENT_READ_MS) ||
	       (c->peer.eof && quiet_ms >= HALF_CLOSED_MS);
}

static void check_body(struct client *c, uint64_t now_ms)
{
	if (check_body_rate(c, now_ms))
		return;
	if (is_stuck(c, now_ms))
		client_close(c, "client does not read");
}

static void check_reply(struct client *c, uint64_t now_ms)
{
	if (is_stuck(c, now_ms))
		client_close(c, "client does not read");
}

/* A client that is still sending a large body may not have read the refusal yet. */
static void check_linger(struct client *c, uint64_t now_ms)
{
	uint64_t age_ms = age(now_ms, c->since_ms);

	if (age_ms >= LINGER_MAX_MS ||
	    (age_ms >= LINGER_MS && age(now_ms, c->moved_ms) >= LINGER_MS))
		client_close(c, "done");
}

static void check_tunnel(struct client *c, uint64_t now_ms)
{
	bool half = c->up->peer.eof && age(now_ms, c->moved_ms) >= HALF_CLOSED_MS;

	if (half || is_stuck(c, now_ms))
		client_close(c, "websocket stuck");
}

/* Closes connections whose credential has expired. Also closes those whose client has gone while
 * its buffer is full: the loop does not watch such a socket, so nothing else would notice. */
static void check_busy(struct proxy *p)
{
	int64_t now_s = cyg_clock_wall_us() / 1000000;

	for (unsigned state = CLIENT_CONNECT; state <= CLIENT_TUNNEL; state++) {
		cyg_list_each_safe (it, &p->lists[state]) {
			struct client *c = of_link(it);

			if (c->x.cred != NULL && c->x.cred->expires != 0 &&
			    c->x.cred->expires <= now_s)
				client_close(c, "credential expired");
			else if (!c->peer.eof && !peer_can_read(&c->peer) && peer_is_gone(&c->peer))
				client_close(c, "client gone");
		}
	}
}

static bool is_forgotten(void *arg, struct cyg_str key, void *value)
{
	struct activity *a = value;

	if (a->n_routes > 0 || a->conns > 0)
		return false;
	free(a);
	return true;
}

static void on_tick(uv_timer_t *timer)
{
	struct proxy *p = timer->data;
	const struct proxy_options *o = &p->options;

	sweep(p, CLIENT_IDLE, o->idle_ms, late_idle);
	sweep(p, CLIENT_HEAD, o->header_ms, late_head);
	each(p, CLIENT_CONNECT, check_connect);
	each(p, CLIENT_RESPONSE, check_response);
	each(p, CLIENT_BODY, check_body);
	each(p, CLIENT_REPLY, check_reply);
	each(p, CLIENT_TUNNEL, check_tunnel);
	each(p, CLIENT_LINGER, check_linger);
	check_busy(p);
	upstream_tidy(p, false);
	(void)cyg_hash_sweep(p->activity, is_forgotten, NULL);
}

void janitor_start(struct proxy *p)
{
	(void)uv_timer_init(p->loop, &p->janitor);
	p->janitor.data = p;
	(void)uv_timer_start(&p->janitor, on_tick, JANITOR_MS, JANITOR_MS);
}

/* The end of the process: idle connections are closed at once, requests in flight may finish. */
#include "base/mem.h"
#include "daemon/log.h"
#include "proxy/listen.h"

static void close_list(struct proxy *p, enum client_state state)
{
	cyg_list_each_safe (it, &p->lists[state])
		client_close(CYG_CONTAINER_OF(it, struct client, link), "proxy ends");
}

static void on_tick(uv_timer_t *timer)
{
	struct proxy *p = timer->data;

	close_list(p, CLIENT_IDLE);
	close_list(p, CLIENT_LINGER);
	if (listen_n_open(p) == 0 || uv_now(p->loop) >= p->drain_end_ms)
		cyg_loop_stop(p->daemon);
}

void proxy_drain(struct proxy *p, const char *why)
{
	if (p->draining) {
		cyg_loop_stop(p->daemon);
		return;
	}
	cyg_log_info("proxy", "ending: %s", why);
	p->draining = true;
	p->drain_end_ms = uv_now(p->loop) + p->options.drain_ms;
	listen_close(p);
	close_list(p, CLIENT_HEAD);
	/* WebSockets would not end by themselves; browsers open them again. */
	close_list(p, CLIENT_TUNNEL);
	(void)uv_timer_start(&p->drain, on_tick, 0, 20);
}

/* What the proxy records about traffic. access_done counts a response and writes its line of the
 * access log; access_begin, access_touch and access_end keep, for each user's server, its number of
 * open connections and the time of its last byte, which GET /activity tells the hub. */
#include "base/clock.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "proxy/proxy.h"

void access_begin(struct client *c, const struct route *route)
{
	struct activity *a;

	if (route->server[0] == '\0')
		return;
	a = cyg_hash_find(c->proxy->activity, cyg_str_of(route->server));
	if (a == NULL) {
		a = cyg_xcalloc(1, sizeof(*a));
		(void)cyg_hash_set(c->proxy->activity, cyg_str_of(route->server), a);
	}
	a->conns++;
	c->x.activity = a;
	access_touch(c);
}

void access_touch(struct client *c)
{
	if (c->x.activity != NULL)
		c->x.activity->last_ms = uv_now(c->proxy->loop);
}

void access_end(struct client *c)
{
	if (c->x.activity != NULL)
		c->x.activity->conns--;
	c->x.activity = NULL;
}

void access_done(struct client *c, const char *how)
{
	struct exchange *x = &c->x;
	struct proxy *p = c->proxy;
	enum cyg_log_level level = p->options.access_log ? CYG_LOG_INFO : CYG_LOG_DEBUG;

	if (x->status >= 100 && x->status < 600)
		p->n_status[x->status / 100]++;
	if (x->label != NULL)
		cyg_log(level, client_name(c), "%s %d %.1f ms user %s, %s", x->label, x->status,
		    (double)(cyg_clock_mono_ns() - x->start_ns) / 1e6,
		    x->cred != NULL ? x->cred->user : "-", how);
	x->status = 0;
	free(x->label);
	x->label = NULL;
}

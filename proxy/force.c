/* Puts a new table, or a change of the table, in force. Each open connection points to the rows of
 * the route and the credential that it uses. Here it is bound to the new rows, and closed when the
 * new rows no longer allow what it does. Reading tables is table_json.c and table_change.c. */
#include "proxy/force.h"

#include "base/file.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "proxy/listen.h"

#include <assert.h>
#include <fcntl.h>
#include <string.h>

/* ---- exchanges and their rows ---- */

static void bind_route(struct client *c, struct route *r)
{
	if (c->x.route != NULL)
		cyg_list_remove(&c->x.route->conns, &c->route_link);
	c->x.route = r;
	if (r != NULL)
		cyg_list_add(&r->conns, &c->route_link);
}

static void bind_cred(struct client *c, struct cred *cred)
{
	if (c->x.cred != NULL)
		cyg_list_remove(&c->x.cred->conns, &c->cred_link);
	c->x.cred = cred;
	if (cred != NULL)
		cyg_list_add(&cred->conns, &c->cred_link);
}

/* Whether the new row leads to the same place: then the connection keeps its route. */
static bool is_same_route(const struct route *old, const struct route *now)
{
	return now != NULL && table_same_route(old, now);
}

/* Whether the new row is the same credential of the same user: then the connection keeps it. Its
 * access and its expiry may differ; is_allowed and the janitor check them. */
static bool is_same_cred(const struct cred *old, const struct cred *now)
{
	return now != NULL && strcmp(now->user, old->user) == 0 &&
	       strcmp(now->host, old->host) == 0 && strcmp(now->server, old->server) == 0;
}

/* Whether the rows that an exchange is bound to still allow it. */
static bool is_allowed(const struct client *c, bool had_cred)
{
	const struct exchange *x = &c->x;

	if (!had_cred)
		return true;
	if (x->cred == NULL || c->listener->kind == LISTENER_INNER)
		return x->cred != NULL;
	return x->route != NULL && table_may_use(x->cred, x->route);
}

/* ---- one row changes ---- */

struct forcing {
	struct proxy *proxy;
	size_t cut;
};

static void recheck(struct forcing *f, struct client *c, bool had_cred)
{
	if (is_allowed(c, had_cred))
		return;
	f->cut++;
	client_close(c, "revoked");
}

/* Counts the routes to a server. GET /activity tells of servers that have one; a new server counts
 * as active at the time it became known. */
static void count_server(struct proxy *p, const char *server, bool more)
{
	struct activity *a;

	if (server[0] == '\0')
		return;
	a = cyg_hash_find(p->activity, cyg_str_of(server));
	if (a == NULL) {
		a = cyg_xcalloc(1, sizeof(*a));
		a->last_ms = uv_now(p->loop);
		(void)cyg_hash_set(p->activity, cyg_str_of(server), a);
	}
	if (more)
		a->n_routes++;
	else if (a->n_routes > 0)
		a->n_routes--;
}

static void on_route(void *arg, struct route *old, struct route *now)
{
	struct forcing *f = arg;

	if (now != NULL)
		count_server(f->proxy, now->server, true);
	if (old == NULL)
		return;
	count_server(f->proxy, old->server, false);
	cyg_list_each_safe (it, &old->conns) {
		struct client *c = CYG_CONTAINER_OF(it, struct client, route_link);

		bind_route(c, is_same_route(old, now) ? now : NULL);
		recheck(f, c, c->x.cred != NULL);
	}
}

static void on_cred(void *arg, struct cred *old, struct cred *now)
{
	struct forcing *f = arg;

	if (old == NULL)
		return;
	cyg_list_each_safe (it, &old->conns) {
		struct client *c = CYG_CONTAINER_OF(it, struct client, cred_link);

		bind_cred(c, is_same_cred(old, now) ? now : NULL);
		recheck(f, c, true);
	}
}

static void log_table(const struct proxy *p, size_t cut)
{
	const struct table *t = p->table;

	cyg_log_info("table", "generation %llu in force: %zu routes, %zu credentials, %zu cut",
	    (unsigned long long)t->generation, t->n_routes, t->n_creds, cut);
}

int force_change(struct proxy *p, struct table_change *change, struct cyg_err *err)
{
	struct forcing f = { .proxy = p };
	const struct table_watch watch = { .route = on_route, .cred = on_cred, .arg = &f };
	int rc = table_change_check(change, p->table, err);

	if (rc < 0)
		return rc;
	table_apply(p->table, change, &watch);
	/* At level debug: a large site has several changes a second. */
	cyg_log_debug("table", "generation %llu in force: %zu cut",
	    (unsigned long long)p->table->generation, f.cut);
	if (f.cut > 0)
		log_table(p, f.cut);
	return 0;
}

/* ---- all rows change ---- */

static void rebind(struct forcing *f, const struct table *t, struct client *c)
{
	struct route *route = c->x.route;
	struct cred *cred = c->x.cred;

	if (route != NULL) {
		struct route *now = table_find_exact(t, route->host, route->prefix);

		bind_route(c, is_same_route(route, now) ? now : NULL);
	}
	if (cred != NULL) {
		struct cred *now = table_find_hash(t, cred->sha256);

		bind_cred(c, is_same_cred(cred, now) ? now : NULL);
	}
	recheck(f, c, cred != NULL);
}

static void count_servers(struct proxy *p, const struct table *t)
{
	struct cyg_str key;
	void *value;
	size_t pos = 0;

	while (cyg_hash_next(p->activity, &pos, &key, &value))
		((struct activity *)value)->n_routes = 0;
	pos = 0;
	while (cyg_hash_next(t->routes, &pos, &key, &value))
		count_server(p, ((const struct route *)value)->server, true);
}

void force_table(struct proxy *p, struct table *t)
{
	struct forcing f = { .proxy = p };
	struct table *old = p->table;

	for (unsigned state = 0; state < CLIENT_CLOSED; state++) {
		cyg_list_each_safe (it, &p->lists[state])
			rebind(&f, t, CYG_CONTAINER_OF(it, struct client, link));
	}
	count_servers(p, t);
	p->table = t;
	table_free(old);
	log_table(p, f.cut);
}

int force_file(struct proxy *p, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf text;
	struct table *t = NULL;
	int rc;

	cyg_buf_init(&text, CYG_TABLE_MAX);
	rc = cyg_file_read(AT_FDCWD, p->options.table, true, &text, err);
	if (rc == 0)
		rc = table_parse(cyg_buf_str(&text), &t, err);
	if (rc < 0)
		return cyg_wrap(err, "%s", p->options.table);
	assert(t != NULL);
	force_table(p, t);
	return 0;
}

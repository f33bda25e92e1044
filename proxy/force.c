/* A new table takes over: live connections are bound to its rows, or end with the old one's. */
#include "proxy/force.h"

#include "base/file.h"
#include "base/mem.h"
#include "daemon/log.h"

#include <assert.h>
#include <fcntl.h>
#include <string.h>

static struct route *same_route(const struct table *t, const struct route *old)
{
	struct route *r;

	if (old == NULL)
		return NULL;
	r = table_find_exact(t, old->host, old->prefix);
	if (r == NULL || r->auth != old->auth || strcmp(r->target, old->target) != 0 ||
	    strcmp(r->owner, old->owner) != 0 || strcmp(r->server, old->server) != 0)
		return NULL;
	return r;
}

static struct cred *same_cred(const struct table *t, const struct cred *old)
{
	struct cred *c = table_find_hash(t, old->sha256);

	if (c == NULL || strcmp(c->user, old->user) != 0 || strcmp(c->server, old->server) != 0)
		return NULL;
	return c;
}

/* False when the new table does not allow what the connection does. */
static bool rebind(const struct table *t, struct client *c)
{
	struct route *old_route = c->x.route;
	struct cred *cred = c->x.cred;

	c->x.route = same_route(t, old_route);
	if (cred == NULL)
		return true;
	cyg_list_remove(&cred->conns, &c->cred_link);
	c->x.cred = same_cred(t, cred);
	if (c->x.cred != NULL)
		cyg_list_add(&c->x.cred->conns, &c->cred_link);
	return c->x.cred != NULL && (c->x.route != NULL || c->door == DOOR_INNER);
}

static size_t rebind_list(struct proxy *p, struct table *t, struct cyg_list *list)
{
	size_t n = 0;

	cyg_list_each_safe (it, list) {
		struct client *c = CYG_CONTAINER_OF(it, struct client, link);

		if (rebind(t, c))
			continue;
		n++;
		client_close(c, "revoked");
	}
	return n;
}

static void mark_servers(struct proxy *p, const struct table *t)
{
	struct cyg_str key;
	void *value;
	size_t pos = 0;

	while (cyg_hash_next(p->activity, &pos, &key, &value))
		((struct activity *)value)->known = cyg_hash_find(t->servers, key) != NULL;
	pos = 0;
	while (cyg_hash_next(t->servers, &pos, &key, &value)) {
		struct activity *a = cyg_hash_find(p->activity, key);

		if (a != NULL)
			continue;
		a = cyg_xcalloc(1, sizeof(*a));
		a->known = true;
		a->last_ms = uv_now(p->loop);
		(void)cyg_hash_set(p->activity, key, a);
	}
}

void force_table(struct proxy *p, struct table *t)
{
	struct table *old = p->table;
	size_t cut = 0;

	for (unsigned state = 0; state < CLIENT_CLOSED; state++)
		cut += rebind_list(p, t, &p->lists[state]);
	mark_servers(p, t);
	p->table = t;
	table_free(old);
	cyg_log_info("table", "generation %llu in force: %zu routes, %zu credentials, %zu cut",
	    (unsigned long long)t->generation, t->n_routes, t->n_creds, cut);
}

int force_file(struct proxy *p, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf text;
	struct table *t = NULL;
	int rc;

	cyg_buf_init(&text, TABLE_JSON_MAX);
	rc = cyg_file_read(AT_FDCWD, p->options.table, true, &text, err);
	if (rc == 0)
		rc = table_parse(cyg_buf_str(&text), &t, err);
	if (rc < 0)
		return cyg_wrap(err, "%s", p->options.table);
	assert(t != NULL);
	force_table(p, t);
	return 0;
}

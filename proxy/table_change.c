/* A change of the table in place, for PATCH /table. The whole change is read and checked before the
 * first row is changed. */
#include "proxy/table_priv.h"

#include "base/mem.h"

#include <string.h>

/* ---- reading ---- */

static int check_names(
    json_t *object, const char *what, const char *const *allowed, struct cyg_err *err)
{
	const char *key;
	json_t *value;

	if (!json_is_object(object))
		return cyg_fail(err, CYG_EINVAL, "table: %s must be an object", what);
	json_object_foreach (object, key, value) {
		size_t i = 0;

		while (allowed[i] != NULL && strcmp(allowed[i], key) != 0)
			i++;
		if (allowed[i] == NULL)
			return cyg_fail(err, CYG_EINVAL, "table: %s holds '%.64s'", what, key);
	}
	return 0;
}

static const char *const list_names[] = { CYG_TABLE_ROUTES, CYG_TABLE_CREDENTIALS, NULL };

static int drop_list(
    const json_t *drop, const char *name, size_t max, const json_t **ret, struct cyg_err *err)
{
	*ret = json_object_get(drop, name);
	if (*ret != NULL && !json_is_array(*ret))
		return cyg_fail(
		    err, CYG_EINVAL, "table: %s.%s must be a list", CYG_TABLE_DROP, name);
	if (json_array_size(*ret) > max)
		return cyg_fail(err, CYG_ELIMIT, "table: more than %zu %s", max, name);
	return 0;
}

/* The key of a route to drop owns its text. */
static int read_drop_route(const struct table_row *row, struct route_key *ret, struct cyg_err *err)
{
	static const char *const keys[] = { CYG_ROUTE_HOST, CYG_ROUTE_PREFIX, NULL };
	struct cyg_arena arena;
	struct route_key key;
	int rc = table_check_keys(row, keys, err);

	if (rc < 0)
		return rc;
	cyg_arena_init(&arena);
	rc = table_read_key(row, &arena, &key, err);
	if (rc == 0) {
		ret->host = (struct cyg_str){ cyg_str_dup(key.host), key.host.len };
		ret->prefix = (struct cyg_str){ cyg_str_dup(key.prefix), key.prefix.len };
	}
	cyg_arena_free(&arena);
	return rc;
}

static int read_drops(struct table_change *c, json_t *drop, struct cyg_err *err)
{
	struct table_row row = { .list = CYG_TABLE_DROP "." CYG_TABLE_ROUTES };
	const json_t *routes = NULL;
	const json_t *creds = NULL;
	int rc = check_names(drop, CYG_TABLE_DROP, list_names, err);

	if (rc == 0)
		rc = drop_list(drop, CYG_TABLE_ROUTES, CYG_TABLE_ROUTES_MAX, &routes, err);
	if (rc == 0)
		rc = drop_list(drop, CYG_TABLE_CREDENTIALS, CYG_TABLE_CREDENTIALS_MAX, &creds, err);
	if (rc < 0)
		return rc;
	c->drop_routes = cyg_xcalloc(json_array_size(routes) + 1, sizeof(*c->drop_routes));
	c->drop_creds = cyg_xcalloc(json_array_size(creds) + 1, sizeof(*c->drop_creds));
	for (row.index = 0; row.index < json_array_size(routes) && rc == 0; row.index++) {
		row.json = json_array_get(routes, row.index);
		rc = read_drop_route(&row, &c->drop_routes[c->n_drop_routes], err);
		c->n_drop_routes += rc == 0 ? 1 : 0;
	}
	row.list = CYG_TABLE_DROP "." CYG_TABLE_CREDENTIALS;
	for (row.index = 0; row.index < json_array_size(creds) && rc == 0; row.index++)
		rc = table_read_sha256(
		    &row, json_array_get(creds, row.index), c->drop_creds[c->n_drop_creds++], err);
	return rc;
}

static int read_root(struct table_change *c, json_t *root, struct cyg_err *err)
{
	static const char *const keys[] = { CYG_TABLE_FROM, CYG_TABLE_TO, CYG_TABLE_SET,
		CYG_TABLE_DROP, NULL };
	json_t *set = json_object_get(root, CYG_TABLE_SET);
	json_t *drop = json_object_get(root, CYG_TABLE_DROP);
	int rc = check_names(root, "a change", keys, err);

	if (rc == 0)
		rc = table_read_generation(root, CYG_TABLE_FROM, true, &c->from, err);
	if (rc == 0)
		rc = table_read_generation(root, CYG_TABLE_TO, true, &c->to, err);
	if (rc == 0 && c->to <= c->from)
		rc = cyg_fail(err, CYG_EINVAL, "table: to must be greater than from");
	if (rc == 0 && set != NULL)
		rc = check_names(set, CYG_TABLE_SET, list_names, err);
	if (rc == 0 && set != NULL)
		rc = table_read_lists(c->set, set, false, err);
	if (rc == 0 && drop != NULL)
		rc = read_drops(c, drop, err);
	return rc;
}

int table_change_parse(struct cyg_str json, struct table_change **ret, struct cyg_err *err)
{
	struct table_change *c;
	json_t *root = NULL;
	int rc = table_load_json(json, CYG_TABLE_PATCH_MAX, &root, err);

	if (rc < 0)
		return rc;
	c = cyg_xcalloc(1, sizeof(*c));
	c->set = table_new();
	rc = read_root(c, root, err);
	json_decref(root);
	if (rc < 0) {
		table_change_free(c);
		return rc;
	}
	*ret = c;
	return 0;
}

void table_change_free(struct table_change *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->n_drop_routes; i++) {
		free((char *)(uintptr_t)c->drop_routes[i].host.p);
		free((char *)(uintptr_t)c->drop_routes[i].prefix.p);
	}
	free(c->drop_routes);
	free(c->drop_creds);
	table_free(c->set);
	free(c);
}

/* ---- applying ---- */

int table_change_check(const struct table_change *c, const struct table *t, struct cyg_err *err)
{
	if (t == NULL)
		return cyg_fail(err, CYG_EEXIST, "table: there is none yet that could be changed");
	if (t->generation != c->from)
		return cyg_fail(err, CYG_EEXIST,
		    "table: the change builds on generation %llu, in force is %llu",
		    (unsigned long long)c->from, (unsigned long long)t->generation);
	if (t->n_routes + c->set->n_routes > CYG_TABLE_ROUTES_MAX ||
	    t->n_creds + c->set->n_creds > CYG_TABLE_CREDENTIALS_MAX)
		return cyg_fail(err, CYG_ELIMIT, "table: it would grow beyond its limit");
	return 0;
}

static void tell_route(const struct table_watch *watch, struct route *old, struct route *now)
{
	if (watch != NULL && (old != NULL || now != NULL))
		watch->route(watch->arg, old, now);
	free(old);
}

static void tell_cred(const struct table_watch *watch, struct cred *old, struct cred *now)
{
	if (watch != NULL && (old != NULL || now != NULL))
		watch->cred(watch->arg, old, now);
	free(old);
}

void table_apply(struct table *t, struct table_change *c, const struct table_watch *watch)
{
	struct table *set = c->set;
	struct cyg_str key;
	void *row;
	size_t pos = 0;

	for (size_t i = 0; i < c->n_drop_routes; i++)
		tell_route(watch,
		    table_take_route(t, c->drop_routes[i].host, c->drop_routes[i].prefix), NULL);
	for (size_t i = 0; i < c->n_drop_creds; i++)
		tell_cred(watch, table_take_cred(t, c->drop_creds[i]), NULL);
	while (cyg_hash_next(set->routes, &pos, &key, &row))
		tell_route(watch, table_put_route(t, row), row);
	pos = 0;
	while (cyg_hash_next(set->creds, &pos, &key, &row))
		tell_cred(watch, table_put_cred(t, row), row);
	t->generation = c->to;
	/* The rows belong to the table now. */
	cyg_hash_free(set->routes, NULL);
	cyg_hash_free(set->creds, NULL);
	set->routes = cyg_hash_new();
	set->creds = cyg_hash_new();
	set->n_routes = set->n_creds = 0;
}

/* A table from JSON. Everything is checked before anything is kept: the rows' keys and types, names
 * and sizes, and that no two rows claim the same thing. */
#include "base/enc.h"
#include "base/mem.h"
#include "cygnet/limits.h"
#include "http/url.h"
#include "proxy/limits.h"
#include "proxy/table.h"
#include "proxy/target.h"

#include <ctype.h>
#include <jansson.h>
#include <string.h>

struct row {
	const char *list; /* "routes" */
	size_t index;
	json_t *json;
};

static int row_fail(const struct row *row, const char *key, const char *what, struct cyg_err *err)
{
	return cyg_fail(err, CYG_EINVAL, "table: %s[%zu].%s %s", row->list, row->index, key, what);
}

static int row_check_keys(const struct row *row, const char *const *allowed, struct cyg_err *err)
{
	const char *key;
	json_t *value;

	if (!json_is_object(row->json))
		return cyg_fail(
		    err, CYG_EINVAL, "table: %s[%zu] is not an object", row->list, row->index);
	json_object_foreach (row->json, key, value) {
		size_t i = 0;

		while (allowed[i] != NULL && strcmp(allowed[i], key) != 0)
			i++;
		if (allowed[i] == NULL)
			return row_fail(row, key, "is no key of the table", err);
	}
	return 0;
}

/* A text of at most max bytes without control bytes; absent and null are "" unless required. */
static int row_text(
    const struct row *row, const char *key, size_t max, struct cyg_str *ret, struct cyg_err *err)
{
	const json_t *v = json_object_get(row->json, key);

	*ret = CYG_STR("");
	if (v == NULL || json_is_null(v))
		return 0;
	if (!json_is_string(v))
		return row_fail(row, key, "must be a text", err);
	*ret = (struct cyg_str){ json_string_value(v), json_string_length(v) };
	if (ret->len > max)
		return row_fail(row, key, "is too long", err);
	if (!cyg_str_is_text(*ret))
		return row_fail(row, key, "holds control bytes", err);
	return 0;
}

/* User names and server ids become header values. */
static int row_name(
    const struct row *row, const char *key, struct cyg_str *ret, struct cyg_err *err)
{
	int rc = row_text(row, key, (size_t)4 * CYG_NAME_MAX, ret, err);

	if (rc < 0)
		return rc;
	if (cyg_str_trim(*ret).len != ret->len)
		return row_fail(row, key, "begins or ends with a space", err);
	return 0;
}

static int route_host(struct table *t, const struct row *row, struct route *r, struct cyg_err *err)
{
	struct cyg_str text;
	char *host;
	int rc = row_text(row, "host", 255, &text, err);

	if (rc < 0)
		return rc;
	if (cyg_str_chr(text, '/') < text.len || cyg_str_chr(text, '@') < text.len)
		return row_fail(row, "host", "must be a host name without scheme and path", err);
	host = cyg_arena_dup(&t->arena, text);
	for (size_t i = 0; i < text.len; i++)
		host[i] = (char)tolower((unsigned char)host[i]);
	r->host = (struct cyg_str){ host, text.len };
	t->has_hosts |= text.len > 0;
	return 0;
}

static int route_prefix(
    struct table *t, const struct row *row, struct route *r, struct cyg_err *err)
{
	struct cyg_str text;
	int rc = row_text(row, "prefix", TABLE_PREFIX_MAX, &text, err);

	if (rc < 0)
		return rc;
	if (text.len == 0 || text.p[0] != '/' || text.p[text.len - 1] != '/')
		return row_fail(row, "prefix", "must begin and end with '/'", err);
	if (url_path_decode(&t->arena, text, &r->prefix, NULL) < 0)
		return row_fail(row, "prefix", "is not a canonical path", err);
	/* The decoder's text may live in the JSON, which goes away. */
	r->prefix = (struct cyg_str){ cyg_arena_dup(&t->arena, r->prefix), r->prefix.len };
	if (r->prefix.len > t->prefix_max)
		t->prefix_max = r->prefix.len;
	return 0;
}

static int route_auth(const struct row *row, struct route *r, struct cyg_err *err)
{
	struct cyg_str text;
	int rc = row_text(row, "auth", 16, &text, err);

	if (rc < 0)
		return rc;
	if (cyg_str_eq(text, "none"))
		r->auth = ROUTE_NONE;
	else if (cyg_str_eq(text, "session"))
		r->auth = ROUTE_SESSION;
	else if (cyg_str_eq(text, "user"))
		r->auth = ROUTE_USER;
	else
		return row_fail(row, "auth", "must be session, user or none", err);
	if (r->auth == ROUTE_SESSION && r->owner[0] == '\0')
		return row_fail(row, "owner", "is needed where auth is session", err);
	return 0;
}

static int route_target(
    struct table *t, const struct row *row, struct route *r, struct cyg_err *err)
{
	struct target target;
	struct cyg_str text;
	struct cyg_err why;
	int rc = row_text(row, "target", TABLE_TARGET_MAX, &text, err);

	if (rc < 0)
		return rc;
	if (target_parse(text, &target, &why) < 0)
		return row_fail(row, "target", why.msg, err);
	r->target = cyg_arena_dup(&t->arena, text);
	return 0;
}

static int route_keep(struct table *t, const struct row *row, struct route *r, struct cyg_err *err)
{
	char key[256 + TABLE_PREFIX_MAX];
	size_t len = r->host.len + r->prefix.len;

	if (table_find_exact(t, r->host, r->prefix) != NULL)
		return row_fail(row, "prefix", "is there twice", err);
	memcpy(key, r->host.p, r->host.len);
	memcpy(key + r->host.len, r->prefix.p, r->prefix.len);
	(void)cyg_hash_set(t->routes, (struct cyg_str){ key, len }, r);
	if (r->server[0] != '\0')
		(void)cyg_hash_set(t->servers, cyg_str_of(r->server), r);
	t->n_routes++;
	return 0;
}

static int read_route(struct table *t, const struct row *row, struct cyg_err *err)
{
	static const char *const keys[] = { "host", "prefix", "target", "auth", "owner", "server",
		NULL };
	struct route *r = cyg_arena_alloc(&t->arena, sizeof(*r));
	struct cyg_str owner;
	struct cyg_str server;
	int rc;

	if ((rc = row_check_keys(row, keys, err)) < 0 ||
	    (rc = row_name(row, "owner", &owner, err)) < 0 ||
	    (rc = row_name(row, "server", &server, err)) < 0)
		return rc;
	r->owner = cyg_arena_dup(&t->arena, owner);
	r->server = cyg_arena_dup(&t->arena, server);
	if ((rc = route_host(t, row, r, err)) < 0 || (rc = route_prefix(t, row, r, err)) < 0 ||
	    (rc = route_auth(row, r, err)) < 0 || (rc = route_target(t, row, r, err)) < 0)
		return rc;
	return route_keep(t, row, r, err);
}

static int cred_expires(const struct row *row, struct cred *c, struct cyg_err *err)
{
	const json_t *v = json_object_get(row->json, "expires");

	if (v == NULL || json_is_null(v))
		return 0;
	/* A hub that writes times with fractions is understood; a negative one is not. */
	if (!json_is_number(v) || json_number_value(v) < 0 || json_number_value(v) > 4e12)
		return row_fail(row, "expires", "must be seconds since 1970, or 0", err);
	c->expires = json_is_integer(v) ? json_integer_value(v) : (int64_t)json_real_value(v);
	return 0;
}

static int read_cred(struct table *t, const struct row *row, struct cyg_err *err)
{
	static const char *const keys[] = { "sha256", "user", "expires", "server", NULL };
	struct cred *c = cyg_arena_alloc(&t->arena, sizeof(*c));
	struct cyg_str sum;
	struct cyg_str user;
	struct cyg_str server;
	int rc;

	if ((rc = row_check_keys(row, keys, err)) < 0 ||
	    (rc = row_text(row, "sha256", 2 * (size_t)TABLE_SHA256, &sum, err)) < 0 ||
	    (rc = row_name(row, "user", &user, err)) < 0 ||
	    (rc = row_name(row, "server", &server, err)) < 0 ||
	    (rc = cred_expires(row, c, err)) < 0)
		return rc;
	if (cyg_hex_read(sum, c->sha256, TABLE_SHA256, NULL) < 0)
		return row_fail(row, "sha256", "must be 64 hexadecimal digits", err);
	if (user.len == 0)
		return row_fail(row, "user", "is missing", err);
	if (table_find_hash(t, c->sha256) != NULL)
		return row_fail(row, "sha256", "is there twice", err);
	c->user = cyg_arena_dup(&t->arena, user);
	c->server = cyg_arena_dup(&t->arena, server);
	cyg_list_init(&c->conns);
	(void)cyg_hash_set(t->creds, (struct cyg_str){ (const char *)c->sha256, TABLE_SHA256 }, c);
	t->n_creds++;
	return 0;
}

static int read_list(struct table *t, const json_t *root, const char *name, struct cyg_err *err)
{
	const json_t *list = json_object_get(root, name);
	bool routes = strcmp(name, "routes") == 0;
	size_t max = routes ? TABLE_ROUTES_MAX : TABLE_CREDENTIALS_MAX;
	struct row row = { .list = name };
	int rc = 0;

	if (list == NULL && !routes)
		return 0;
	if (!json_is_array(list))
		return cyg_fail(err, CYG_EINVAL, "table: %s must be a list", name);
	if (json_array_size(list) > max)
		return cyg_fail(err, CYG_ELIMIT, "table: more than %zu %s", max, name);
	for (size_t i = 0; i < json_array_size(list) && rc == 0; i++) {
		row.index = i;
		row.json = json_array_get(list, i);
		rc = routes ? read_route(t, &row, err) : read_cred(t, &row, err);
	}
	return rc;
}

static int read_root(struct table *t, const json_t *root, struct cyg_err *err)
{
	static const char *const known[] = { "generation", "routes", "credentials" };
	const json_t *generation = json_object_get(root, "generation");
	size_t n = 0;
	int rc;

	if (!json_is_object(root))
		return cyg_fail(err, CYG_EINVAL, "table: must be an object");
	for (size_t i = 0; i < CYG_N(known); i++)
		n += json_object_get(root, known[i]) != NULL;
	if (n != json_object_size(root))
		return cyg_fail(
		    err, CYG_EINVAL, "table: only generation, routes and credentials are allowed");
	if (generation != NULL &&
	    (!json_is_integer(generation) || json_integer_value(generation) < 0))
		return cyg_fail(err, CYG_EINVAL, "table: generation must be a whole number");
	t->generation = (uint64_t)json_integer_value(generation);
	rc = read_list(t, root, "routes", err);
	return rc < 0 ? rc : read_list(t, root, "credentials", err);
}

int table_parse(struct cyg_str json, struct table **ret, struct cyg_err *err)
{
	json_error_t why;
	json_t *root;
	struct table *t;
	int rc;

	if (json.len > TABLE_JSON_MAX)
		return cyg_fail(err, CYG_ELIMIT, "table: more than %d bytes", TABLE_JSON_MAX);
	root = json_loadb(json.p, json.len, JSON_REJECT_DUPLICATES, &why);
	if (root == NULL)
		return cyg_fail(err, CYG_EINVAL, "table: line %d column %d: %s", why.line,
		    why.column, why.text);
	t = cyg_xcalloc(1, sizeof(*t));
	cyg_arena_init(&t->arena);
	t->routes = cyg_hash_new();
	t->creds = cyg_hash_new();
	t->servers = cyg_hash_new();
	rc = read_root(t, root, err);
	json_decref(root);
	if (rc < 0) {
		table_free(t);
		return rc;
	}
	*ret = t;
	return 0;
}

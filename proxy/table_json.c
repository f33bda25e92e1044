/* Reads a table's rows from JSON. Everything is checked before anything is kept: keys, types, names
 * and sizes, and that no two rows have the same key. */
#include "proxy/table_priv.h"

#include "base/enc.h"
#include "base/mem.h"
#include "http/url.h"
#include "proxy/target.h"

#include <ctype.h>
#include <string.h>

static int row_fail(
    const struct table_row *row, const char *key, const char *what, struct cyg_err *err)
{
	return cyg_fail(err, CYG_EINVAL, "table: %s[%zu].%s %s", row->list, row->index, key, what);
}

int table_check_keys(const struct table_row *row, const char *const *allowed, struct cyg_err *err)
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

/* A text of at most max bytes without control bytes; absent and null are "". */
static int value_text(const struct table_row *row, const char *key, const json_t *v, size_t max,
    struct cyg_str *ret, struct cyg_err *err)
{
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

static int row_text(const struct table_row *row, const char *key, size_t max, struct cyg_str *ret,
    struct cyg_err *err)
{
	return value_text(row, key, json_object_get(row->json, key), max, ret, err);
}

/* User names and server ids become header values. */
static int row_name(
    const struct table_row *row, const char *key, struct cyg_str *ret, struct cyg_err *err)
{
	int rc = row_text(row, key, CYG_TABLE_NAME_MAX, ret, err);

	if (rc < 0)
		return rc;
	if (cyg_str_trim(*ret).len != ret->len)
		return row_fail(row, key, "begins or ends with a space", err);
	return 0;
}

/* In lower case, in the arena. */
static int row_host(const struct table_row *row, const char *key, struct cyg_arena *arena,
    struct cyg_str *ret, struct cyg_err *err)
{
	struct cyg_str text;
	char *host;
	int rc = row_text(row, key, CYG_ROUTE_HOST_MAX, &text, err);

	if (rc < 0)
		return rc;
	if (cyg_str_chr(text, '/') < text.len || cyg_str_chr(text, '@') < text.len)
		return row_fail(row, key, "must be a host name without scheme and path", err);
	host = cyg_arena_dup(arena, text);
	for (size_t i = 0; i < text.len; i++)
		host[i] = (char)tolower((unsigned char)host[i]);
	*ret = (struct cyg_str){ host, text.len };
	return 0;
}

/* Texts of a row, packed after its struct. */
static const char *pack(char **at, struct cyg_str text)
{
	char *begin = *at;

	memcpy(begin, text.p, text.len);
	*at += text.len + 1;
	return begin;
}

/* ---- routes ---- */

int table_read_key(const struct table_row *row, struct cyg_arena *arena, struct route_key *ret,
    struct cyg_err *err)
{
	struct cyg_str text = CYG_STR("");
	int rc = row_host(row, CYG_ROUTE_HOST, arena, &ret->host, err);

	if (rc == 0)
		rc = row_text(row, CYG_ROUTE_PREFIX, CYG_ROUTE_PREFIX_MAX, &text, err);
	if (rc < 0)
		return rc;
	if (text.len == 0 || text.p[0] != '/' || text.p[text.len - 1] != '/')
		return row_fail(row, CYG_ROUTE_PREFIX, "must begin and end with '/'", err);
	if (url_path_decode(arena, text, &ret->prefix, NULL) < 0)
		return row_fail(row, CYG_ROUTE_PREFIX, "is not a canonical path", err);
	return 0;
}

static int route_auth(
    const struct table_row *row, bool owned, enum route_auth *ret, struct cyg_err *err)
{
	static const char *const names[] = { [ROUTE_NONE] = CYG_ROUTE_AUTH_NONE,
		[ROUTE_SESSION] = CYG_ROUTE_AUTH_SESSION,
		[ROUTE_USER] = CYG_ROUTE_AUTH_USER };
	struct cyg_str text;
	size_t i = 0;
	int rc = row_text(row, CYG_ROUTE_AUTH, 16, &text, err);

	if (rc < 0)
		return rc;
	while (i < CYG_N(names) && !cyg_str_eq(text, names[i]))
		i++;
	if (i == CYG_N(names))
		return row_fail(row, CYG_ROUTE_AUTH, "must be session, user or none", err);
	*ret = (enum route_auth)i;
	if (*ret == ROUTE_SESSION && !owned)
		return row_fail(row, CYG_ROUTE_OWNER, "is needed where auth is session", err);
	return 0;
}

static int route_target(const struct table_row *row, struct cyg_str *ret, struct cyg_err *err)
{
	struct target target;
	struct cyg_err why;
	int rc = row_text(row, CYG_ROUTE_TO, CYG_ROUTE_TO_MAX, ret, err);

	if (rc < 0)
		return rc;
	if (target_parse(*ret, &target, &why) < 0)
		return row_fail(row, CYG_ROUTE_TO, why.msg, err);
	return 0;
}

struct route_texts {
	struct route_key key;
	struct cyg_str target, owner, name, server;
};

static struct route *route_new(const struct route_texts *x, enum route_auth auth)
{
	size_t size = x->key.host.len + x->key.prefix.len + x->target.len + x->owner.len +
		      x->name.len + x->server.len + 6;
	struct route *r = cyg_xcalloc(1, sizeof(*r) + size);
	char *at = r->text;

	r->host = (struct cyg_str){ pack(&at, x->key.host), x->key.host.len };
	r->prefix = (struct cyg_str){ pack(&at, x->key.prefix), x->key.prefix.len };
	r->target = pack(&at, x->target);
	r->owner = pack(&at, x->owner);
	r->name = pack(&at, x->name);
	r->server = pack(&at, x->server);
	r->auth = auth;
	cyg_list_init(&r->conns);
	return r;
}

static int read_route(
    struct table *t, const struct table_row *row, struct cyg_arena *arena, struct cyg_err *err)
{
	static const char *const keys[] = { CYG_ROUTE_HOST, CYG_ROUTE_PREFIX, CYG_ROUTE_TO,
		CYG_ROUTE_AUTH, CYG_ROUTE_OWNER, CYG_ROUTE_NAME, CYG_ROUTE_SERVER, NULL };
	struct route_texts x;
	enum route_auth auth;
	int rc;

	if ((rc = table_check_keys(row, keys, err)) < 0 ||
	    (rc = row_name(row, CYG_ROUTE_OWNER, &x.owner, err)) < 0 ||
	    (rc = row_name(row, CYG_ROUTE_NAME, &x.name, err)) < 0 ||
	    (rc = row_name(row, CYG_ROUTE_SERVER, &x.server, err)) < 0 ||
	    (rc = table_read_key(row, arena, &x.key, err)) < 0 ||
	    (rc = route_auth(row, x.owner.len > 0, &auth, err)) < 0 ||
	    (rc = route_target(row, &x.target, err)) < 0)
		return rc;
	if (table_find_exact(t, x.key.host, x.key.prefix) != NULL)
		return row_fail(row, CYG_ROUTE_PREFIX, "is there twice", err);
	(void)table_put_route(t, route_new(&x, auth));
	return 0;
}

/* ---- credentials ---- */

int table_read_sha256(const struct table_row *row, const json_t *value, uint8_t ret[TABLE_SHA256],
    struct cyg_err *err)
{
	struct cyg_str text;
	int rc =
	    value_text(row, CYG_CREDENTIAL_SHA256, value, (size_t)2 * TABLE_SHA256, &text, err);

	if (rc < 0)
		return rc;
	if (cyg_hex_read(text, ret, TABLE_SHA256, NULL) < 0)
		return row_fail(row, CYG_CREDENTIAL_SHA256, "must be 64 hexadecimal digits", err);
	return 0;
}

static int cred_expires(const struct table_row *row, int64_t *ret, struct cyg_err *err)
{
	const json_t *v = json_object_get(row->json, CYG_CREDENTIAL_EXPIRES);

	*ret = 0;
	if (v == NULL || json_is_null(v))
		return 0;
	/* Fractions of a second are accepted; negative times are not. */
	if (!json_is_number(v) || json_number_value(v) < 0 || json_number_value(v) > 4e12)
		return row_fail(
		    row, CYG_CREDENTIAL_EXPIRES, "must be seconds since 1970, or 0", err);
	*ret = json_is_integer(v) ? json_integer_value(v) : (int64_t)json_real_value(v);
	return 0;
}

/* "*", "OWNER" or "OWNER/NAME"; their texts' sizes with their ends are added up. */
static int cred_access(
    const struct table_row *row, const json_t *list, size_t *size, struct cyg_err *err)
{
	static const char key[] = CYG_CREDENTIAL_ACCESS;
	int rc = 0;

	*size = 0;
	if (list == NULL || json_is_null(list))
		return 0;
	if (!json_is_array(list))
		return row_fail(row, key, "must be a list", err);
	if (json_array_size(list) > CYG_TABLE_ACCESS_MAX)
		return row_fail(row, key, "has too many entries", err);
	for (size_t i = 0; i < json_array_size(list) && rc == 0; i++) {
		struct cyg_str text;
		size_t slash;

		rc = value_text(row, key, json_array_get(list, i),
		    (size_t)2 * CYG_TABLE_NAME_MAX + 1, &text, err);
		if (rc < 0)
			return rc;
		slash = cyg_str_chr(text, '/');
		if (slash == 0 || (slash < text.len && memchr(text.p + slash + 1, '/',
							   text.len - slash - 1) != NULL))
			rc = row_fail(row, key, "holds neither OWNER nor OWNER/NAME", err);
		*size += text.len + 1;
	}
	return rc;
}

struct cred_texts {
	struct cyg_str user, host, server;
	const json_t *access;
	size_t access_size;
};

static struct cred *cred_new(const struct cred_texts *x)
{
	size_t size = x->user.len + x->host.len + x->server.len + 3 + x->access_size;
	struct cred *c = cyg_xcalloc(1, sizeof(*c) + size);
	char *at = c->text;

	c->user = pack(&at, x->user);
	c->host = pack(&at, x->host);
	c->server = pack(&at, x->server);
	c->access = at;
	c->n_access = json_array_size(x->access);
	for (size_t i = 0; i < c->n_access; i++)
		(void)pack(&at, cyg_str_of(json_string_value(json_array_get(x->access, i))));
	cyg_list_init(&c->conns);
	return c;
}

static int read_cred(
    struct table *t, const struct table_row *row, struct cyg_arena *arena, struct cyg_err *err)
{
	static const char *const keys[] = { CYG_CREDENTIAL_SHA256, CYG_CREDENTIAL_USER,
		CYG_CREDENTIAL_HOST, CYG_CREDENTIAL_EXPIRES, CYG_CREDENTIAL_ACCESS,
		CYG_CREDENTIAL_SERVER, NULL };
	struct cred_texts x = { .access = json_object_get(row->json, CYG_CREDENTIAL_ACCESS) };
	const json_t *sum = json_object_get(row->json, CYG_CREDENTIAL_SHA256);
	uint8_t sha256[TABLE_SHA256];
	int64_t expires;
	struct cred *c;
	int rc;

	if ((rc = table_check_keys(row, keys, err)) < 0 ||
	    (rc = table_read_sha256(row, sum, sha256, err)) < 0 ||
	    (rc = row_name(row, CYG_CREDENTIAL_USER, &x.user, err)) < 0 ||
	    (rc = row_host(row, CYG_CREDENTIAL_HOST, arena, &x.host, err)) < 0 ||
	    (rc = row_name(row, CYG_CREDENTIAL_SERVER, &x.server, err)) < 0 ||
	    (rc = cred_access(row, x.access, &x.access_size, err)) < 0 ||
	    (rc = cred_expires(row, &expires, err)) < 0)
		return rc;
	if (x.user.len == 0)
		return row_fail(row, CYG_CREDENTIAL_USER, "is missing", err);
	if (table_find_hash(t, sha256) != NULL)
		return row_fail(row, CYG_CREDENTIAL_SHA256, "is there twice", err);
	c = cred_new(&x);
	memcpy(c->sha256, sha256, sizeof(sha256));
	c->expires = expires;
	(void)table_put_cred(t, c);
	return 0;
}

/* ---- lists and the whole ---- */

static const struct list {
	const char *name;
	size_t max;
	int (*read)(struct table *t, const struct table_row *row, struct cyg_arena *arena,
	    struct cyg_err *err);
} lists[] = {
	{ CYG_TABLE_ROUTES, CYG_TABLE_ROUTES_MAX, read_route },
	{ CYG_TABLE_CREDENTIALS, CYG_TABLE_CREDENTIALS_MAX, read_cred },
};

static int read_list(
    struct table *t, const struct list *list, const json_t *rows, struct cyg_err *err)
{
	struct table_row row = { .list = list->name };
	struct cyg_arena arena;
	int rc = 0;

	if (!json_is_array(rows))
		return cyg_fail(err, CYG_EINVAL, "table: %s must be a list", list->name);
	if (json_array_size(rows) > list->max)
		return cyg_fail(err, CYG_ELIMIT, "table: more than %zu %s", list->max, list->name);
	cyg_arena_init(&arena);
	for (size_t i = 0; i < json_array_size(rows) && rc == 0; i++) {
		row.index = i;
		row.json = json_array_get(rows, i);
		rc = list->read(t, &row, &arena, err);
	}
	cyg_arena_free(&arena);
	return rc;
}

int table_read_lists(struct table *t, const json_t *root, bool whole, struct cyg_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < CYG_N(lists) && rc == 0; i++) {
		const json_t *rows = json_object_get(root, lists[i].name);

		if (rows != NULL || (whole && i == 0))
			rc = read_list(t, &lists[i], rows, err);
	}
	return rc;
}

int table_read_generation(
    const json_t *root, const char *key, bool required, uint64_t *ret, struct cyg_err *err)
{
	const json_t *v = json_object_get(root, key);

	if ((v == NULL && required) ||
	    (v != NULL && (!json_is_integer(v) || json_integer_value(v) < 0)))
		return cyg_fail(err, CYG_EINVAL, "table: %s must be a whole number", key);
	*ret = (uint64_t)json_integer_value(v);
	return 0;
}

int table_load_json(struct cyg_str json, size_t max, json_t **ret, struct cyg_err *err)
{
	json_error_t why;

	if (json.len > max)
		return cyg_fail(err, CYG_ELIMIT, "table: more than %zu bytes", max);
	*ret = json_loadb(json.p, json.len, JSON_REJECT_DUPLICATES, &why);
	if (*ret == NULL)
		return cyg_fail(err, CYG_EINVAL, "table: line %d column %d: %s", why.line,
		    why.column, why.text);
	return 0;
}

static int read_root(struct table *t, const json_t *root, struct cyg_err *err)
{
	static const char *const known[] = { CYG_TABLE_GENERATION, CYG_TABLE_ROUTES,
		CYG_TABLE_CREDENTIALS };
	size_t n = 0;
	int rc;

	if (!json_is_object(root))
		return cyg_fail(err, CYG_EINVAL, "table: must be an object");
	for (size_t i = 0; i < CYG_N(known); i++)
		n += json_object_get(root, known[i]) != NULL;
	if (n != json_object_size(root))
		return cyg_fail(
		    err, CYG_EINVAL, "table: only generation, routes and credentials are allowed");
	rc = table_read_generation(root, CYG_TABLE_GENERATION, false, &t->generation, err);
	return rc < 0 ? rc : table_read_lists(t, root, true, err);
}

int table_parse(struct cyg_str json, struct table **ret, struct cyg_err *err)
{
	json_t *root = NULL;
	struct table *t;
	int rc = table_load_json(json, CYG_TABLE_MAX, &root, err);

	if (rc < 0)
		return rc;
	t = table_new();
	rc = read_root(t, root, err);
	json_decref(root);
	if (rc < 0) {
		table_free(t);
		return rc;
	}
	*ret = t;
	return 0;
}

/* The proxies' table: rows in a hash by key, and in a list in the order of their last changes. The
 * difference to a generation is the end of that list. A removed row stays, without its text, until
 * every proxy has the change. */
#include "hub/link/table.h"

#include "base/hash.h"
#include "base/list.h"
#include "base/mem.h"

#include <jansson.h>
#include <string.h>

enum { KEY_MAX = 1 + CYG_ROUTE_HOST_MAX + 3 * CYG_ROUTE_PREFIX_MAX };

/* A key begins with one of these. A host holds no '/', and a prefix begins with one. */
enum { KEY_ROUTE = 'r', KEY_CREDENTIAL = 'c' };

struct row {
	struct cyg_link link; /* of the list of changes */
	uint64_t generation;  /* of its last change */
	char *json;           /* NULL: removed */
	char key[];
};

struct hub_table {
	struct cyg_hash *rows;
	struct cyg_list changes; /* all rows, the one changed last at the end */
	uint64_t generation;
	uint64_t forgotten; /* up to this generation, removed rows may be missing from the list */
	size_t n_dropped;
};

struct hub_table *hub_table_new(uint64_t generation)
{
	struct hub_table *t = cyg_xcalloc(1, sizeof(*t));

	t->rows = cyg_hash_new();
	cyg_list_init(&t->changes);
	t->generation = t->forgotten = generation;
	return t;
}

static void row_free(void *value)
{
	struct row *row = value;

	free(row->json);
	free(row);
}

void hub_table_free(struct hub_table *t)
{
	if (t == NULL)
		return;
	cyg_hash_free(t->rows, row_free);
	free(t);
}

uint64_t hub_table_generation(const struct hub_table *t)
{
	return t->generation;
}

size_t hub_table_n_dropped(const struct hub_table *t)
{
	return t->n_dropped;
}

/* ---- changes ---- */

static void row_changed(struct hub_table *t, struct row *row, char *json)
{
	if (row->json == NULL && cyg_link_is_on(&row->link))
		t->n_dropped--;
	t->n_dropped += json == NULL ? 1 : 0;
	free(row->json);
	row->json = json;
	row->generation = ++t->generation;
	if (cyg_link_is_on(&row->link))
		cyg_list_remove(&t->changes, &row->link);
	cyg_list_add(&t->changes, &row->link);
}

/* Takes json. */
static bool set_row(struct hub_table *t, const char *key, char *json)
{
	struct row *row = cyg_hash_find(t->rows, cyg_str_of(key));

	if (row != NULL && row->json != NULL && strcmp(row->json, json) == 0) {
		free(json);
		return false;
	}
	if (row == NULL) {
		size_t size = strlen(key) + 1;

		row = cyg_xcalloc(1, sizeof(*row) + size);
		memcpy(row->key, key, size);
		cyg_link_init(&row->link);
		(void)cyg_hash_set(t->rows, cyg_str_of(key), row);
	}
	row_changed(t, row, json);
	return true;
}

static bool drop_row(struct hub_table *t, const char *key)
{
	struct row *row = cyg_hash_find(t->rows, cyg_str_of(key));

	if (row == NULL || row->json == NULL)
		return false;
	row_changed(t, row, NULL);
	return true;
}

static char *route_key(const char *host, const char *prefix)
{
	return cyg_xasprintf("%c%s%s", KEY_ROUTE, host != NULL ? host : "", prefix);
}

/* A row that cannot be written (text that is no UTF-8) is left out of the table. */
static char *take_json(json_t *row)
{
	char *text = row != NULL ? json_dumps(row, JSON_COMPACT) : NULL;

	json_decref(row);
	return text;
}

bool hub_table_set_route(struct hub_table *t, const struct hub_route *r)
{
	cyg_autofree char *key = route_key(r->host, r->prefix);
	char *json = take_json(json_pack("{s:s*, s:s, s:s, s:s, s:s*, s:s*, s:s*}", CYG_ROUTE_HOST,
	    r->host, CYG_ROUTE_PREFIX, r->prefix, CYG_ROUTE_TO, r->target, CYG_ROUTE_AUTH, r->auth,
	    CYG_ROUTE_OWNER, r->owner, CYG_ROUTE_NAME, r->name, CYG_ROUTE_SERVER, r->server));

	return json != NULL && set_row(t, key, json);
}

bool hub_table_drop_route(struct hub_table *t, const char *host, const char *prefix)
{
	cyg_autofree char *key = route_key(host, prefix);

	return drop_row(t, key);
}

bool hub_table_set_credential(struct hub_table *t, const struct hub_credential *c)
{
	cyg_autofree char *key = cyg_xasprintf("%c%s", KEY_CREDENTIAL, c->sha256);
	json_t *access = c->access != NULL ? json_array() : NULL;

	for (size_t i = 0; access != NULL && c->access[i] != NULL; i++)
		(void)json_array_append_new(access, json_string(c->access[i]));
	char *json = take_json(json_pack("{s:s, s:s, s:s*, s:I, s:o*, s:s*}", CYG_CREDENTIAL_SHA256,
	    c->sha256, CYG_CREDENTIAL_USER, c->user, CYG_CREDENTIAL_HOST, c->host,
	    CYG_CREDENTIAL_EXPIRES, (json_int_t)c->expires_s, CYG_CREDENTIAL_ACCESS, access,
	    CYG_CREDENTIAL_SERVER, c->server));
	return json != NULL && set_row(t, key, json);
}

bool hub_table_drop_credential(struct hub_table *t, const char *sha256)
{
	cyg_autofree char *key = cyg_xasprintf("%c%s", KEY_CREDENTIAL, sha256);

	return drop_row(t, key);
}

static bool is_forgotten(void *arg, struct cyg_str key, void *value)
{
	struct hub_table *t = arg;
	struct row *row = value;

	(void)key;
	if (row->json != NULL || row->generation > t->forgotten)
		return false;
	cyg_list_remove(&t->changes, &row->link);
	t->n_dropped--;
	row_free(row);
	return true;
}

/* A sweep looks at every row, so it waits until there are enough to forget. */
enum { FORGET_MIN = 256 };

void hub_table_forget(struct hub_table *t, uint64_t generation)
{
	if (generation > t->generation)
		generation = t->generation;
	if (t->n_dropped < FORGET_MIN + cyg_hash_count(t->rows) / 8 || generation <= t->forgotten)
		return;
	t->forgotten = generation;
	(void)cyg_hash_sweep(t->rows, is_forgotten, t);
}

/* ---- writing ---- */

/* "begin" row "," row ... "end" of the rows of one kind after a generation. */
struct listing {
	char kind;
	bool dropped; /* removed rows; else present ones */
	uint64_t after;
};

/* The key as the proxies know it. */
static json_t *dropped_json(const struct row *row)
{
	const char *key = row->key + 1;
	const char *slash = strchr(key, '/');

	if (row->key[0] == KEY_CREDENTIAL || slash == NULL)
		return json_string(key);
	if (slash == key)
		return json_pack("{s:s}", CYG_ROUTE_PREFIX, key);
	return json_pack(
	    "{s:s%, s:s}", CYG_ROUTE_HOST, key, (size_t)(slash - key), CYG_ROUTE_PREFIX, slash);
}

static int write_dropped(const struct row *row, struct cyg_buf *out, struct cyg_err *err)
{
	json_t *what = dropped_json(row);
	cyg_autofree char *text = json_dumps(what, JSON_COMPACT | JSON_ENCODE_ANY);

	json_decref(what);
	if (text == NULL)
		return cyg_fail(err, CYG_EINVAL, "a key of the table cannot be written");
	return cyg_buf_add_str(out, text, err);
}

static int write_rows(
    const struct hub_table *t, const struct listing *what, struct cyg_buf *out, struct cyg_err *err)
{
	bool first = true;
	int rc = cyg_buf_add_str(out, "[", err);

	for (struct cyg_link *it = t->changes.head.prev; rc == 0 && it != &t->changes.head;
	     it = it->prev) {
		const struct row *row = CYG_CONTAINER_OF(it, struct row, link);

		if (row->generation <= what->after)
			break;
		if (row->key[0] != what->kind || (row->json == NULL) != what->dropped)
			continue;
		if (!first)
			rc = cyg_buf_add(out, ",", 1, err);
		first = false;
		if (rc == 0)
			rc = row->json != NULL ? cyg_buf_add_str(out, row->json, err)
					       : write_dropped(row, out, err);
	}
	return rc < 0 ? rc : cyg_buf_add_str(out, "]", err);
}

static int write_lists(const struct hub_table *t, uint64_t after, bool dropped, struct cyg_buf *out,
    struct cyg_err *err)
{
	struct listing what = { .kind = KEY_ROUTE, .dropped = dropped, .after = after };
	int rc = cyg_buf_add_str(out, "\"" CYG_TABLE_ROUTES "\":", err);

	if (rc == 0)
		rc = write_rows(t, &what, out, err);
	what.kind = KEY_CREDENTIAL;
	if (rc == 0)
		rc = cyg_buf_add_str(out, ",\"" CYG_TABLE_CREDENTIALS "\":", err);
	return rc < 0 ? rc : write_rows(t, &what, out, err);
}

int hub_table_write(const struct hub_table *t, struct cyg_buf *out, struct cyg_err *err)
{
	int rc = cyg_buf_printf(
	    out, err, "{\"" CYG_TABLE_GENERATION "\":%llu,", (unsigned long long)t->generation);

	if (rc == 0)
		rc = write_lists(t, 0, false, out, err);
	return rc < 0 ? rc : cyg_buf_add_str(out, "}", err);
}

int hub_table_write_since(
    const struct hub_table *t, uint64_t from, struct cyg_buf *out, struct cyg_err *err)
{
	size_t before = out->len;
	int rc;

	if (from < t->forgotten || from > t->generation)
		return cyg_fail(err, CYG_ENOENT, "that generation is not remembered");
	rc = cyg_buf_printf(out, err,
	    "{\"" CYG_TABLE_FROM "\":%llu,\"" CYG_TABLE_TO "\":%llu,\"" CYG_TABLE_SET "\":{",
	    (unsigned long long)from, (unsigned long long)t->generation);
	if (rc == 0)
		rc = write_lists(t, from, false, out, err);
	if (rc == 0)
		rc = cyg_buf_add_str(out, "},\"" CYG_TABLE_DROP "\":{", err);
	if (rc == 0)
		rc = write_lists(t, from, true, out, err);
	if (rc == 0)
		rc = cyg_buf_add_str(out, "}}", err);
	if (rc == 0 && out->len - before > CYG_TABLE_PATCH_MAX)
		return cyg_fail(err, CYG_ELIMIT, "the change is larger than a table");
	return rc;
}

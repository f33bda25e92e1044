/* The table: stores its rows by their keys and finds them. Reading them from JSON is table_json.c,
 * changing them table_change.c; putting a table in force is force.c. */
#include "proxy/table_priv.h"

#include "base/mem.h"
#include "proxy/limits.h"

#include <openssl/evp.h>
#include <string.h>

enum { ROUTE_KEY_MAX = CYG_ROUTE_HOST_MAX + CYG_ROUTE_PREFIX_MAX };

struct table *table_new(void)
{
	struct table *t = cyg_xcalloc(1, sizeof(*t));

	t->routes = cyg_hash_new();
	t->creds = cyg_hash_new();
	return t;
}

void table_free(struct table *t)
{
	if (t == NULL)
		return;
	cyg_hash_free(t->routes, free);
	cyg_hash_free(t->creds, free);
	free(t);
}

/* ---- rows ---- */

/* A host never holds a '/', so host + prefix is one key without a separator. */
static bool route_key(
    char key[ROUTE_KEY_MAX], struct cyg_str host, struct cyg_str prefix, struct cyg_str *ret)
{
	if (host.len > CYG_ROUTE_HOST_MAX || prefix.len > CYG_ROUTE_PREFIX_MAX)
		return false;
	memcpy(key, host.p, host.len);
	memcpy(key + host.len, prefix.p, prefix.len);
	*ret = (struct cyg_str){ key, host.len + prefix.len };
	return true;
}

static struct cyg_str cred_key(const uint8_t sha256[TABLE_SHA256])
{
	return (struct cyg_str){ (const char *)sha256, TABLE_SHA256 };
}

static void count_route(struct table *t, const struct route *r)
{
	t->n_routes++;
	t->n_of_length[r->prefix.len]++;
	t->n_hosts += r->host.len > 0 ? 1 : 0;
	if (r->prefix.len > t->prefix_max)
		t->prefix_max = r->prefix.len;
}

static void uncount_route(struct table *t, const struct route *r)
{
	t->n_routes--;
	t->n_of_length[r->prefix.len]--;
	t->n_hosts -= r->host.len > 0 ? 1 : 0;
	while (t->prefix_max > 0 && t->n_of_length[t->prefix_max] == 0)
		t->prefix_max--;
}

struct route *table_put_route(struct table *t, struct route *r)
{
	char text[ROUTE_KEY_MAX];
	struct cyg_str key = CYG_STR("");
	struct route *old;

	(void)route_key(text, r->host, r->prefix, &key);
	old = cyg_hash_set(t->routes, key, r);
	if (old == NULL)
		count_route(t, r);
	return old;
}

struct cred *table_put_cred(struct table *t, struct cred *c)
{
	struct cred *old = cyg_hash_set(t->creds, cred_key(c->sha256), c);

	t->n_creds += old == NULL ? 1 : 0;
	return old;
}

struct route *table_take_route(struct table *t, struct cyg_str host, struct cyg_str prefix)
{
	char text[ROUTE_KEY_MAX];
	struct cyg_str key;
	struct route *r = NULL;

	if (route_key(text, host, prefix, &key))
		r = cyg_hash_remove(t->routes, key);
	if (r != NULL)
		uncount_route(t, r);
	return r;
}

struct cred *table_take_cred(struct table *t, const uint8_t sha256[TABLE_SHA256])
{
	struct cred *c = cyg_hash_remove(t->creds, cred_key(sha256));

	t->n_creds -= c != NULL ? 1 : 0;
	return c;
}

static bool same_text(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

bool table_same_route(const struct route *a, const struct route *b)
{
	return a->auth == b->auth && cyg_str_same(a->host, b->host) &&
	       cyg_str_same(a->prefix, b->prefix) && same_text(a->target, b->target) &&
	       same_text(a->owner, b->owner) && same_text(a->name, b->name) &&
	       same_text(a->server, b->server);
}

static const char *next_access(const char *entry)
{
	return entry + strlen(entry) + 1;
}

static bool same_access(const struct cred *a, const struct cred *b)
{
	const char *x = a->access;
	const char *y = b->access;

	if (a->n_access != b->n_access)
		return false;
	for (size_t i = 0; i < a->n_access; i++, x = next_access(x), y = next_access(y)) {
		if (!same_text(x, y))
			return false;
	}
	return true;
}

bool table_same_cred(const struct cred *a, const struct cred *b)
{
	return memcmp(a->sha256, b->sha256, TABLE_SHA256) == 0 && a->expires == b->expires &&
	       same_text(a->user, b->user) && same_text(a->host, b->host) &&
	       same_text(a->server, b->server) && same_access(a, b);
}

/* ---- finding ---- */

bool table_is_server(const struct route *r)
{
	return r->auth == ROUTE_SESSION || r->server[0] != '\0';
}

struct route *table_find_exact(const struct table *t, struct cyg_str host, struct cyg_str prefix)
{
	char text[ROUTE_KEY_MAX];
	struct cyg_str key;

	return route_key(text, host, prefix, &key) ? cyg_hash_find(t->routes, key) : NULL;
}

static struct route *find_at(const struct table *t, struct cyg_str host, struct cyg_str prefix)
{
	struct route *r = NULL;

	if (t->n_hosts > 0 && host.len > 0)
		r = table_find_exact(t, host, prefix);
	return r != NULL ? r : table_find_exact(t, CYG_STR(""), prefix);
}

/* A path that is a prefix without its closing '/' ("/user/alice") belongs to that route. */
static struct route *find_slash(const struct table *t, struct cyg_str host, struct cyg_str path)
{
	char with[CYG_ROUTE_PREFIX_MAX + 1];

	if (path.len == 0 || path.p[path.len - 1] == '/' || path.len >= t->prefix_max)
		return NULL;
	memcpy(with, path.p, path.len);
	with[path.len] = '/';
	return find_at(t, host, (struct cyg_str){ with, path.len + 1 });
}

/* Tries the longest prefix first. Only a part that ends with '/' can be one, and none is longer
 * than prefix_max, so a long path costs no more than a long prefix. */
static struct route *find_longest(
    const struct table *t, struct cyg_str host, struct cyg_str path, size_t max)
{
	struct route *r = NULL;

	for (size_t len = path.len < max ? path.len : max; r == NULL && len > 0; len--) {
		if (t->n_of_length[len] > 0 && path.p[len - 1] == '/')
			r = find_at(t, host, cyg_str_sub(path, 0, len));
	}
	return r;
}

struct route *table_find_route(
    const struct table *t, struct cyg_str host, struct cyg_str path, bool *slash)
{
	struct route *r = find_slash(t, host, path);

	*slash = r != NULL;
	return r != NULL ? r : find_longest(t, host, path, t->prefix_max);
}

struct route *table_find_shorter(
    const struct table *t, struct cyg_str host, struct cyg_str path, const struct route *r)
{
	return find_longest(t, host, path, r->prefix.len - 1);
}

/* "*", "OWNER", or "OWNER/NAME". */
static bool covers(const char *entry, const struct route *r)
{
	size_t len = strlen(r->owner);

	if (same_text(entry, "*"))
		return true;
	if (strncmp(entry, r->owner, len) != 0)
		return false;
	return entry[len] == '\0' || (entry[len] == '/' && same_text(entry + len + 1, r->name));
}

bool table_may_use(const struct cred *c, const struct route *r)
{
	const char *entry;

	if (r->auth == ROUTE_NONE)
		return true;
	if (c == NULL || r->auth == ROUTE_USER)
		return c != NULL;
	if (same_text(c->user, r->owner))
		return true;
	entry = c->access;
	for (size_t i = 0; i < c->n_access; i++, entry = next_access(entry)) {
		if (covers(entry, r))
			return true;
	}
	return false;
}

struct cred *table_find_hash(const struct table *t, const uint8_t sha256[TABLE_SHA256])
{
	return cyg_hash_find(t->creds, cred_key(sha256));
}

struct cred *table_find_cred(const struct table *t, struct cyg_str secret, int64_t now_s)
{
	uint8_t sum[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	struct cred *c;

	if (secret.len == 0 || secret.len > TOKEN_MAX)
		return NULL;
	if (EVP_Digest(secret.p, secret.len, sum, &len, EVP_sha256(), NULL) != 1)
		return NULL;
	c = table_find_hash(t, sum);
	if (c != NULL && c->expires != 0 && c->expires <= now_s)
		return NULL;
	return c;
}

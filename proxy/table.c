/* Finding in a table. Building one from JSON is table_json.c; putting one in force is force.c. */
#include "proxy/table.h"

#include "base/mem.h"
#include "proxy/limits.h"

#include <openssl/evp.h>
#include <string.h>

void table_free(struct table *t)
{
	if (t == NULL)
		return;
	cyg_hash_free(t->routes, NULL);
	cyg_hash_free(t->creds, NULL);
	cyg_hash_free(t->servers, NULL);
	cyg_arena_free(&t->arena);
	free(t);
}

bool table_is_server(const struct route *r)
{
	return r->auth == ROUTE_SESSION || r->server[0] != '\0';
}

/* A host never holds a '/', so host + prefix is one key without a separator. */
struct route *table_find_exact(const struct table *t, struct cyg_str host, struct cyg_str prefix)
{
	char key[256 + TABLE_PREFIX_MAX];

	if (host.len > 255 || prefix.len > TABLE_PREFIX_MAX)
		return NULL;
	memcpy(key, host.p, host.len);
	memcpy(key + host.len, prefix.p, prefix.len);
	return cyg_hash_find(t->routes, (struct cyg_str){ key, host.len + prefix.len });
}

static struct route *find_at(const struct table *t, struct cyg_str host, struct cyg_str prefix)
{
	struct route *r = NULL;

	if (t->has_hosts && host.len > 0)
		r = table_find_exact(t, host, prefix);
	return r != NULL ? r : table_find_exact(t, CYG_STR(""), prefix);
}

/* A path that lacks the closing '/' of a prefix ("/user/alice") is that route's. */
static struct route *find_slash(const struct table *t, struct cyg_str host, struct cyg_str path)
{
	char with[TABLE_PREFIX_MAX + 1];

	if (path.len == 0 || path.p[path.len - 1] == '/' || path.len >= t->prefix_max)
		return NULL;
	memcpy(with, path.p, path.len);
	with[path.len] = '/';
	return find_at(t, host, (struct cyg_str){ with, path.len + 1 });
}

/* Longest first; only cuts behind a '/' can be prefixes, and none is longer than prefix_max, so a
 * long path costs no more than a long prefix. */
static struct route *find_longest(
    const struct table *t, struct cyg_str host, struct cyg_str path, size_t max)
{
	struct route *r = NULL;

	for (size_t len = path.len < max ? path.len : max; r == NULL && len > 0; len--) {
		if (path.p[len - 1] == '/')
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

bool table_may_use(const struct cred *c, const struct route *r)
{
	if (r->auth == ROUTE_NONE)
		return true;
	return c != NULL && (r->auth == ROUTE_USER || strcmp(c->user, r->owner) == 0);
}

struct cred *table_find_hash(const struct table *t, const uint8_t sha256[TABLE_SHA256])
{
	return cyg_hash_find(t->creds, (struct cyg_str){ (const char *)sha256, TABLE_SHA256 });
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

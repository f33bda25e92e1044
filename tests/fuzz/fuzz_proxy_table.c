/* Fuzz target: tables as a hub or an administrator might write them. What is accepted keeps the
 * promises that the lookups rely on. */
#include "proxy/limits.h"
#include "proxy/table.h"
#include "proxy/target.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_route(const struct table *t, const struct route *r)
{
	struct target target;
	bool slash;

	if (r->prefix.len == 0 || r->prefix.len > t->prefix_max || r->prefix.p[0] != '/' ||
	    r->prefix.p[r->prefix.len - 1] != '/')
		abort();
	if (r->auth == ROUTE_SESSION && r->owner[0] == '\0')
		abort();
	if (target_parse(cyg_str_of(r->target), &target, NULL) < 0)
		abort();
	if (table_find_route(t, r->host, r->prefix, &slash) == NULL || slash)
		abort();
	if (table_find_exact(t, r->host, r->prefix) != r)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct table *t = NULL;
	struct cyg_err err;
	struct cyg_str key;
	void *value;
	size_t pos = 0;

	if (table_parse((struct cyg_str){ (const char *)data, size }, &t, &err) < 0)
		return 0;
	while (cyg_hash_next(t->routes, &pos, &key, &value))
		check_route(t, value);
	pos = 0;
	while (cyg_hash_next(t->creds, &pos, &key, &value)) {
		const struct cred *c = value;

		if (c->user[0] == '\0' || c->expires < 0)
			abort();
	}
	table_free(t);
	return 0;
}

/* Fuzz target: changes of a table as a hub might send them. One that is accepted and builds on the
 * table's generation leaves just what it says: every row that it sets is found as it was set, what
 * it drops and does not set is gone, and the counts are right. */
#include "proxy/table.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char base[] =
    "{\"generation\":5,\"routes\":["
    "{\"prefix\":\"/\",\"target\":\"unix:/hub\",\"auth\":\"none\"},"
    "{\"prefix\":\"/user/a/\",\"target\":\"unix:/a\",\"auth\":\"session\",\"owner\":\"a\"}],"
    "\"credentials\":[{\"sha256\":\"1111111111111111111111111111111111111111111111111111111111111111\","
    "\"user\":\"a\"}]}";

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check_set(const struct table *t, const struct table_change *again)
{
	struct cyg_str key;
	void *row;
	size_t pos = 0;

	while (cyg_hash_next(again->set->routes, &pos, &key, &row)) {
		const struct route *r = row;
		const struct route *found = table_find_exact(t, r->host, r->prefix);

		require(found != NULL && table_same_route(found, r));
		require(r->prefix.len <= t->prefix_max);
	}
	pos = 0;
	while (cyg_hash_next(again->set->creds, &pos, &key, &row)) {
		const struct cred *c = row;
		const struct cred *found = table_find_hash(t, c->sha256);

		require(found != NULL && table_same_cred(found, c) && found->user[0] != '\0');
	}
}

static void check_drops(const struct table *t, const struct table_change *again)
{
	for (size_t i = 0; i < again->n_drop_routes; i++) {
		const struct route_key *k = &again->drop_routes[i];

		require(table_find_exact(t, k->host, k->prefix) == NULL ||
			table_find_exact(again->set, k->host, k->prefix) != NULL);
	}
	for (size_t i = 0; i < again->n_drop_creds; i++)
		require(table_find_hash(t, again->drop_creds[i]) == NULL ||
			table_find_hash(again->set, again->drop_creds[i]) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct cyg_str text = { (const char *)data, size };
	struct table_change *change = NULL;
	struct table_change *again = NULL;
	struct table *t = NULL;

	if (table_change_parse(text, &change, NULL) < 0)
		return 0;
	require(change->to > change->from);
	require(table_parse(cyg_str_of(base), &t, NULL) == 0);
	/* The same change with the rows that the first one gives away. */
	require(table_change_parse(text, &again, NULL) == 0);
	if (table_change_check(change, t, NULL) == 0) {
		table_apply(t, change, NULL);
		require(t->generation == again->to);
		check_set(t, again);
		check_drops(t, again);
	} else {
		require(t->n_routes == 2 && t->n_creds == 1);
	}
	require(cyg_hash_count(t->routes) == t->n_routes);
	require(cyg_hash_count(t->creds) == t->n_creds);
	table_change_free(change);
	table_change_free(again);
	table_free(t);
	return 0;
}

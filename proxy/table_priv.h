/* What table.c, table_json.c and table_change.c share. */
#ifndef PROXY_TABLE_PRIV_H
#define PROXY_TABLE_PRIV_H

#include "base/arena.h"
#include "proxy/table.h"

#include <jansson.h>

/* Where a row stands, for messages: "routes[3]". */
struct table_row {
	const char *list;
	size_t index;
	json_t *json;
};

struct table *table_new(void);
/* Puts a row in and returns the one whose place it took, or NULL; it is the caller's then. */
struct route *table_put_route(struct table *t, struct route *r);
struct cred *table_put_cred(struct table *t, struct cred *c);
/* Takes a row out; NULL when it is not there. */
struct route *table_take_route(struct table *t, struct cyg_str host, struct cyg_str prefix);
struct cred *table_take_cred(struct table *t, const uint8_t sha256[TABLE_SHA256]);

/* Reads "routes" and "credentials" of an object into t; with whole, routes must be there. */
int table_read_lists(struct table *t, const json_t *root, bool whole, struct cyg_err *err);
/* The key of a route's row; its text is the arena's. */
int table_read_key(const struct table_row *row, struct cyg_arena *arena, struct route_key *ret,
    struct cyg_err *err);
int table_read_sha256(const struct table_row *row, const json_t *value, uint8_t ret[TABLE_SHA256],
    struct cyg_err *err);
/* Fails unless the row is an object with these keys only (NULL-ended). */
int table_check_keys(const struct table_row *row, const char *const *allowed, struct cyg_err *err);
/* Whole numbers of the top level. */
int table_read_generation(
    const json_t *root, const char *key, bool required, uint64_t *ret, struct cyg_err *err);
/* Parses the document; what names it in the message about its size. */
int table_load_json(struct cyg_str json, size_t max, json_t **ret, struct cyg_err *err);

#endif

/* Private to src/http: the endpoint table, compiled once into a tree of path segments. */
#ifndef HTTP_ENDPOINT_H
#define HTTP_ENDPOINT_H

#include "http/server.h"

struct endpoint_tree;

/* Compiles a table ended by a NULL path. A row without scope or handler, a malformed or repeated
 * path: -CYG_EINVAL. The table must outlive the tree. */
int endpoint_tree_new(
    const struct http_endpoint *rows, struct endpoint_tree **ret, struct cyg_err *err);
/* NULL is accepted. */
void endpoint_tree_free(struct endpoint_tree *tree);
/* The row for a method (HEAD falls back to GET) and a decoded path below the base, or NULL. params
 * borrow from path. *allowed gets a bit (1 << method) for each method some row has for this path.
 */
const struct http_endpoint *endpoint_find(const struct endpoint_tree *tree, enum http_method method,
    struct cyg_str path, struct cyg_str params[HTTP_PARAMS_MAX], unsigned *allowed);

#endif

/* Private to src/http: endpoint tables, compiled once into a tree of path segments. */
#ifndef HTTP_ENDPOINT_H
#define HTTP_ENDPOINT_H

#include "http/server.h"

struct endpoint_tree;

/* A row and the mount it came with; row is NULL when there is none. */
struct endpoint_found {
	const struct http_endpoint *row;
	const struct http_mount *mount;
};

struct endpoint_tree *endpoint_tree_new(void);
/* Adds the rows of a mount. A row without scope or handler, a malformed path, or one that some
 * mount of this tree has already: -CYG_EINVAL. The mount must outlive the tree. */
int endpoint_tree_add(
    struct endpoint_tree *tree, const struct http_mount *mount, struct cyg_err *err);
/* NULL is accepted. */
void endpoint_tree_free(struct endpoint_tree *tree);
/* The row for a method (HEAD falls back to GET) and a decoded path below the prefix. params borrow
 * from path. *allowed gets a bit (1 << method) for each method some row has for this path. */
struct endpoint_found endpoint_find(const struct endpoint_tree *tree, enum http_method method,
    struct cyg_str path, struct cyg_str params[HTTP_PARAMS_MAX], unsigned *allowed);

#endif

/* The endpoint table as a tree: one node a path segment. Literal segments are tried before a
 * parameter, a parameter before "{rest...}", and a row of another method is no match. */
#include "http/endpoint.h"

#include "base/mem.h"

#include <string.h>

enum { METHODS = HTTP_OPTIONS + 1 };

struct rows {
	const struct http_endpoint *of[METHODS];
};

struct endpoint_tree {
	struct cyg_str literal; /* this node's segment; of a parameter: NULL */
	struct endpoint_tree *children;
	size_t n_children;
	struct endpoint_tree *param;
	struct rows here; /* paths that end at this node */
	struct rows rest; /* "{name...}" below this node */
};

static int bad_row(const struct http_endpoint *row, struct cyg_err *err, const char *why)
{
	return cyg_fail(
	    err, CYG_EINVAL, "endpoint %s %s: %s", http_method_text(row->method), row->path, why);
}

static struct endpoint_tree *child_of(struct endpoint_tree *node, struct cyg_str literal)
{
	struct endpoint_tree *child;

	for (size_t i = 0; i < node->n_children; i++) {
		if (cyg_str_same(node->children[i].literal, literal))
			return &node->children[i];
	}
	node->children =
	    cyg_xrealloc(node->children, (node->n_children + 1) * sizeof(*node->children));
	child = &node->children[node->n_children++];
	*child = (struct endpoint_tree){ .literal = literal };
	return child;
}

static int set_row(struct rows *rows, const struct http_endpoint *row, struct cyg_err *err)
{
	if (rows->of[row->method] != NULL)
		return bad_row(row, err, "is there twice");
	rows->of[row->method] = row;
	return 0;
}

static int add_row(struct endpoint_tree *node, const struct http_endpoint *row, struct cyg_err *err)
{
	struct cyg_str rest = cyg_str_skip(cyg_str_of(row->path), 1);
	struct cyg_str segment;
	unsigned n_params = 0;

	while (cyg_str_next(&rest, '/', &segment)) {
		if (!cyg_str_starts(segment, "{")) {
			node = child_of(node, segment);
			continue;
		}
		if (!cyg_str_ends(segment, "}") || ++n_params > HTTP_PARAMS_MAX)
			return bad_row(row, err, "malformed or too many parameters");
		if (cyg_str_ends(segment, "...}"))
			return rest.p == NULL ? set_row(&node->rest, row, err)
					      : bad_row(row, err, "text behind the rest");
		if (node->param == NULL)
			node->param = cyg_xcalloc(1, sizeof(*node->param));
		node = node->param;
	}
	return set_row(&node->here, row, err);
}

static int check_row(const struct http_endpoint *row, struct cyg_err *err)
{
	if (row->scope == NULL || row->scope[0] == '\0')
		return bad_row(row, err, "no scope says who may");
	if (row->handle == NULL)
		return bad_row(row, err, "no handler");
	if (row->method == HTTP_OTHER || row->path[0] != '/')
		return bad_row(row, err, "no method, or no slash at the start");
	return 0;
}

int endpoint_tree_new(
    const struct http_endpoint *rows, struct endpoint_tree **ret, struct cyg_err *err)
{
	struct endpoint_tree *root = cyg_xcalloc(1, sizeof(*root));
	int rc = 0;

	for (const struct http_endpoint *row = rows; rc == 0 && row->path != NULL; row++) {
		rc = check_row(row, err);
		if (rc == 0)
			rc = add_row(root, row, err);
	}
	if (rc < 0) {
		endpoint_tree_free(root);
		return rc;
	}
	*ret = root;
	return 0;
}

/* NOLINTBEGIN(misc-no-recursion): as deep as the longest path of a table of ours */
static void free_below(struct endpoint_tree *node)
{
	for (size_t i = 0; i < node->n_children; i++)
		free_below(&node->children[i]);
	free(node->children);
	endpoint_tree_free(node->param);
}

void endpoint_tree_free(struct endpoint_tree *tree)
{
	if (tree == NULL)
		return;
	free_below(tree);
	free(tree);
}
/* NOLINTEND(misc-no-recursion) */

struct match {
	enum http_method method;
	struct cyg_str *params;
	unsigned allowed;
};

static const struct http_endpoint *pick(const struct rows *rows, struct match *m)
{
	for (unsigned i = HTTP_GET; i < METHODS; i++) {
		if (rows->of[i] != NULL)
			m->allowed |= 1U << i;
	}
	if (rows->of[HTTP_GET] != NULL)
		m->allowed |= 1U << HTTP_HEAD;
	if (m->method == HTTP_HEAD && rows->of[HTTP_HEAD] == NULL)
		return rows->of[HTTP_GET];
	return rows->of[m->method];
}

static const struct http_endpoint *pick_rest(
    const struct endpoint_tree *node, struct cyg_str rest, unsigned n_params, struct match *m)
{
	const struct http_endpoint *row = pick(&node->rest, m);

	if (row != NULL)
		m->params[n_params] = rest;
	return row;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the table, not as the path */
static const struct http_endpoint *find_below(
    const struct endpoint_tree *node, struct cyg_str rest, unsigned n_params, struct match *m)
{
	const struct http_endpoint *row = NULL;
	struct cyg_str all = rest;
	struct cyg_str segment;

	if (!cyg_str_next(&rest, '/', &segment)) {
		row = pick(&node->here, m);
		return row != NULL ? row : pick_rest(node, CYG_STR(""), n_params, m);
	}
	for (size_t i = 0; row == NULL && i < node->n_children; i++) {
		if (cyg_str_same(node->children[i].literal, segment))
			row = find_below(&node->children[i], rest, n_params, m);
	}
	if (row == NULL && node->param != NULL && segment.len > 0) {
		row = find_below(node->param, rest, n_params + 1, m);
		if (row != NULL)
			m->params[n_params] = segment;
	}
	return row != NULL ? row : pick_rest(node, all, n_params, m);
}

const struct http_endpoint *endpoint_find(const struct endpoint_tree *tree, enum http_method method,
    struct cyg_str path, struct cyg_str params[HTTP_PARAMS_MAX], unsigned *allowed)
{
	struct match m = { .method = method, .params = params };
	const struct http_endpoint *row = NULL;

	if (path.len > 0 && path.p[0] == '/')
		row = find_below(tree, cyg_str_skip(path, 1), 0, &m);
	*allowed = m.allowed;
	return row;
}

/* Endpoint tables as a tree: one node a path segment. Literal segments are tried before a
 * parameter, a parameter before "{rest...}", and a row of another method is no match. */
#include "http/endpoint.h"

#include "base/mem.h"

#include <string.h>

enum { METHODS = HTTP_OPTIONS + 1 };

struct rows {
	struct endpoint_found of[METHODS];
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

static int set_row(struct rows *rows, struct endpoint_found what, struct cyg_err *err)
{
	struct endpoint_found *at = &rows->of[what.row->method];

	if (at->row != NULL)
		return bad_row(what.row, err, "is there twice");
	*at = what;
	return 0;
}

static int add_row(struct endpoint_tree *node, struct endpoint_found what, struct cyg_err *err)
{
	const struct http_endpoint *row = what.row;
	struct cyg_str rest = cyg_str_of(row->path);
	struct cyg_str segment;
	unsigned n_params = 0;

	if (rest.len == 0)
		return set_row(&node->here, what, err);
	rest = cyg_str_skip(rest, 1);
	while (cyg_str_next(&rest, '/', &segment)) {
		if (!cyg_str_starts(segment, "{")) {
			node = child_of(node, segment);
			continue;
		}
		if (!cyg_str_ends(segment, "}") || ++n_params > HTTP_PARAMS_MAX)
			return bad_row(row, err, "malformed or too many parameters");
		if (cyg_str_ends(segment, "...}"))
			return rest.p == NULL ? set_row(&node->rest, what, err)
					      : bad_row(row, err, "text behind the rest");
		if (node->param == NULL)
			node->param = cyg_xcalloc(1, sizeof(*node->param));
		node = node->param;
	}
	return set_row(&node->here, what, err);
}

static int check_row(const struct http_endpoint *row, struct cyg_err *err)
{
	if (row->scope == NULL || row->scope[0] == '\0')
		return bad_row(row, err, "no scope says who may");
	if (row->handle == NULL)
		return bad_row(row, err, "no handler");
	if (row->method == HTTP_OTHER || (row->path[0] != '/' && row->path[0] != '\0'))
		return bad_row(row, err, "no method, or no slash at the start");
	return 0;
}

struct endpoint_tree *endpoint_tree_new(void)
{
	return cyg_xcalloc(1, sizeof(struct endpoint_tree));
}

int endpoint_tree_add(
    struct endpoint_tree *tree, const struct http_mount *mount, struct cyg_err *err)
{
	int rc = 0;

	for (const struct http_endpoint *row = mount->endpoints; rc == 0 && row->path != NULL;
	     row++) {
		rc = check_row(row, err);
		if (rc == 0)
			rc = add_row(tree, (struct endpoint_found){ row, mount }, err);
	}
	return rc;
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

static struct endpoint_found pick(const struct rows *rows, struct match *m)
{
	for (unsigned i = HTTP_GET; i < METHODS; i++) {
		if (rows->of[i].row != NULL)
			m->allowed |= 1U << i;
	}
	if (rows->of[HTTP_GET].row != NULL)
		m->allowed |= 1U << HTTP_HEAD;
	if (m->method == HTTP_HEAD && rows->of[HTTP_HEAD].row == NULL)
		return rows->of[HTTP_GET];
	return rows->of[m->method];
}

static struct endpoint_found pick_rest(
    const struct endpoint_tree *node, struct cyg_str rest, unsigned n_params, struct match *m)
{
	struct endpoint_found found = pick(&node->rest, m);

	if (found.row != NULL)
		m->params[n_params] = rest;
	return found;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the table, not as the path */
static struct endpoint_found find_below(
    const struct endpoint_tree *node, struct cyg_str rest, unsigned n_params, struct match *m)
{
	struct endpoint_found found = { NULL, NULL };
	struct cyg_str all = rest;
	struct cyg_str segment;

	if (!cyg_str_next(&rest, '/', &segment)) {
		found = pick(&node->here, m);
		return found.row != NULL ? found : pick_rest(node, CYG_STR(""), n_params, m);
	}
	for (size_t i = 0; found.row == NULL && i < node->n_children; i++) {
		if (cyg_str_same(node->children[i].literal, segment))
			found = find_below(&node->children[i], rest, n_params, m);
	}
	if (found.row == NULL && node->param != NULL && segment.len > 0) {
		found = find_below(node->param, rest, n_params + 1, m);
		if (found.row != NULL)
			m->params[n_params] = segment;
	}
	return found.row != NULL ? found : pick_rest(node, all, n_params, m);
}

struct endpoint_found endpoint_find(const struct endpoint_tree *tree, enum http_method method,
    struct cyg_str path, struct cyg_str params[HTTP_PARAMS_MAX], unsigned *allowed)
{
	struct match m = { .method = method, .params = params };
	struct endpoint_found found = { NULL, NULL };

	if (path.len == 0)
		found = pick(&tree->here, &m);
	else if (path.p[0] == '/')
		found = find_below(tree, cyg_str_skip(path, 1), 0, &m);
	*allowed = m.allowed;
	return found;
}

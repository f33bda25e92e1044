/* YAML through libyaml's events into a tree: a stack of open maps and sequences, nodes in an arena.
 */
#include "daemon/yaml.h"

#include "base/arena.h"
#include "base/file.h"
#include "base/mem.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

enum { YAML_BYTES_MAX = 1024 * 1024, YAML_DEPTH_MAX = 32, YAML_NODES_MAX = 100000 };

struct yaml_doc {
	struct cyg_arena arena;
	char *name;
	struct yaml_node *root;
	size_t n_nodes;
};

/* One open map or sequence while reading. */
struct level {
	struct yaml_node *node;
	struct yaml_node **tail;     /* where the next child goes */
	const struct yaml_node *key; /* of a map: the key read last, NULL when a key is due */
};

struct reader {
	struct yaml_doc *doc;
	struct level stack[YAML_DEPTH_MAX];
	size_t depth;
};

int yaml_fail(const struct yaml_doc *doc, const struct yaml_node *at, struct cyg_err *err,
    const char *fmt, ...)
{
	char text[CYG_ERR_MSG];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return cyg_fail(err, CYG_EINVAL, "%s:%u:%u: %s", doc->name, at != NULL ? at->line : 1,
	    at != NULL ? at->column : 1, text);
}

int yaml_fail_key(const struct yaml_doc *doc, const struct yaml_node *entry, struct cyg_err *err,
    const char *fmt, ...)
{
	char text[CYG_ERR_MSG];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return cyg_fail(
	    err, CYG_EINVAL, "%s:%u:%u: %s", doc->name, entry->key_line, entry->key_column, text);
}

static int fail_mark(struct reader *r, const yaml_mark_t *at, struct cyg_err *err, const char *what)
{
	return cyg_fail(
	    err, CYG_EINVAL, "%s:%zu:%zu: %s", r->doc->name, at->line + 1, at->column + 1, what);
}

/* Adds a finished scalar, or a map or sequence just opened, to the innermost open map or sequence.
 */
static int attach(struct reader *r, struct yaml_node *n, struct cyg_err *err)
{
	struct level *top = r->depth > 0 ? &r->stack[r->depth - 1] : NULL;

	if (top == NULL) {
		if (r->doc->root != NULL)
			return yaml_fail(r->doc, n, err, "more than one document");
		r->doc->root = n;
		return 0;
	}
	if (top->node->kind == YAML_MAP) {
		if (top->key == NULL) { /* this scalar is a key */
			if (n->kind != YAML_SCALAR)
				return yaml_fail(r->doc, n, err, "a key must be plain text");
			top->key = n;
			return 0;
		}
		n->key = top->key->text;
		n->key_line = top->key->line;
		n->key_column = top->key->column;
		top->key = NULL;
	}
	*top->tail = n;
	top->tail = &n->next;
	return 0;
}

static int add_node(struct reader *r, enum yaml_kind kind, const yaml_event_t *ev,
    struct yaml_node **ret, struct cyg_err *err)
{
	struct yaml_node *n = cyg_arena_alloc(&r->doc->arena, sizeof(*n));

	if (++r->doc->n_nodes > YAML_NODES_MAX)
		return fail_mark(r, &ev->start_mark, err, "too many values");
	n->kind = kind;
	n->line = (unsigned)ev->start_mark.line + 1;
	n->column = (unsigned)ev->start_mark.column + 1;
	*ret = n;
	return 0;
}

static int on_scalar(struct reader *r, const yaml_event_t *ev, struct cyg_err *err)
{
	struct cyg_str text = { (const char *)ev->data.scalar.value, ev->data.scalar.length };
	struct yaml_node *n = NULL;
	int rc = add_node(r, YAML_SCALAR, ev, &n, err);

	if (rc < 0)
		return rc;
	if (memchr(text.p, '\0', text.len) != NULL)
		return yaml_fail(r->doc, n, err, "a NUL byte in a value");
	n->text = (struct cyg_str){ cyg_arena_dup(&r->doc->arena, text), text.len };
	n->quoted = ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	return attach(r, n, err);
}

static int on_open(
    struct reader *r, const yaml_event_t *ev, enum yaml_kind kind, struct cyg_err *err)
{
	struct yaml_node *n = NULL;
	int rc = add_node(r, kind, ev, &n, err);

	if (rc < 0)
		return rc;
	if (r->depth == YAML_DEPTH_MAX)
		return yaml_fail(r->doc, n, err, "nested too deeply");
	rc = attach(r, n, err);
	if (rc < 0)
		return rc;
	r->stack[r->depth++] = (struct level){ n, &n->first, NULL };
	return 0;
}

static int by_key(const void *a, const void *b)
{
	const struct yaml_node *x = *(const struct yaml_node *const *)a;
	const struct yaml_node *y = *(const struct yaml_node *const *)b;
	int order = strcmp(x->key.p, y->key.p);

	if (order != 0)
		return order;
	if (x->key_line != y->key_line)
		return x->key_line < y->key_line ? -1 : 1;
	return x->key_column < y->key_column ? -1 : x->key_column > y->key_column;
}

/* Sorted, so that a large file does not cost the square of its number of keys. */
static int check_twice(struct reader *r, const struct yaml_node *map, struct cyg_err *err)
{
	cyg_autofree const struct yaml_node **sorted = NULL;
	size_t n = 0;

	assert(map != NULL); /* the map that ends was put on the stack */
	for (const struct yaml_node *c = map->first; c != NULL; c = c->next)
		n++;
	sorted = cyg_xcalloc(n + 1, sizeof(const struct yaml_node *));
	n = 0;
	for (const struct yaml_node *c = map->first; c != NULL; c = c->next)
		sorted[n++] = c;
	qsort(sorted, n, sizeof(const struct yaml_node *), by_key);
	for (size_t i = 1; i < n; i++) {
		if (strcmp(sorted[i]->key.p, sorted[i - 1]->key.p) == 0)
			return yaml_fail_key(
			    r->doc, sorted[i], err, "key '%.60s' is there twice", sorted[i]->key.p);
	}
	return 0;
}

static bool has_tag_or_anchor(const yaml_event_t *ev)
{
	switch ((int)ev->type) {
	case YAML_SCALAR_EVENT:
		return ev->data.scalar.anchor != NULL || ev->data.scalar.tag != NULL;
	case YAML_MAPPING_START_EVENT:
		return ev->data.mapping_start.anchor != NULL || ev->data.mapping_start.tag != NULL;
	case YAML_SEQUENCE_START_EVENT:
		return ev->data.sequence_start.anchor != NULL ||
		       ev->data.sequence_start.tag != NULL;
	default:
		return ev->type == YAML_ALIAS_EVENT;
	}
}

static int on_event(struct reader *r, const yaml_event_t *ev, struct cyg_err *err)
{
	if (has_tag_or_anchor(ev))
		return fail_mark(
		    r, &ev->start_mark, err, "anchors, aliases and tags are not allowed here");
	switch ((int)ev->type) {
	case YAML_SCALAR_EVENT:
		return on_scalar(r, ev, err);
	case YAML_MAPPING_START_EVENT:
		return on_open(r, ev, YAML_MAP, err);
	case YAML_SEQUENCE_START_EVENT:
		return on_open(r, ev, YAML_SEQ, err);
	case YAML_MAPPING_END_EVENT:
		return check_twice(r, r->stack[--r->depth].node, err);
	case YAML_SEQUENCE_END_EVENT:
		r->depth--;
		return 0;
	default:
		return 0; /* stream and document marks */
	}
}

static int read_events(struct reader *r, yaml_parser_t *parser, struct cyg_err *err)
{
	for (;;) {
		yaml_event_t ev;
		bool last;
		int rc;

		if (yaml_parser_parse(parser, &ev) == 0)
			return fail_mark(r, &parser->problem_mark, err,
			    parser->problem != NULL ? parser->problem : "not YAML");
		last = ev.type == YAML_STREAM_END_EVENT;
		rc = on_event(r, &ev, err);
		yaml_event_delete(&ev);
		if (rc < 0 || last)
			return rc;
	}
}

int yaml_parse(const char *name, struct cyg_str text, struct yaml_doc **ret, struct cyg_err *err)
{
	struct reader r = { .doc = cyg_xcalloc(1, sizeof(*r.doc)) };
	yaml_parser_t parser;
	int rc;

	cyg_arena_init(&r.doc->arena);
	r.doc->name = cyg_xstrdup(name);
	if (text.len > YAML_BYTES_MAX) {
		yaml_doc_free(r.doc);
		return cyg_fail(err, CYG_ELIMIT, "%s: longer than %d bytes", name, YAML_BYTES_MAX);
	}
	if (yaml_parser_initialize(&parser) == 0) {
		yaml_doc_free(r.doc);
		return cyg_fail(err, CYG_ESYS, "%s: no memory to read it", name);
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)text.p, text.len);
	rc = read_events(&r, &parser, err);
	yaml_parser_delete(&parser);
	if (rc < 0) {
		yaml_doc_free(r.doc);
		return rc;
	}
	if (r.doc->root == NULL) { /* an empty file is an empty map */
		r.doc->root = cyg_arena_alloc(&r.doc->arena, sizeof(*r.doc->root));
		*r.doc->root = (struct yaml_node){ .kind = YAML_MAP, .line = 1, .column = 1 };
	}
	*ret = r.doc;
	return 0;
}

int yaml_load(const char *path, struct yaml_doc **ret, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf text;
	int rc;

	cyg_buf_init(&text, YAML_BYTES_MAX);
	rc = cyg_file_read(AT_FDCWD, path, true, &text, err);
	if (rc < 0)
		return rc;
	return yaml_parse(path, cyg_buf_str(&text), ret, err);
}

void yaml_doc_free(struct yaml_doc *doc)
{
	if (doc == NULL)
		return;
	cyg_arena_free(&doc->arena);
	free(doc->name);
	free(doc);
}

const struct yaml_node *yaml_root(const struct yaml_doc *doc)
{
	return doc->root;
}

const char *yaml_name(const struct yaml_doc *doc)
{
	return doc->name;
}

const struct yaml_node *yaml_find(const struct yaml_node *map, const char *key)
{
	if (map == NULL || map->kind != YAML_MAP)
		return NULL;
	for (const struct yaml_node *n = map->first; n != NULL; n = n->next) {
		if (cyg_str_eq(n->key, key))
			return n;
	}
	return NULL;
}

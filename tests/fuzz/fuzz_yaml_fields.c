/* Fuzz target: the generic reader over a table that has every type and nests in itself. Whatever is
 * read keeps the table's ranges; whatever is refused is said with a place in the file. */
#include "base/mem.h"
#include "daemon/yaml_fields.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

struct leaf {
	const char *id, *line;
	uint64_t number, bytes;
	int choice;
	bool flag;
	const char **list;
	size_t n_list;
};

struct tree {
	struct leaf one;
	struct leaf *list;
	size_t n_list;
	struct leaf *named;
	size_t n_named;
	struct yaml_pair *pairs;
	size_t n_pairs;
};

#define OF(type, member) .offset = offsetof(type, member), .doc = ""
static const char *const choices[] = { "a", "b", NULL };
static const struct yaml_field text = { .name = "text", .type = FIELD_STRING, .max = 8 };
static const struct yaml_field key = {
	.name = "NAME", .type = FIELD_LINE, OF(struct leaf, id), .min = 1, .max = 8
};
static const struct yaml_field leaf_fields[] = {
	{ .name = "id", .type = FIELD_LINE, OF(struct leaf, id), .max = 8, .unique = true },
	{ .name = "line", .type = FIELD_LINE, OF(struct leaf, line), .same_as = "id" },
	{ .name = "number",
	    .type = FIELD_UINT,
	    OF(struct leaf, number),
	    .min = 2,
	    .max = 9,
	    .value = "3" },
	{ .name = "bytes", .type = FIELD_SIZE, OF(struct leaf, bytes), .value = "1K" },
	{ .name = "choice", .type = FIELD_CHOICE, OF(struct leaf, choice), .choices = choices },
	{ .name = "flag", .type = FIELD_BOOL, OF(struct leaf, flag) },
	{ .name = "list",
	    .type = FIELD_LIST,
	    .offset = FIELD_ARRAY(struct leaf, list, n_list),
	    .of = &text,
	    .max = 4,
	    .doc = "" },
	{ .name = NULL },
};
static const struct yaml_record leaf = { "leaf", sizeof(struct leaf), leaf_fields, &key, NULL };
static const struct yaml_field tree_fields[] = {
	{ .name = "one", .type = FIELD_RECORD, OF(struct tree, one), .record = &leaf },
	{ .name = "list",
	    .type = FIELD_RECORDS,
	    .offset = FIELD_ARRAY(struct tree, list, n_list),
	    .record = &leaf,
	    .max = 5,
	    .doc = "" },
	{ .name = "named",
	    .type = FIELD_NAMED,
	    .offset = FIELD_ARRAY(struct tree, named, n_named),
	    .record = &leaf,
	    .max = 5,
	    .doc = "" },
	{ .name = "pairs",
	    .type = FIELD_PAIRS,
	    .offset = FIELD_ARRAY(struct tree, pairs, n_pairs),
	    .max = 3,
	    .doc = "" },
	{ .name = "other", .type = FIELD_IGNORED, .doc = "" },
	{ .name = NULL },
};
static const struct yaml_record tree = { "tree", sizeof(struct tree), tree_fields, NULL, NULL };

static void check_leaf(const struct leaf *l)
{
	if (l->number < 2 || l->number > 9 || l->choice > 1 || l->n_list > 4)
		abort();
	if (l->line != NULL && !cyg_str_is_text(cyg_str_of(l->line)))
		abort();
	for (size_t i = 0; i < l->n_list; i++)
		if (strlen(l->list[i]) > 8)
			abort();
	if (l->list != NULL && l->list[l->n_list] != NULL)
		abort();
}

static void check(const struct tree *t)
{
	if (t->n_list > 5 || t->n_named > 5 || t->n_pairs > 3)
		abort();
	for (size_t i = 0; i < t->n_list; i++)
		check_leaf(&t->list[i]);
	for (size_t i = 0; i < t->n_named; i++) {
		check_leaf(&t->named[i]);
		for (size_t j = 0; j < i; j++)
			if (strcmp(t->named[i].id, t->named[j].id) == 0)
				abort();
	}
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct yaml_doc *doc = NULL;
	struct cyg_arena arena;
	struct tree t = { .one = { .number = 2 } };
	struct cyg_err err = { .msg = "" };

	if (yaml_parse("f", (struct cyg_str){ (const char *)data, size }, &doc, &err) < 0)
		return 0;
	cyg_arena_init(&arena);
	if (yaml_fields_read(doc, &tree, &arena, &t, &err) == 0)
		check(&t);
	else if (strncmp(err.msg, "f:", 2) != 0)
		abort();
	cyg_arena_free(&arena);
	yaml_doc_free(doc);
	return 0;
}

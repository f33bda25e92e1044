/* Checks a notebook against the version 4 schema, which is in tables here, and finds the first rule
 * that it breaks. The user sees that as a message; the notebook opens all the same. Follows
 * nbformat/v4/nbformat.v4.0 to 4.5.schema.json. */
#include "kernels/contents/nbformat.h"

#include "base/mem.h"

#include <stdarg.h>
#include <string.h>

enum { NEWEST_MINOR = 5, SHOWN_MAX = 600, ID_MAX = 64 };

enum kind {
	K_STRING = 1,
	K_INTEGER = 2,
	K_NULL = 4,
	K_BOOL = 8,
	K_OBJECT = 16,
	K_LIST = 32,
	K_LINES = 64,   /* a string or a list of strings */
	K_STRINGS = 128 /* a list of strings */
};

enum where {
	NB,
	NB_META,
	KERNELSPEC,
	LANGUAGE,
	RAW_CELL,
	MARKDOWN_CELL,
	CODE_CELL,
	RAW_META,
	CELL_META,
	CODE_META,
	RESULT,
	DISPLAY,
	STREAM,
	ERROR_OUTPUT
};

struct rule {
	enum where where;
	const char *key;
	int kinds;
	int since; /* minor version */
	bool required;
};

static const struct rule rules[] = {
	{ NB, "metadata", K_OBJECT, 0, true },
	{ NB, "nbformat_minor", K_INTEGER, 0, true },
	{ NB, "nbformat", K_INTEGER, 0, true },
	{ NB, "cells", K_LIST, 0, true },
	{ NB_META, "kernelspec", K_OBJECT, 0, false },
	{ NB_META, "language_info", K_OBJECT, 0, false },
	{ NB_META, "orig_nbformat", K_INTEGER, 0, false },
	{ NB_META, "title", K_STRING, 2, false },
	{ NB_META, "authors", K_LIST, 2, false },
	{ KERNELSPEC, "name", K_STRING, 0, true },
	{ KERNELSPEC, "display_name", K_STRING, 0, true },
	{ LANGUAGE, "name", K_STRING, 0, true },
	{ LANGUAGE, "codemirror_mode", K_STRING | K_OBJECT, 0, false },
	{ LANGUAGE, "file_extension", K_STRING, 0, false },
	{ LANGUAGE, "mimetype", K_STRING, 0, false },
	{ LANGUAGE, "pygments_lexer", K_STRING, 0, false },
	{ RAW_CELL, "id", K_STRING, 5, true },
	{ RAW_CELL, "cell_type", K_STRING, 0, true },
	{ RAW_CELL, "metadata", K_OBJECT, 0, true },
	{ RAW_CELL, "source", K_LINES, 0, true },
	{ RAW_CELL, "attachments", K_OBJECT, 0, false },
	{ MARKDOWN_CELL, "id", K_STRING, 5, true },
	{ MARKDOWN_CELL, "cell_type", K_STRING, 0, true },
	{ MARKDOWN_CELL, "metadata", K_OBJECT, 0, true },
	{ MARKDOWN_CELL, "source", K_LINES, 0, true },
	{ MARKDOWN_CELL, "attachments", K_OBJECT, 0, false },
	{ CODE_CELL, "id", K_STRING, 5, true },
	{ CODE_CELL, "cell_type", K_STRING, 0, true },
	{ CODE_CELL, "metadata", K_OBJECT, 0, true },
	{ CODE_CELL, "source", K_LINES, 0, true },
	{ CODE_CELL, "outputs", K_LIST, 0, true },
	{ CODE_CELL, "execution_count", K_INTEGER | K_NULL, 0, true },
	{ RAW_META, "format", K_STRING, 0, false },
	{ RAW_META, "jupyter", K_OBJECT, 3, false },
	{ RAW_META, "name", K_STRING, 0, false },
	{ RAW_META, "tags", K_STRINGS, 0, false },
	{ CELL_META, "jupyter", K_OBJECT, 3, false },
	{ CELL_META, "name", K_STRING, 0, false },
	{ CELL_META, "tags", K_STRINGS, 0, false },
	{ CODE_META, "jupyter", K_OBJECT, 3, false },
	{ CODE_META, "execution", K_OBJECT, 4, false },
	{ CODE_META, "collapsed", K_BOOL, 0, false },
	{ CODE_META, "scrolled", K_BOOL | K_STRING, 0, false },
	{ CODE_META, "name", K_STRING, 0, false },
	{ CODE_META, "tags", K_STRINGS, 0, false },
	{ RESULT, "output_type", K_STRING, 0, true },
	{ RESULT, "execution_count", K_INTEGER | K_NULL, 0, true },
	{ RESULT, "data", K_OBJECT, 0, true },
	{ RESULT, "metadata", K_OBJECT, 0, true },
	{ DISPLAY, "output_type", K_STRING, 0, true },
	{ DISPLAY, "data", K_OBJECT, 0, true },
	{ DISPLAY, "metadata", K_OBJECT, 0, true },
	{ STREAM, "output_type", K_STRING, 0, true },
	{ STREAM, "name", K_STRING, 0, true },
	{ STREAM, "text", K_LINES, 0, true },
	{ ERROR_OUTPUT, "output_type", K_STRING, 0, true },
	{ ERROR_OUTPUT, "ename", K_STRING, 0, true },
	{ ERROR_OUTPUT, "evalue", K_STRING, 0, true },
	{ ERROR_OUTPUT, "traceback", K_STRINGS, 0, true },
};

struct check {
	const struct tape *t;
	int minor;
	struct cyg_buf *out;
};

static bool problem(const struct check *c, tape_node n, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Writes the sentence and the value that is wrong; always true. */
static bool problem(const struct check *c, tape_node n, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int r = cyg_buf_add_str(c->out, "Notebook validation failed: ", NULL);
	if (r == 0)
		r = cyg_buf_vprintf(c->out, NULL, fmt, ap);
	va_end(ap);
	struct cyg_str text = n == TAPE_NONE ? CYG_STR("") : tape_text(c->t, n);
	if (text.len > SHOWN_MAX) {
		text.len = SHOWN_MAX;
		while (text.len > 0 && ((unsigned char)text.p[text.len] & 0xc0) == 0x80)
			text.len--;
	}
	if (r == 0)
		(void)cyg_buf_printf(c->out, NULL, ":\n%.*s", CYG_STR_ARGS(text));
	return true;
}

static bool is_integer(const struct tape *t, tape_node n)
{
	struct cyg_str s = tape_text(t, n);
	for (size_t i = s.p[0] == '-' ? 1 : 0; i < s.len; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return true;
}

static bool are_strings(const struct tape *t, tape_node list)
{
	for (tape_node c = tape_first(t, list); c != TAPE_NONE; c = tape_next(t, c))
		if (tape_type_of(t, c) != TAPE_STRING)
			return false;
	return true;
}

static bool is_kind(const struct tape *t, tape_node n, int kinds)
{
	switch (tape_type_of(t, n)) {
	case TAPE_STRING:
		return (kinds & (K_STRING | K_LINES)) != 0;
	case TAPE_NUMBER:
		return (kinds & K_INTEGER) != 0 && is_integer(t, n);
	case TAPE_NULL:
		return (kinds & K_NULL) != 0;
	case TAPE_TRUE:
	case TAPE_FALSE:
		return (kinds & K_BOOL) != 0;
	case TAPE_OBJECT:
		return (kinds & K_OBJECT) != 0;
	case TAPE_ARRAY:
		if ((kinds & K_LIST) != 0)
			return true;
		return (kinds & (K_LINES | K_STRINGS)) != 0 && are_strings(t, n);
	default:
		return false;
	}
}

static bool key_is(const struct tape *t, tape_node n, const char *key)
{
	struct cyg_str q = tape_key_text(t, n);
	return q.len >= 2 && cyg_str_eq(cyg_str_sub(q, 1, q.len - 2), key);
}

/* Keys that no rule names. */
static bool has_extra_keys(const struct check *c, enum where where, tape_node n)
{
	if (c->minor > NEWEST_MINOR)
		return false;
	for (tape_node m = tape_first(c->t, n); m != TAPE_NONE; m = tape_next(c->t, m)) {
		bool known = false;
		for (size_t i = 0; i < CYG_N(rules) && !known; i++)
			known = rules[i].where == where && rules[i].since <= c->minor &&
				key_is(c->t, m, rules[i].key);
		if (!known)
			return problem(c, n,
			    "Additional properties are not allowed (%.*s was unexpected)",
			    CYG_STR_ARGS(tape_key_text(c->t, m)));
	}
	return false;
}

static bool breaks_rules(const struct check *c, enum where where, tape_node n)
{
	for (size_t i = 0; i < CYG_N(rules); i++) {
		const struct rule *r = &rules[i];
		if (r->where != where || r->since > c->minor)
			continue;
		tape_node v = tape_find(c->t, n, r->key);
		if (v == TAPE_NONE && !r->required)
			continue;
		/* Ids that are missing were made when the notebook was read or written. */
		if (v == TAPE_NONE && strcmp(r->key, "id") == 0)
			continue;
		if (v == TAPE_NONE)
			return problem(c, n, "'%s' is a required property", r->key);
		if (!is_kind(c->t, v, r->kinds))
			return problem(c, v, "'%s' is not of the right type", r->key);
		if ((r->kinds & K_INTEGER) != 0 && tape_text(c->t, v).p[0] == '-')
			return problem(c, v, "'%s' is less than the minimum of 0", r->key);
	}
	return false;
}

static bool bundle_is_bad(const struct check *c, tape_node bundle)
{
	if (tape_type_of(c->t, bundle) != TAPE_OBJECT)
		return problem(c, bundle, "a bundle of MIME types is not of type 'object'");
	for (tape_node m = tape_first(c->t, bundle); m != TAPE_NONE; m = tape_next(c->t, m)) {
		struct cyg_str key = tape_key_text(c->t, m);
		bool json = cyg_str_eq(key, "\"application/json\"") ||
			    (cyg_str_starts(key, "\"application/") && cyg_str_ends(key, "+json\""));
		if (!json && !is_kind(c->t, m, K_LINES))
			return problem(
			    c, m, "%.*s is not text or a list of text lines", CYG_STR_ARGS(key));
	}
	return false;
}

static bool output_is_bad(const struct check *c, tape_node output)
{
	static const struct {
		const char *type;
		enum where where;
	} types[] = { { "execute_result", RESULT }, { "display_data", DISPLAY },
		{ "stream", STREAM }, { "error", ERROR_OUTPUT } };
	if (tape_type_of(c->t, output) != TAPE_OBJECT)
		return problem(c, output, "an output is not of type 'object'");
	tape_node type = tape_find(c->t, output, "output_type");
	for (size_t i = 0; i < CYG_N(types); i++) {
		if (!tape_string_eq(c->t, type, types[i].type))
			continue;
		tape_node data = tape_find(c->t, output, "data");
		return breaks_rules(c, types[i].where, output) ||
		       has_extra_keys(c, types[i].where, output) ||
		       (types[i].where <= DISPLAY && bundle_is_bad(c, data));
	}
	if (type != TAPE_NONE && c->minor > NEWEST_MINOR)
		return false;
	return problem(c, output, "an output has an unknown or no 'output_type'");
}

static bool tags_are_bad(const struct check *c, tape_node metadata)
{
	tape_node tags = tape_find(c->t, metadata, "tags");
	if (tags == TAPE_NONE)
		return false;
	for (tape_node a = tape_first(c->t, tags); a != TAPE_NONE; a = tape_next(c->t, a)) {
		struct cyg_str s = tape_text(c->t, a);
		if (s.len == 2 || memchr(s.p, ',', s.len) != NULL)
			return problem(c, a, "a tag is empty or holds a comma");
		for (tape_node b = tape_next(c->t, a); b != TAPE_NONE; b = tape_next(c->t, b))
			if (cyg_str_same(s, tape_text(c->t, b)))
				return problem(c, tags, "tags are not unique");
	}
	return false;
}

static bool metadata_is_bad(const struct check *c, enum where where, tape_node metadata)
{
	tape_node scrolled = tape_find(c->t, metadata, "scrolled");
	tape_node times = tape_find(c->t, metadata, "execution");
	tape_node name = tape_find(c->t, metadata, "name");
	if (breaks_rules(c, where, metadata) || tags_are_bad(c, metadata))
		return true;
	if (name != TAPE_NONE && tape_text(c->t, name).len == 2)
		return problem(c, metadata, "'name' is empty");
	if (where != CODE_META)
		return false;
	if (scrolled != TAPE_NONE && tape_type_of(c->t, scrolled) == TAPE_STRING &&
	    !tape_string_eq(c->t, scrolled, "auto"))
		return problem(c, scrolled, "'scrolled' is not one of true, false and 'auto'");
	if (times == TAPE_NONE || c->minor < 4)
		return false;
	return !are_strings(c->t, times) && problem(c, times, "'execution' holds other than text");
}

static bool id_is_bad(const struct check *c, tape_node cell)
{
	tape_node id = tape_find(c->t, cell, "id");
	if (c->minor < 5 || id == TAPE_NONE)
		return false;
	struct cyg_str s = tape_text(c->t, id);
	bool good = s.len > 2 && s.len - 2 <= ID_MAX;
	for (size_t i = 1; i + 1 < s.len && good; i++)
		good = (s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z') ||
		       (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '-' || s.p[i] == '_';
	return !good && problem(c, id, "'id' is not 1 to 64 of the letters a-z A-Z 0-9 - _");
}

static bool cell_is_bad(const struct check *c, tape_node cell)
{
	static const struct {
		const char *type;
		enum where where, metadata;
	} types[] = { { "raw", RAW_CELL, RAW_META }, { "markdown", MARKDOWN_CELL, CELL_META },
		{ "code", CODE_CELL, CODE_META } };
	tape_node type = tape_find(c->t, cell, "cell_type");
	size_t i = 0;
	while (i < CYG_N(types) && !tape_string_eq(c->t, type, types[i].type))
		i++;
	if (i == CYG_N(types)) {
		if (type != TAPE_NONE && c->minor > NEWEST_MINOR)
			return false;
		return problem(c, cell, "a cell has an unknown or no 'cell_type'");
	}
	if (breaks_rules(c, types[i].where, cell) || has_extra_keys(c, types[i].where, cell) ||
	    id_is_bad(c, cell) ||
	    metadata_is_bad(c, types[i].metadata, tape_find(c->t, cell, "metadata")))
		return true;
	tape_node files = tape_find(c->t, cell, "attachments");
	for (tape_node a = files == TAPE_NONE ? TAPE_NONE : tape_first(c->t, files); a != TAPE_NONE;
	     a = tape_next(c->t, a))
		if (bundle_is_bad(c, a))
			return true;
	if (types[i].where != CODE_CELL)
		return false;
	tape_node outputs = tape_find(c->t, cell, "outputs");
	for (tape_node o = tape_first(c->t, outputs); o != TAPE_NONE; o = tape_next(c->t, o))
		if (output_is_bad(c, o))
			return true;
	return false;
}

bool nb_find_problem(const struct tape *t, tape_node root, struct cyg_buf *out)
{
	struct check c = { t, nb_minor(t, root), out };
	if (breaks_rules(&c, NB, root) || has_extra_keys(&c, NB, root))
		return true;
	tape_node metadata = tape_find(t, root, "metadata");
	if (breaks_rules(&c, NB_META, metadata))
		return true;
	tape_node kernel = tape_find(t, metadata, "kernelspec");
	tape_node language = tape_find(t, metadata, "language_info");
	if ((kernel != TAPE_NONE && breaks_rules(&c, KERNELSPEC, kernel)) ||
	    (language != TAPE_NONE && breaks_rules(&c, LANGUAGE, language)))
		return true;
	tape_node cells = tape_find(t, root, "cells");
	for (tape_node cell = tape_first(t, cells); cell != TAPE_NONE; cell = tape_next(t, cell))
		if (cell_is_bad(&c, cell))
			return true;
	return false;
}

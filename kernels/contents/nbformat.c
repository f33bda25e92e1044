/* Writes notebooks: one walk over the tape that knows for each value which place in the notebook it
 * has (nbformat's split_lines, rejoin_lines and strip_transient), and writes it in the requested
 * form. Reading is nbread.c, upgrading nbupgrade.c, the schema nbcheck.c. */
#include "kernels/contents/nbformat.h"

#include "base/arena.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/mem.h"
#include "kernels/base/pyjson.h"

#include <stdint.h>
#include <string.h>

enum place {
	PLAIN,
	ROOT,
	NB_METADATA,
	CELLS,
	CELL,
	CODE_CELL,
	CELL_METADATA,
	CODE_METADATA,
	ATTACHMENTS,
	BUNDLE,
	OUTPUTS,
	OUTPUT,
	RICH_OUTPUT,
	STREAM_OUTPUT,
	JOIN,      /* a list of lines is joined when read */
	JOIN_SPLIT /* and split when written */
};

/* A member of an object: its key as UTF-8, and its value on the tape or as JSON text. */
struct member {
	struct cyg_str key;
	tape_node node;
	struct cyg_str literal; /* when node is TAPE_NONE */
	size_t order;
};

struct writer {
	const struct tape *t;
	const struct nb_opts *opts;
	struct cyg_buf *out;
	struct cyg_err *err;
	struct member *members; /* a stack: each object's members lie on top */
	size_t n, cap;
	struct cyg_buf text;   /* scratch for one string */
	struct cyg_hash *ids;  /* cell ids so far; NULL before nbformat 4.5 */
	struct cyg_str new_id; /* the current cell's replacement, as JSON */
	char new_id_text[NB_ID_SIZE + 2];
};

static int put(struct writer *w, const char *s)
{
	return cyg_buf_add_str(w->out, s, w->err);
}

static int newline(struct writer *w, unsigned depth)
{
	static const char spaces[] = "                                ";
	int r = put(w, "\n");
	for (; r == 0 && depth > 0; depth -= depth < 32 ? depth : 32)
		r = cyg_buf_add(w->out, spaces, depth < 32 ? depth : 32, w->err);
	return r;
}

static bool is_form(const struct writer *w, enum nb_form form)
{
	return w->opts->form == form;
}

/* Between the parts of a container: brackets, commas and line breaks by form. */
static int put_open(struct writer *w, const char *bracket)
{
	return is_form(w, NB_SIGNED) ? 0 : put(w, bracket);
}

static int put_separator(struct writer *w, bool first, unsigned depth)
{
	if (is_form(w, NB_SIGNED))
		return 0;
	int r = first ? 0 : put(w, ",");
	return r == 0 && is_form(w, NB_FILE) ? newline(w, depth) : r;
}

static int put_close(struct writer *w, const char *bracket, bool empty, unsigned depth)
{
	if (is_form(w, NB_SIGNED))
		return 0;
	int r = is_form(w, NB_FILE) && !empty ? newline(w, depth) : 0;
	return r < 0 ? r : put(w, bracket);
}

static int put_string(struct writer *w, struct cyg_str s)
{
	return is_form(w, NB_SIGNED) ? cyg_buf_add(w->out, s.p, s.len, w->err)
				     : pyjson_quote(w->out, s, w->err);
}

static int put_lines(struct writer *w, struct cyg_str s, unsigned depth)
{
	bool empty = true;
	struct cyg_str line;
	int r = put_open(w, "[");
	while (r == 0 && pyjson_next_line(&s, &line)) {
		r = put_separator(w, empty, depth + 1);
		if (r == 0)
			r = put_string(w, line);
		empty = false;
	}
	return r < 0 ? r : put_close(w, "]", empty, depth);
}

static bool is_list_of_strings(const struct tape *t, tape_node n)
{
	for (tape_node c = tape_first(t, n); c != TAPE_NONE; c = tape_next(t, c))
		if (tape_type_of(t, c) != TAPE_STRING)
			return false;
	return true;
}

/* Puts a string, or a list of strings that stands for one, into w->text. */
static int gather_text(struct writer *w, tape_node n)
{
	cyg_buf_reset(&w->text);
	if (tape_type_of(w->t, n) == TAPE_STRING)
		return tape_string(w->t, n, &w->text, w->err);
	int r = 0;
	for (tape_node c = tape_first(w->t, n); r == 0 && c != TAPE_NONE; c = tape_next(w->t, c))
		r = tape_string(w->t, c, &w->text, w->err);
	return r;
}

static int put_text(struct writer *w, tape_node n, enum place place, unsigned depth)
{
	int r = gather_text(w, n);
	if (r < 0)
		return r;
	if (place == JOIN_SPLIT && is_form(w, NB_FILE))
		return put_lines(w, cyg_buf_str(&w->text), depth);
	return put_string(w, cyg_buf_str(&w->text));
}

static int put_scalar(struct writer *w, tape_node n)
{
	static const char *const signed_words[] = {
		[TAPE_NULL] = "None", [TAPE_FALSE] = "False", [TAPE_TRUE] = "True"
	};
	enum tape_type type = tape_type_of(w->t, n);
	struct cyg_str text = tape_text(w->t, n);
	if (type == TAPE_NUMBER && is_form(w, NB_SIGNED))
		return pyjson_number_str(w->out, text, w->err);
	if (type == TAPE_NUMBER && is_form(w, NB_FILE))
		return pyjson_number(w->out, text, w->err);
	if (type != TAPE_NUMBER && is_form(w, NB_SIGNED))
		return put(w, signed_words[type]);
	return cyg_buf_add(w->out, text.p, text.len, w->err);
}

/* ---- which place a member is ---- */
static bool is_json_mime(struct cyg_str key)
{
	return cyg_str_eq(key, "application/json") ||
	       (cyg_str_starts(key, "application/") && cyg_str_ends(key, "+json"));
}

static enum place bundle_place(struct cyg_str key)
{
	if (is_json_mime(key))
		return PLAIN;
	bool split = cyg_str_starts(key, "text/") || cyg_str_eq(key, "application/javascript") ||
		     cyg_str_eq(key, "image/svg+xml");
	return split ? JOIN_SPLIT : JOIN;
}

static enum place place_of(enum place parent, struct cyg_str key)
{
	static const struct {
		enum place parent;
		const char *key;
		enum place place;
	} places[] = {
		{ ROOT, "metadata", NB_METADATA },
		{ ROOT, "cells", CELLS },
		{ CELL, "source", JOIN_SPLIT },
		{ CELL, "metadata", CELL_METADATA },
		{ CELL, "attachments", ATTACHMENTS },
		{ CODE_CELL, "source", JOIN_SPLIT },
		{ CODE_CELL, "metadata", CODE_METADATA },
		{ CODE_CELL, "attachments", ATTACHMENTS },
		{ CODE_CELL, "outputs", OUTPUTS },
		{ RICH_OUTPUT, "data", BUNDLE },
		{ STREAM_OUTPUT, "text", JOIN_SPLIT },
		{ OUTPUT, "text", JOIN },
	};
	if (parent == BUNDLE)
		return bundle_place(key);
	if (parent == ATTACHMENTS)
		return BUNDLE;
	for (size_t i = 0; i < CYG_N(places); i++)
		if (places[i].parent == parent && cyg_str_eq(key, places[i].key))
			return places[i].place;
	return PLAIN;
}

/* What an element of a list is. */
static enum place element_place(const struct writer *w, enum place list, tape_node n)
{
	tape_node type;
	if (list == CELLS) {
		type = tape_find(w->t, n, "cell_type");
		return tape_string_eq(w->t, type, "code") ? CODE_CELL : CELL;
	}
	if (list != OUTPUTS)
		return PLAIN;
	type = tape_find(w->t, n, "output_type");
	if (tape_string_eq(w->t, type, "execute_result") ||
	    tape_string_eq(w->t, type, "display_data"))
		return RICH_OUTPUT;
	if (tape_string_eq(w->t, type, "stream"))
		return STREAM_OUTPUT;
	return type == TAPE_NONE || tape_string_eq(w->t, type, "") ? PLAIN : OUTPUT;
}

/* Members that strip_transient removes, and those that we replace. */
static bool is_dropped(const struct writer *w, enum place place, struct cyg_str key)
{
	if (place == NB_METADATA && (is_form(w, NB_FILE) || !w->opts->keep_orig) &&
	    (cyg_str_eq(key, "orig_nbformat") || cyg_str_eq(key, "orig_nbformat_minor")))
		return true;
	if (place == NB_METADATA)
		return cyg_str_eq(key, "signature");
	if (place == CELL_METADATA || place == CODE_METADATA)
		return cyg_str_eq(key, "trusted");
	return (place == CELL || place == CODE_CELL) && w->new_id.len > 0 && cyg_str_eq(key, "id");
}

/* ---- objects ---- */
static void push_member(
    struct writer *w, struct cyg_str key, tape_node node, struct cyg_str literal)
{
	if (w->n == w->cap) {
		w->cap = w->cap == 0 ? 64 : w->cap * 2;
		w->members = cyg_xrealloc(w->members, w->cap * sizeof(*w->members));
	}
	w->members[w->n] = (struct member){ key, node, literal, w->n };
	w->n++;
}

/* The key as UTF-8: borrowed from the tape when it has no escapes, else from the arena. */
static int key_of(struct writer *w, tape_node n, struct cyg_arena *arena, struct cyg_str *ret)
{
	struct cyg_str quoted = tape_key_text(w->t, n);
	*ret = cyg_str_sub(quoted, 1, quoted.len - 2);
	if (memchr(ret->p, '\\', ret->len) == NULL)
		return 0;
	cyg_buf_reset(&w->text);
	int r = tape_unquote(quoted, &w->text, w->err);
	if (r == 0)
		*ret = (struct cyg_str){ cyg_arena_dup(arena, cyg_buf_str(&w->text)), w->text.len };
	return r;
}

static int by_key(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	size_t n = x->key.len < y->key.len ? x->key.len : y->key.len;
	/* Byte order of UTF-8 is the order of code points, which Python sorts by. */
	int r = n > 0 ? memcmp(x->key.p, y->key.p, n) : 0;
	if (r == 0 && x->key.len != y->key.len)
		r = x->key.len < y->key.len ? -1 : 1;
	return r != 0 ? r : x->order < y->order ? -1 : 1;
}

/* NOLINTBEGIN(misc-no-recursion): as deep as a tape is, TAPE_DEPTH_MAX */
static int put_value(struct writer *w, tape_node n, enum place place, unsigned depth);

static int put_member(struct writer *w, const struct member *m, enum place place, unsigned depth)
{
	int r = put_string(w, m->key);
	if (r == 0 && !is_form(w, NB_SIGNED))
		r = put(w, is_form(w, NB_FILE) ? ": " : ":");
	if (r < 0)
		return r;
	if (m->node == TAPE_NONE)
		return cyg_buf_add(w->out, m->literal.p, m->literal.len, w->err);
	return put_value(w, m->node, place_of(place, m->key), depth);
}

static int put_members(struct writer *w, size_t base, enum place place, unsigned depth)
{
	bool sorted = !is_form(w, NB_CLIENT), empty = true;
	size_t end = w->n;
	if (sorted)
		qsort(w->members + base, end - base, sizeof(*w->members), by_key);
	int r = put_open(w, "{");
	for (size_t i = base; r == 0 && i < end; i++) {
		struct member m = w->members[i];
		if (sorted && i + 1 < end && cyg_str_same(m.key, w->members[i + 1].key))
			continue; /* the last of duplicates wins */
		r = put_separator(w, empty, depth + 1);
		if (r == 0)
			r = put_member(w, &m, place, depth + 1);
		empty = false;
	}
	return r < 0 ? r : put_close(w, "}", empty, depth);
}

static void make_id(struct writer *w)
{
	char id[NB_ID_SIZE];
	if (w->opts->new_id != NULL)
		w->opts->new_id(w->opts->arg, id);
	else
		cyg_random_hex(id, (NB_ID_SIZE - 1) / 2);
	w->new_id_text[0] = '"';
	memcpy(w->new_id_text + 1, id, NB_ID_SIZE - 1);
	w->new_id_text[NB_ID_SIZE] = '"';
	w->new_id = (struct cyg_str){ w->new_id_text, NB_ID_SIZE + 1 };
}

/* nbformat 4.5: cells without an id, or with that of an earlier cell, get a new one. */
static int settle_id(struct writer *w, tape_node cell)
{
	w->new_id.len = 0;
	if (w->ids == NULL)
		return 0;
	tape_node id = tape_find(w->t, cell, "id");
	if (id == TAPE_NONE) {
		make_id(w);
		return 0;
	}
	if (tape_type_of(w->t, id) != TAPE_STRING)
		return 0;
	cyg_buf_reset(&w->text);
	int r = tape_string(w->t, id, &w->text, w->err);
	if (r == 0 && cyg_hash_set(w->ids, cyg_buf_str(&w->text), w) != NULL)
		make_id(w);
	return r;
}

static int put_object(struct writer *w, tape_node n, enum place place, unsigned depth)
{
	size_t base = w->n;
	struct cyg_arena arena;
	bool is_cell = place == CELL || place == CODE_CELL;
	int r = is_cell ? settle_id(w, n) : 0;
	cyg_arena_init(&arena);
	for (tape_node c = tape_first(w->t, n); r == 0 && c != TAPE_NONE; c = tape_next(w->t, c)) {
		struct cyg_str key;
		r = key_of(w, c, &arena, &key);
		if (r == 0 && !is_dropped(w, place, key))
			push_member(w, key, c, (struct cyg_str){ 0 });
	}
	if (is_cell && w->new_id.len > 0)
		push_member(w, CYG_STR("id"), TAPE_NONE, w->new_id);
	if (place == CODE_METADATA && is_form(w, NB_CLIENT))
		push_member(w, CYG_STR("trusted"), TAPE_NONE,
		    w->opts->trusted ? CYG_STR("true") : CYG_STR("false"));
	if (r == 0)
		r = put_members(w, base, place, depth);
	w->n = base;
	cyg_arena_free(&arena);
	return r;
}

static int put_array(struct writer *w, tape_node n, enum place place, unsigned depth)
{
	bool empty = true;
	int r = put_open(w, "[");
	for (tape_node c = tape_first(w->t, n); r == 0 && c != TAPE_NONE; c = tape_next(w->t, c)) {
		r = put_separator(w, empty, depth + 1);
		if (r == 0)
			r = put_value(w, c, element_place(w, place, c), depth + 1);
		empty = false;
	}
	return r < 0 ? r : put_close(w, "]", empty, depth);
}

static int put_value(struct writer *w, tape_node n, enum place place, unsigned depth)
{
	bool joins =
	    (place == JOIN || place == JOIN_SPLIT) && (w->opts->join || !is_form(w, NB_FILE));
	switch (tape_type_of(w->t, n)) {
	case TAPE_STRING:
		if (is_form(w, NB_CLIENT)) { /* valid JSON as it stands */
			struct cyg_str text = tape_text(w->t, n);
			return cyg_buf_add(w->out, text.p, text.len, w->err);
		}
		return put_text(w, n, place, depth);
	case TAPE_ARRAY:
		if (joins && is_list_of_strings(w->t, n))
			return put_text(w, n, place, depth);
		return put_array(w, n, place, depth);
	case TAPE_OBJECT:
		return put_object(w, n, place, depth);
	case TAPE_NULL:
	case TAPE_FALSE:
	case TAPE_TRUE:
	case TAPE_NUMBER:
	default:
		return put_scalar(w, n);
	}
}
/* NOLINTEND(misc-no-recursion) */

int nb_write(const struct tape *t, tape_node root, const struct nb_opts *opts, struct cyg_buf *out,
    struct cyg_err *err)
{
	struct writer w = { .t = t, .opts = opts, .out = out, .err = err };
	cyg_buf_init(&w.text, out->max);
	if (nb_minor(t, root) >= 5 && opts->form != NB_SIGNED)
		w.ids = cyg_hash_new();
	int r = put_value(&w, root, ROOT, 0);
	if (r == 0 && opts->form == NB_FILE)
		r = put(&w, "\n");
	cyg_hash_free(w.ids, NULL);
	cyg_buf_free(&w.text);
	free(w.members);
	return r;
}

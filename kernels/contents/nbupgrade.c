/* Upgrades notebooks of versions 2 and 3 to version 4.5 (nbformat v3/rwbase.py, v4/convert.py), as
 * compact JSON that is then read like any other notebook. */
#include "kernels/contents/nbformat.h"

#include "base/enc.h"
#include "base/mem.h"
#include "kernels/base/jsonw.h"
#include "kernels/base/pyjson.h"

#include <string.h>

struct upgrade {
	const struct tape *t;
	const struct nb_opts *opts;
	struct jsonw w;
	struct cyg_buf text;
	struct cyg_err *err;
	bool version2;
};

static bool key_is(const struct upgrade *u, tape_node n, const char *key)
{
	struct cyg_str q = tape_key_text(u->t, n);
	return cyg_str_eq(cyg_str_sub(q, 1, q.len - 2), key);
}

static bool key_in(const struct upgrade *u, tape_node n, const char *const *keys)
{
	for (; *keys != NULL; keys++)
		if (key_is(u, n, *keys))
			return true;
	return false;
}

/* A string, or a list of lines joined as _join_lines does: lines that kept their ends are put
 * together as they are, others with newlines. False: it is something else. */
static bool gather(struct upgrade *u, tape_node n)
{
	cyg_buf_reset(&u->text);
	if (tape_type_of(u->t, n) == TAPE_STRING)
		return tape_string(u->t, n, &u->text, u->err) == 0;
	if (tape_type_of(u->t, n) != TAPE_ARRAY)
		return false;
	bool first = true, glue = true;
	for (tape_node c = tape_first(u->t, n); c != TAPE_NONE; c = tape_next(u->t, c)) {
		if (!first && glue && cyg_buf_add(&u->text, "\n", 1, u->err) < 0)
			return false;
		if (tape_string(u->t, c, &u->text, u->err) < 0)
			return false;
		char last = u->text.len > 0 ? u->text.data[u->text.len - 1] : '\0';
		if (first && !u->version2 && (last == '\n' || last == '\r'))
			glue = false;
		first = false;
	}
	return true;
}

static void put_text(struct upgrade *u, tape_node n)
{
	if (gather(u, n))
		jsonw_str(&u->w, cyg_buf_str(&u->text));
	else
		jsonw_raw(&u->w, tape_text(u->t, n));
}

static void copy_member(struct upgrade *u, tape_node n)
{
	jsonw_key_quoted(&u->w, tape_key_text(u->t, n));
	jsonw_raw(&u->w, tape_text(u->t, n));
}

/* obj[key] under a new name, or otherwise as JSON. */
static void move_member(
    struct upgrade *u, tape_node obj, const char *key, const char *to, struct cyg_str otherwise)
{
	tape_node n = tape_find(u->t, obj, key);
	jsonw_key(&u->w, to);
	jsonw_raw(&u->w, n == TAPE_NONE ? otherwise : tape_text(u->t, n));
}

static const struct {
	const char *alias, *mime;
	bool lines;
} mimes[] = { { "text", "text/plain", true }, { "html", "text/html", true },
	{ "svg", "image/svg+xml", true }, { "png", "image/png", false },
	{ "jpeg", "image/jpeg", false }, { "latex", "text/latex", true },
	{ "json", "application/json", true }, { "javascript", "application/javascript", true } };

/* application/json was text that holds JSON. */
static void put_json_text(struct upgrade *u, tape_node n)
{
	struct tape *inner = NULL;
	if (!gather(u, n) || tape_parse(cyg_buf_str(&u->text), &inner, NULL, NULL) < 0) {
		put_text(u, n);
		return;
	}
	jsonw_raw(&u->w, tape_text(inner, tape_root(inner)));
	tape_free(inner);
}

static void put_data_member(struct upgrade *u, tape_node n)
{
	size_t i = 0;
	while (i < CYG_N(mimes) && !key_is(u, n, mimes[i].alias))
		i++;
	if (i == CYG_N(mimes)) {
		copy_member(u, n);
		return;
	}
	jsonw_key(&u->w, mimes[i].mime);
	if (strcmp(mimes[i].alias, "json") == 0)
		put_json_text(u, n);
	else if (mimes[i].lines)
		put_text(u, n);
	else
		jsonw_raw(&u->w, tape_text(u->t, n));
}

static void put_metadata(struct upgrade *u, tape_node output)
{
	tape_node metadata = tape_find(u->t, output, "metadata");
	jsonw_key(&u->w, "metadata");
	jsonw_object(&u->w);
	for (tape_node m = metadata == TAPE_NONE ? TAPE_NONE : tape_first(u->t, metadata);
	     m != TAPE_NONE; m = tape_next(u->t, m))
		put_data_member(u, m);
	jsonw_object_end(&u->w);
}

static void put_rich_output(struct upgrade *u, tape_node output, bool result)
{
	static const char *const own[] = { "output_type", "execution_count", "metadata", NULL };
	jsonw_key_cstr(&u->w, "output_type", result ? "execute_result" : "display_data");
	if (result)
		move_member(u, output, "prompt_number", "execution_count", CYG_STR("null"));
	put_metadata(u, output);
	jsonw_key(&u->w, "data");
	jsonw_object(&u->w);
	for (tape_node m = tape_first(u->t, output); m != TAPE_NONE; m = tape_next(u->t, m))
		if (!key_in(u, m, own) && !(result && key_is(u, m, "prompt_number")))
			put_data_member(u, m);
	jsonw_object_end(&u->w);
}

static void put_other_output(struct upgrade *u, tape_node output)
{
	tape_node type = tape_find(u->t, output, "output_type");
	bool stream = tape_string_eq(u->t, type, "stream");
	if (stream)
		move_member(u, output, "stream", "name", CYG_STR("\"stdout\""));
	for (tape_node m = tape_first(u->t, output); m != TAPE_NONE; m = tape_next(u->t, m)) {
		if (stream && (key_is(u, m, "stream") || key_is(u, m, "name")))
			continue;
		if (key_is(u, m, "output_type") && tape_string_eq(u->t, type, "pyerr")) {
			jsonw_key_cstr(&u->w, "output_type", "error");
			continue;
		}
		jsonw_key_quoted(&u->w, tape_key_text(u->t, m));
		bool lines = false;
		for (size_t i = 0; i < CYG_N(mimes); i++)
			lines = lines || (mimes[i].lines && key_is(u, m, mimes[i].alias));
		if (lines)
			put_text(u, m);
		else
			jsonw_raw(&u->w, tape_text(u->t, m));
	}
}

static void put_outputs(struct upgrade *u, tape_node outputs)
{
	jsonw_key(&u->w, "outputs");
	jsonw_array(&u->w);
	for (tape_node o = outputs == TAPE_NONE ? TAPE_NONE : tape_first(u->t, outputs);
	     o != TAPE_NONE; o = tape_next(u->t, o)) {
		tape_node type = tape_find(u->t, o, "output_type");
		bool result = tape_string_eq(u->t, type, "pyout");
		jsonw_object(&u->w);
		if (result || tape_string_eq(u->t, type, "display_data"))
			put_rich_output(u, o, result);
		else if (tape_type_of(u->t, o) == TAPE_OBJECT)
			put_other_output(u, o);
		jsonw_object_end(&u->w);
	}
	jsonw_array_end(&u->w);
}

static void put_cell_metadata(struct upgrade *u, tape_node cell, bool code)
{
	tape_node metadata = tape_find(u->t, cell, "metadata");
	tape_node collapsed = tape_find(u->t, cell, "collapsed");
	jsonw_key(&u->w, "metadata");
	jsonw_object(&u->w);
	for (tape_node m = metadata == TAPE_NONE ? TAPE_NONE : tape_first(u->t, metadata);
	     m != TAPE_NONE; m = tape_next(u->t, m))
		if (!key_is(u, m, "trusted"))
			copy_member(u, m);
	if (code && collapsed != TAPE_NONE)
		copy_member(u, collapsed);
	jsonw_object_end(&u->w);
}

/* "## one line" of a heading cell. */
static void put_heading(struct upgrade *u, tape_node cell)
{
	static const char hashes[] = "################";
	int64_t level = 1;
	tape_node source = tape_find(u->t, cell, "source");
	(void)tape_int(u->t, tape_find(u->t, cell, "level"), &level, NULL);
	level = level < 0 ? 0 : level > 16 ? 16 : level;
	cyg_buf_reset(&u->text);
	if (source != TAPE_NONE)
		(void)gather(u, source);
	struct cyg_str rest = cyg_buf_str(&u->text), line;
	jsonw_key(&u->w, "source");
	jsonw_str_begin(&u->w);
	jsonw_str_piece(&u->w, (struct cyg_str){ hashes, (size_t)level });
	for (bool first = true; first || rest.len > 0; first = false) {
		jsonw_str_piece(&u->w, CYG_STR(" "));
		if (!pyjson_next_line(&rest, &line))
			break;
		jsonw_str_piece(&u->w, pyjson_without_end(line));
	}
	jsonw_str_end(&u->w);
}

static void put_code(struct upgrade *u, tape_node cell)
{
	tape_node input = tape_find(u->t, cell, "input");
	jsonw_key(&u->w, "source");
	if (input == TAPE_NONE)
		jsonw_cstr(&u->w, "");
	else
		put_text(u, input);
	move_member(u, cell, "prompt_number", "execution_count", CYG_STR("null"));
	put_outputs(u, tape_find(u->t, cell, "outputs"));
}

static void put_cell(struct upgrade *u, tape_node cell)
{
	static const char *const code_keys[] = { "cell_type", "metadata", "trusted", "id",
		"language", "collapsed", "input", "source", "prompt_number", "execution_count",
		"outputs", NULL };
	static const char *const text_keys[] = { "cell_type", "metadata", "trusted", "id", NULL };
	tape_node type = tape_find(u->t, cell, "cell_type");
	bool code = tape_string_eq(u->t, type, "code");
	bool heading = tape_string_eq(u->t, type, "heading");
	char id[NB_ID_SIZE];
	if (u->opts->new_id != NULL)
		u->opts->new_id(u->opts->arg, id);
	else
		cyg_random_hex(id, (NB_ID_SIZE - 1) / 2);
	jsonw_object(&u->w);
	jsonw_key_cstr(&u->w, "id", id);
	jsonw_key(&u->w, "cell_type");
	if (heading || tape_string_eq(u->t, type, "html"))
		jsonw_cstr(&u->w, "markdown");
	else
		jsonw_raw(&u->w, type == TAPE_NONE ? CYG_STR("null") : tape_text(u->t, type));
	put_cell_metadata(u, cell, code);
	if (code)
		put_code(u, cell);
	if (heading)
		put_heading(u, cell);
	for (tape_node m = tape_first(u->t, cell); m != TAPE_NONE; m = tape_next(u->t, m)) {
		if (key_in(u, m, code ? code_keys : text_keys) ||
		    (heading && (key_is(u, m, "level") || key_is(u, m, "source"))))
			continue;
		jsonw_key_quoted(&u->w, tape_key_text(u->t, m));
		if (!code && (key_is(u, m, "source") || key_is(u, m, "rendered")))
			put_text(u, m);
		else
			jsonw_raw(&u->w, tape_text(u->t, m));
	}
	jsonw_object_end(&u->w);
}

static int put_cells(struct upgrade *u, tape_node worksheets)
{
	jsonw_key(&u->w, "cells");
	jsonw_array(&u->w);
	for (tape_node ws = tape_first(u->t, worksheets); ws != TAPE_NONE;
	     ws = tape_next(u->t, ws)) {
		tape_node cells = tape_find(u->t, ws, "cells");
		if (cells == TAPE_NONE || tape_type_of(u->t, cells) != TAPE_ARRAY)
			return cyg_fail(
			    u->err, CYG_EINVAL, "a worksheet of the notebook has no 'cells' list");
		for (tape_node c = tape_first(u->t, cells); c != TAPE_NONE; c = tape_next(u->t, c))
			put_cell(u, c);
	}
	jsonw_array_end(&u->w);
	return 0;
}

static void put_root_metadata(struct upgrade *u, tape_node metadata)
{
	static const char *const dropped[] = { "name", "signature", "orig_nbformat",
		"orig_nbformat_minor", NULL };
	jsonw_key(&u->w, "metadata");
	jsonw_object(&u->w);
	for (tape_node m = tape_first(u->t, metadata); m != TAPE_NONE; m = tape_next(u->t, m))
		if (!key_in(u, m, dropped))
			copy_member(u, m);
	jsonw_key_int(&u->w, "orig_nbformat", u->version2 ? 2 : 3);
	jsonw_key_int(&u->w, "orig_nbformat_minor", 0);
	jsonw_object_end(&u->w);
}

static int put_notebook(struct upgrade *u, tape_node root)
{
	static const char *const own[] = { "metadata", "nbformat", "nbformat_minor", "worksheets",
		"orig_nbformat", "orig_nbformat_minor", NULL };
	tape_node metadata = tape_find(u->t, root, "metadata");
	tape_node worksheets = tape_find(u->t, root, "worksheets");
	if (metadata == TAPE_NONE || tape_type_of(u->t, metadata) != TAPE_OBJECT)
		return cyg_fail(u->err, CYG_EINVAL, "the notebook has no 'metadata' object");
	if (worksheets == TAPE_NONE || tape_type_of(u->t, worksheets) != TAPE_ARRAY)
		return cyg_fail(u->err, CYG_EINVAL, "the notebook has no 'worksheets' list");
	jsonw_object(&u->w);
	put_root_metadata(u, metadata);
	jsonw_key_int(&u->w, "nbformat", 4);
	jsonw_key_int(&u->w, "nbformat_minor", 5);
	int r = put_cells(u, worksheets);
	if (r < 0)
		return r;
	for (tape_node m = tape_first(u->t, root); m != TAPE_NONE; m = tape_next(u->t, m))
		if (!key_in(u, m, own))
			copy_member(u, m);
	jsonw_object_end(&u->w);
	return jsonw_finish(&u->w, u->err);
}

int nb_upgrade(const struct tape *t, tape_node root, const struct nb_opts *opts,
    struct cyg_buf *out, struct cyg_err *err)
{
	struct upgrade u = { .t = t, .opts = opts, .err = err };
	u.version2 = cyg_str_eq(tape_text(t, tape_find(t, root, "nbformat")), "2");
	cyg_buf_init(&u.text, out->max);
	jsonw_init(&u.w, out);
	int r = put_notebook(&u, root);
	cyg_buf_free(&u.text);
	return r;
}

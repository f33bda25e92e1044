/* Reads notebooks: checks the version, upgrades, checks the shape that all other code relies on,
 * and reads whether cells are trusted. */
#include "kernels/contents/nbformat.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { UPGRADED_MAX = 1 << 29 };

static bool is_type(const struct tape *t, tape_node n, enum tape_type type)
{
	return n != TAPE_NONE && tape_type_of(t, n) == type;
}

int nb_minor(const struct tape *t, tape_node root)
{
	int64_t v = 0;
	if (tape_int(t, tape_find(t, root, "nbformat_minor"), &v, NULL) < 0)
		return 0;
	return v < 0 || v > 1000 ? 0 : (int)v;
}

static int check_cell(const struct tape *t, tape_node cell, size_t i, struct cyg_err *err)
{
	if (!is_type(t, cell, TAPE_OBJECT))
		return cyg_fail(err, CYG_EINVAL, "cell %zu is not an object", i);
	if (!is_type(t, tape_find(t, cell, "metadata"), TAPE_OBJECT))
		return cyg_fail(err, CYG_EINVAL, "cell %zu has no metadata object", i);
	tape_node attachments = tape_find(t, cell, "attachments");
	if (attachments != TAPE_NONE && tape_type_of(t, attachments) != TAPE_OBJECT)
		return cyg_fail(err, CYG_EINVAL, "attachments of cell %zu are not an object", i);
	tape_node outputs = tape_find(t, cell, "outputs");
	if (tape_string_eq(t, tape_find(t, cell, "cell_type"), "code") && outputs != TAPE_NONE &&
	    tape_type_of(t, outputs) != TAPE_ARRAY)
		return cyg_fail(err, CYG_EINVAL, "outputs of cell %zu are not a list", i);
	return 0;
}

int nb_check_shape(const struct tape *t, tape_node root, struct cyg_err *err)
{
	if (!is_type(t, root, TAPE_OBJECT))
		return cyg_fail(err, CYG_EINVAL, "a notebook is a JSON object");
	if (!is_type(t, tape_find(t, root, "metadata"), TAPE_OBJECT))
		return cyg_fail(err, CYG_EINVAL, "the notebook has no 'metadata' object");
	tape_node cells = tape_find(t, root, "cells");
	if (!is_type(t, cells, TAPE_ARRAY))
		return cyg_fail(err, CYG_EINVAL, "the notebook has no 'cells' list");
	size_t i = 0;
	for (tape_node c = tape_first(t, cells); c != TAPE_NONE; c = tape_next(t, c)) {
		int r = check_cell(t, c, i++, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int upgrade(struct nb_doc *doc, const struct nb_opts *opts, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf out;
	struct tape *t = NULL;
	size_t len;
	cyg_buf_init(&out, UPGRADED_MAX);
	int r = nb_upgrade(doc->tape, doc->root, opts, &out, err);
	if (r < 0)
		return r;
	char *text = cyg_buf_take(&out, &len);
	r = tape_parse((struct cyg_str){ text, len }, &t, NULL, err);
	if (r < 0) {
		free(text);
		return r;
	}
	tape_free(doc->tape);
	doc->tape = t;
	doc->root = tape_root(t);
	doc->upgraded_ = text;
	doc->upgraded = true;
	return 0;
}

static int settle_version(struct nb_doc *doc, const struct nb_opts *opts, struct cyg_err *err)
{
	int64_t major = 1;
	tape_node n = tape_find(doc->tape, doc->root, "nbformat");
	if (!is_type(doc->tape, doc->root, TAPE_OBJECT))
		return cyg_fail(err, CYG_EINVAL, "a notebook is a JSON object");
	if (n != TAPE_NONE && tape_int(doc->tape, n, &major, NULL) < 0)
		return cyg_fail(err, CYG_EINVAL, "'nbformat' is not a whole number");
	if (major == 2 || major == 3)
		return upgrade(doc, opts, err);
	if (major == 4)
		return 0;
	if (major < 2)
		return cyg_fail(err, CYG_EINVAL,
		    "it has notebook format %lld, which is too old; convert it with 'jupyter "
		    "nbconvert --to notebook'",
		    (long long)major);
	return cyg_fail(err, CYG_EINVAL, "Unsupported nbformat version %lld", (long long)major);
}

int nb_read(
    struct cyg_str text, const struct nb_opts *opts, struct nb_doc *ret, struct cyg_err *err)
{
	struct nb_doc doc = { .root = TAPE_NONE };
	int r = tape_parse(text, &doc.tape, NULL, err);
	if (r < 0)
		return cyg_wrap(err, "Notebook does not appear to be JSON");
	doc.root = tape_root(doc.tape);
	r = settle_version(&doc, opts, err);
	if (r == 0)
		r = nb_check_shape(doc.tape, doc.root, err);
	if (r < 0) {
		nb_doc_close(&doc);
		return r;
	}
	doc.minor = nb_minor(doc.tape, doc.root);
	*ret = doc;
	return 0;
}

void nb_doc_close(struct nb_doc *doc)
{
	tape_free(doc->tape);
	free(doc->upgraded_);
	*doc = (struct nb_doc){ .root = TAPE_NONE };
}

/* Whether Python takes the value for true. */
static bool is_truthy(const struct tape *t, tape_node n)
{
	if (n == TAPE_NONE)
		return false;
	switch (tape_type_of(t, n)) {
	case TAPE_TRUE:
		return true;
	case TAPE_NUMBER:
		return !cyg_str_eq(tape_text(t, n), "0");
	case TAPE_STRING:
		return tape_text(t, n).len > 2;
	case TAPE_ARRAY:
	case TAPE_OBJECT:
		return tape_count(t, n) > 0;
	case TAPE_NULL:
	case TAPE_FALSE:
	default:
		return false;
	}
}

static bool output_is_safe(const struct tape *t, tape_node output)
{
	static const char *const safe[] = { "output_type", "execution_count", "metadata" };
	tape_node type = tape_find(t, output, "output_type");
	if (!tape_string_eq(t, type, "execute_result") && !tape_string_eq(t, type, "display_data"))
		return true;
	size_t known = 0;
	for (size_t i = 0; i < CYG_N(safe); i++)
		known += tape_find(t, output, safe[i]) != TAPE_NONE ? 1 : 0;
	return tape_count(t, output) <= known;
}

bool nb_cells_are_trusted(const struct tape *t, tape_node root)
{
	tape_node cells = tape_find(t, root, "cells");
	for (tape_node c = tape_first(t, cells); c != TAPE_NONE; c = tape_next(t, c)) {
		tape_node outputs = tape_find(t, c, "outputs");
		if (!tape_string_eq(t, tape_find(t, c, "cell_type"), "code") ||
		    is_truthy(t, tape_find(t, tape_find(t, c, "metadata"), "trusted")) ||
		    outputs == TAPE_NONE)
			continue;
		for (tape_node o = tape_first(t, outputs); o != TAPE_NONE; o = tape_next(t, o))
			if (!output_is_safe(t, o))
				return false;
	}
	return true;
}

struct cyg_str nb_empty(void)
{
	return CYG_STR("{\"cells\":[],\"metadata\":{},\"nbformat\":4,\"nbformat_minor\":5}");
}

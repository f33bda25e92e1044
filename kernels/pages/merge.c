/* Configuration files: reads JSON and JSON5, and merges one over the other as jupyter_server's
 * ConfigManager does. */
#include "kernels/pages/priv.h"

#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <string.h>

enum { CONFIG_MAX = 4 << 20, MERGE_DEPTH_MAX = 20 };

struct side {
	const struct tape *t;
	tape_node n; /* an object, or TAPE_NONE */
};

static tape_node member(const struct side *s, struct cyg_str key)
{
	tape_node found = TAPE_NONE;
	if (s->n == TAPE_NONE)
		return TAPE_NONE;
	for (tape_node c = tape_first(s->t, s->n); c != TAPE_NONE; c = tape_next(s->t, c))
		if (cyg_str_same(tape_key_text(s->t, c), key))
			found = c;
	return found;
}

static bool is_object(const struct side *s, tape_node n)
{
	return n != TAPE_NONE && tape_type_of(s->t, n) == TAPE_OBJECT;
}

/* NOLINTBEGIN(misc-no-recursion): MERGE_DEPTH_MAX */
static void merge_objects(
    struct jsonw *w, const struct side *low, const struct side *high, unsigned depth);

/* One member of the higher side, over the lower side's one of that name. */
static void merge_member(struct jsonw *w, const struct side *low, const struct side *high,
    tape_node over, unsigned depth)
{
	struct cyg_str key = tape_key_text(high->t, over);
	tape_node under = member(low, key);
	if (tape_type_of(high->t, over) == TAPE_NULL)
		return;
	if (!is_object(high, over)) {
		jsonw_key_quoted(w, key);
		jsonw_raw(w, tape_text(high->t, over));
		return;
	}
	bool both = is_object(low, under);
	/* recursive_update prunes objects that end up empty. */
	if (tape_count(high->t, over) == 0 && (!both || tape_count(low->t, under) == 0))
		return;
	jsonw_key_quoted(w, key);
	merge_objects(w, &(struct side){ low->t, both ? under : TAPE_NONE },
	    &(struct side){ high->t, over }, depth + 1);
}

static void merge_objects(
    struct jsonw *w, const struct side *low, const struct side *high, unsigned depth)
{
	jsonw_object(w);
	if (low->n != TAPE_NONE)
		for (tape_node c = tape_first(low->t, low->n); c != TAPE_NONE;
		     c = tape_next(low->t, c)) {
			struct cyg_str key = tape_key_text(low->t, c);
			if (member(high, key) != TAPE_NONE || member(low, key) != c)
				continue;
			jsonw_key_quoted(w, key);
			jsonw_raw(w, tape_text(low->t, c));
		}
	for (tape_node c = tape_first(high->t, high->n); c != TAPE_NONE; c = tape_next(high->t, c))
		if (member(high, tape_key_text(high->t, c)) == c && depth < MERGE_DEPTH_MAX)
			merge_member(w, low, high, c, depth);
	jsonw_object_end(w);
}
/* NOLINTEND(misc-no-recursion) */

int json_merge(struct cyg_str target, struct cyg_str over, struct cyg_buf *out, struct cyg_err *err)
{
	struct tape *a = NULL, *b = NULL;
	struct jsonw w;
	int r = tape_parse(target, &a, NULL, err);
	if (r == 0)
		r = tape_parse(over, &b, NULL, err);
	if (r == 0 && (tape_type_of(a, tape_root(a)) != TAPE_OBJECT ||
			  tape_type_of(b, tape_root(b)) != TAPE_OBJECT))
		r = cyg_fail(err, CYG_EINVAL, "it is not a JSON object");
	if (r == 0) {
		jsonw_init(&w, out);
		merge_objects(
		    &w, &(struct side){ a, tape_root(a) }, &(struct side){ b, tape_root(b) }, 0);
		r = jsonw_finish(&w, err);
	}
	tape_free(a);
	tape_free(b);
	return r;
}

static int read_json(const char *path, bool json5, struct cyg_buf *out, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf text;
	struct tape *t = NULL;
	cyg_buf_init(&text, CONFIG_MAX);
	int r = cyg_file_read(AT_FDCWD, path, true, &text, err);
	if (r == -CYG_ENOENT || (r == 0 && text.len == 0))
		return 0;
	if (r == 0)
		r = json5 ? json5_to_json(cyg_buf_str(&text), out, err)
			  : tape_parse(cyg_buf_str(&text), &t, NULL, err);
	if (r == 0 && !json5)
		r = cyg_buf_add(out, text.data, text.len, err);
	tape_free(t);
	return r < 0 ? cyg_wrap(err, "%s", path) : 0;
}

int config_read(const char *path, struct cyg_buf *out, struct cyg_err *err)
{
	cyg_autofree char *json5 = cyg_xasprintf("%s.json5", path);
	cyg_autofree char *json = cyg_xasprintf("%s.json", path);
	int r = read_json(json5, true, out, err);
	return r == 0 && out->len == 0 ? read_json(json, false, out, err) : r;
}

/* Lays a file over *all. */
static int lay_over(struct cyg_buf *all, const char *path, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf one, merged;
	cyg_buf_init(&one, CONFIG_MAX);
	cyg_buf_init(&merged, CONFIG_MAX);
	int r = read_json(path, false, &one, err);
	if (r < 0 || one.len == 0)
		return r;
	r = json_merge(cyg_buf_str(all), cyg_buf_str(&one), &merged, err);
	if (r < 0)
		return cyg_wrap(err, "%s", path);
	cyg_buf_reset(all);
	return cyg_buf_add(all, merged.data, merged.len, err);
}

int config_section(const struct pages_ctx *ctx, const char *folder, const char *section,
    struct cyg_buf *out, struct cyg_err *err)
{
	int r = cyg_buf_add_str(out, "{}", err);
	for (size_t i = CONFIG_DIRS; r == 0 && i > 0; i--) {
		const char *dir = ctx->state->config[i - 1];
		cyg_autofree char *file = cyg_xasprintf("%s/%s/%s.json", dir, folder, section);
		cyg_autofree char *below = cyg_xasprintf("%s/%s/%s.d/*.json", dir, folder, section);
		glob_t found = { 0 };
		if (glob(below, 0, NULL, &found) == 0)
			for (size_t k = 0; r == 0 && k < found.gl_pathc; k++)
				r = lay_over(out, found.gl_pathv[k], err);
		globfree(&found);
		if (r == 0)
			r = lay_over(out, file, err);
	}
	return r;
}

/* Federated (prebuilt) extensions: found in the labextensions folders, top-level or one below an
 * @organisation (jupyterlab_server config.py get_federated_extensions). */
#include "kernels/pages/priv.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

enum { PACKAGE_MAX = 1 << 20 };

struct walk {
	struct cyg_hash *seen;
	void (*fn)(void *arg, const char *dir, const struct tape *package);
	void *arg;
};

static void visit(struct walk *w, const char *dir)
{
	cyg_autobuf struct cyg_buf text;
	cyg_autofree char *path = cyg_xasprintf("%s/package.json", dir);
	struct tape *t = NULL;
	cyg_buf_init(&text, PACKAGE_MAX);
	/* An extension whose package cannot be read is left out, so that the page still loads. */
	if (cyg_file_read(AT_FDCWD, path, true, &text, NULL) < 0 ||
	    tape_parse(cyg_buf_str(&text), &t, NULL, NULL) < 0)
		return;
	cyg_autofree char *name = tape_get_str(t, tape_root(t), "name");
	if (name != NULL && cyg_hash_set(w->seen, cyg_str_of(name), w) == NULL)
		w->fn(w->arg, dir, t);
	tape_free(t);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_shown(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

/* NOLINTNEXTLINE(misc-no-recursion): one level more, for the folder of an @scope */
static void walk_dir(struct walk *w, const char *dir, bool top)
{
	struct dirent **entries = NULL;
	int n = scandir(dir, &entries, is_shown, by_name);
	for (int i = 0; i < n; i++) {
		cyg_autofree char *below = cyg_xasprintf("%s/%s", dir, entries[i]->d_name);
		if (top && entries[i]->d_name[0] == '@')
			walk_dir(w, below, false);
		else
			visit(w, below);
		free(entries[i]);
	}
	free(entries);
}

void federated_each(const struct pages_ctx *ctx,
    void (*fn)(void *arg, const char *dir, const struct tape *package), void *arg)
{
	struct walk w = { .seen = cyg_hash_new(), .fn = fn, .arg = arg };
	for (size_t i = 0; i < ctx->state->labext_count; i++)
		walk_dir(&w, ctx->state->labext[i], true);
	cyg_hash_free(w.seen, NULL);
}

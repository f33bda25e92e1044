/* Finds a kernel's specification (by specs.c) and its folder in the thread pool. Comes before
 * kernels_start. */
#include "kernels/kernel/lookup.h"

#include "base/mem.h"

#include <libgen.h>
#include <string.h>
#include <sys/stat.h>
#include <uv.h>

struct lookup_work {
	uv_work_t work;
	const struct specs_path *specs;
	const char *root_dir;
	char *name, *path;
	bool path_is_file;
	lookup_done_fn done;
	void *arg;
	/* found */
	struct spec *spec;
	char *cwd;
	struct cyg_err err;
};

/* Notebooks from before Jupyter 4 say "python": jupyter_client takes that for its native kernel. */
static int find_named(const struct lookup_work *l, struct spec **ret, struct cyg_err *err)
{
	if (strcmp(l->name, "python") == 0 && specs_find(l->specs, "python3", ret, NULL) == 0)
		return 0;
	return specs_find(l->specs, l->name, ret, err);
}

static int find_spec(struct lookup_work *l, struct cyg_err *err)
{
	struct specs *all;
	const char *chosen;
	int rc;

	if (l->name[0] != '\0')
		return find_named(l, &l->spec, err);
	all = cyg_xcalloc(1, sizeof(*all));
	specs_read(l->specs, all);
	chosen = specs_default(all);
	if (chosen == NULL)
		rc = cyg_fail(err, CYG_ENOENT, "No kernel is installed");
	else
		rc = specs_find(l->specs, chosen, &l->spec, err);
	specs_free(all);
	free(all);
	return rc;
}

static char *find_cwd(const char *root_dir, const char *path, bool path_is_file)
{
	char *full = cyg_xasprintf("%s/%s", root_dir, path != NULL ? path : "");
	struct stat st;

	/* A path that leads out of the root is not followed; the kernel starts in the root then. */
	if (path == NULL || strstr(full, "/../") != NULL) {
		free(full);
		return cyg_xstrdup(root_dir);
	}
	if (path_is_file)
		(void)dirname(full);
	while (strlen(full) > strlen(root_dir) && (stat(full, &st) < 0 || !S_ISDIR(st.st_mode)))
		(void)dirname(full);
	return full;
}

static void on_work(uv_work_t *work)
{
	struct lookup_work *l = CYG_CONTAINER_OF(work, struct lookup_work, work);

	(void)find_spec(l, &l->err);
	l->cwd = find_cwd(l->root_dir, l->path, l->path_is_file);
}

static void on_worked(uv_work_t *work, int status)
{
	struct lookup_work *l = CYG_CONTAINER_OF(work, struct lookup_work, work);

	l->done(l->arg, l->spec, l->cwd, l->spec != NULL ? NULL : &l->err);
	free(l->name);
	free(l->path);
	free(l->cwd);
	free(l);
}

void lookup_start(
    const struct kernel_ctx *ctx, const struct lookup *lookup, lookup_done_fn done, void *arg)
{
	struct lookup_work *l = cyg_xcalloc(1, sizeof(*l));

	l->specs = ctx->specs;
	l->root_dir = ctx->root_dir;
	l->name = cyg_xstrdup(lookup->name != NULL ? lookup->name : "");
	l->path = lookup->path != NULL ? cyg_xstrdup(lookup->path) : NULL;
	l->path_is_file = lookup->path_is_file;
	l->done = done;
	l->arg = arg;
	/* Only a NULL callback can make it fail. */
	(void)uv_queue_work(ctx->loop, &l->work, on_work, on_worked);
}

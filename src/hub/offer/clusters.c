/* The story of one request: the catalogue, then the files that the cluster's entry names, one after
 * the other. */
#include "hub/offer/clusters.h"

#include "base/mem.h"
#include "spark/bundles.h"
#include "spark/catalogue.h"
#include "spark/options.h"

#include <string.h>

/* More than a catalogue names; the tree may be rearranged while the hub runs. */
enum { FILES_MAX = 128 };

struct clusters {
	uv_loop_t *loop;
	const char *tree;
	struct treefile *catalogue;
	struct treefile *files[FILES_MAX]; /* named by entries and stacks, as they were asked for */
	size_t n_files;
};

/* ---- kinds of files ---- */

static int parse_catalogue(const char *path, struct cyg_str text, void **ret, struct cyg_err *err)
{
	return spark_catalogue_parse(path, text, (struct spark_catalogue **)ret, err);
}

static void free_catalogue(void *data)
{
	spark_catalogue_free(data);
}

static int parse_bundles(const char *path, struct cyg_str text, void **ret, struct cyg_err *err)
{
	return spark_bundles_parse(path, text, (struct spark_bundles **)ret, err);
}

static void free_bundles(void *data)
{
	spark_bundles_free(data);
}

static int parse_options(const char *path, struct cyg_str text, void **ret, struct cyg_err *err)
{
	return spark_options_parse(path, text, (struct spark_options **)ret, err);
}

static void free_options(void *data)
{
	spark_options_free(data);
}

static const struct treefile_kind catalogue_kind = { "catalogue of Spark clusters", parse_catalogue,
	free_catalogue };
static const struct treefile_kind bundles_kind = { "file of Spark option bundles", parse_bundles,
	free_bundles };
static const struct treefile_kind options_kind = { "list of Spark options", parse_options,
	free_options };

/* ---- files ---- */

/* One that nobody waits for makes room. */
static size_t free_place(struct clusters *c)
{
	for (size_t i = 0; i < c->n_files; i++) {
		if (!treefile_is_wanted(c->files[i])) {
			treefile_close(CYG_TAKE(c->files[i]));
			return i;
		}
	}
	return FILES_MAX;
}

/* NULL when too many are waited for. */
static struct treefile *file_of(
    struct clusters *c, const char *path, const struct treefile_kind *kind)
{
	size_t at = c->n_files;

	for (size_t i = 0; i < c->n_files; i++) {
		if (strcmp(treefile_path(c->files[i]), path) == 0)
			return c->files[i];
	}
	if (at == FILES_MAX)
		at = free_place(c);
	else
		c->n_files++;
	if (at == FILES_MAX)
		return NULL;
	c->files[at] = treefile_new(c->loop, path, kind);
	return c->files[at];
}

/* ---- one request ---- */

enum step { STEP_CATALOGUE, STEP_BUNDLES, STEP_LISTED, STEP_KNOWN, STEPS };

static void go_on(struct clusters_wait *w);

static void fail(struct clusters_wait *w, const struct cyg_err *why)
{
	w->fn(w->arg, NULL, why);
}

static void on_file(void *arg, const void *data, const struct cyg_err *why)
{
	struct clusters_wait *w = arg;

	switch ((enum step)w->step) {
	case STEP_CATALOGUE:
		w->found.catalogue = data;
		if (data != NULL)
			w->found.cluster = spark_catalogue_find(data, w->cluster);
		break;
	case STEP_BUNDLES:
		w->found.bundles = data;
		break;
	case STEP_LISTED:
		w->found.listed = data;
		break;
	case STEP_KNOWN:
		w->found.known = data;
		break;
	case STEPS:
		break;
	}
	if (why != NULL && w->step <= STEP_BUNDLES) {
		fail(w, why);
		return;
	}
	w->step++;
	go_on(w);
}

/* The file of the step, for the caller to free; NULL: there is none to read. */
static char *path_of(const struct clusters_wait *w)
{
	const struct spark_cluster *cl = w->found.cluster;
	const bool options = (w->parts & CLUSTERS_OPTIONS) != 0;

	switch ((enum step)w->step) {
	case STEP_BUNDLES:
		return (w->parts & CLUSTERS_BUNDLES) != 0 && cl != NULL && cl->bundles != NULL
			   ? cyg_xstrdup(cl->bundles)
			   : NULL;
	case STEP_LISTED:
		return options && cl != NULL && cl->options != NULL ? cyg_xstrdup(cl->options)
								    : NULL;
	case STEP_KNOWN:
		return options && w->stack != NULL && w->clusters->tree != NULL
			   ? cyg_xasprintf("%s/stacks/%s/share/cygnet/spark-options.json",
				 w->clusters->tree, w->stack)
			   : NULL;
	case STEP_CATALOGUE:
	case STEPS:
		break;
	}
	return NULL;
}

static void go_on(struct clusters_wait *w)
{
	for (; w->step < STEPS; w->step++) {
		cyg_autofree char *path = path_of(w);
		struct treefile *f =
		    path == NULL ? NULL
				 : file_of(w->clusters, path,
				       w->step == STEP_BUNDLES ? &bundles_kind : &options_kind);

		if (f != NULL) {
			treefile_want(f, &w->files[w->step], on_file, w);
			return;
		}
	}
	w->fn(w->arg, &w->found, NULL);
}

struct clusters *clusters_new(uv_loop_t *loop, const char *path, const char *tree)
{
	struct clusters *c = cyg_xcalloc(1, sizeof(*c));

	c->loop = loop;
	c->tree = tree;
	c->catalogue = treefile_new(loop, path, &catalogue_kind);
	return c;
}

void clusters_close(struct clusters *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->n_files; i++)
		treefile_close(c->files[i]);
	treefile_close(c->catalogue);
	free(c);
}

void clusters_want(struct clusters *c, struct clusters_wait *w, const struct clusters_ask *ask,
    clusters_fn fn, void *arg)
{
	w->clusters = c;
	w->cluster = cyg_xstrdup(ask->cluster);
	w->stack = ask->stack != NULL && ask->stack[0] != '\0' ? cyg_xstrdup(ask->stack) : NULL;
	w->parts = ask->parts;
	w->step = STEP_CATALOGUE;
	w->fn = fn;
	w->arg = arg;
	treefile_want(c->catalogue, &w->files[STEP_CATALOGUE], on_file, w);
}

void clusters_wait_cancel(struct clusters_wait *w)
{
	for (size_t i = 0; i < CYG_N(w->files); i++)
		treefile_wait_cancel(&w->files[i]);
	free(CYG_TAKE(w->cluster));
	free(CYG_TAKE(w->stack));
}

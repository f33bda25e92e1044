/* What the software tree says about Spark clusters: the catalogue, the bundles and option names of
 * a cluster, and the options that the Spark of a stack knows. Each file is read by a child
 * (treefile.h) when a request needs it. */
#ifndef HUB_CLUSTERS_H
#define HUB_CLUSTERS_H

#include "hub/offer/treefile.h"

struct clusters;
struct spark_bundles;
struct spark_catalogue;
struct spark_cluster;
struct spark_options;

enum clusters_part {
	CLUSTERS_BUNDLES = 1, /* of the cluster: a failure to read them is the request's */
	CLUSTERS_OPTIONS = 2, /* known names: where they cannot be read, there are none */
};

/* Borrowed for the call that starts the wait. */
struct clusters_ask {
	const char *cluster; /* id */
	const char *stack;   /* id, or NULL */
	unsigned parts;      /* of clusters_part */
};

/* Borrowed until the wait is cancelled. */
struct clusters_found {
	const struct spark_catalogue *catalogue;
	const struct spark_cluster *cluster; /* NULL: there is none of that id */
	const struct spark_bundles *bundles; /* NULL: none, or not asked for */
	const struct spark_options *known;   /* of the stack's Spark, or NULL */
	const struct spark_options *listed;  /* of the site, or NULL */
};

/* found is NULL when why is set. */
typedef void (*clusters_fn)(
    void *arg, const struct clusters_found *found, const struct cyg_err *why);

/* One request that waits; embedded in what waits. Zero it before its first use. */
struct clusters_wait {
	struct clusters *clusters;
	struct treefile_wait files[4];
	char *cluster, *stack; /* copies of the question */
	unsigned parts, step;
	struct clusters_found found;
	clusters_fn fn;
	void *arg;
};

/* tree may be NULL: then nothing is known of stacks. Both are borrowed for good. */
struct clusters *clusters_new(uv_loop_t *loop, const char *path, const char *tree);
/* No request may be waiting. NULL is accepted. */
void clusters_close(struct clusters *c);
/* fn comes exactly once, from the loop, never from inside this call, never after cancel. */
void clusters_want(struct clusters *c, struct clusters_wait *w, const struct clusters_ask *ask,
    clusters_fn fn, void *arg);
/* Gives back what was found, too. One that does not wait is accepted. */
void clusters_wait_cancel(struct clusters_wait *w);

#endif

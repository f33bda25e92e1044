/* Option bundles of a community and lists of option names, in the files of SWAN's Spark connector:
 * bundles.json {"bundled_options": {NAME: {"options": [{"name", "value", "concatenate"?}],
 *   "cluster_filter": [ID], "spark_version_filter": [VERSION]}}}
 * spark_options.json {"spark_options": [{"value": NAME, "data": {"category"}}]}
 * Both are read as they are; what they hold beyond this is ignored. */
#ifndef SPARK_BUNDLES_H
#define SPARK_BUNDLES_H

#include "spark/jsonread.h"

#include <stdbool.h>

enum { SPARK_BUNDLES_MAX = 256, SPARK_BUNDLE_OPTIONS_MAX = 256, SPARK_BUNDLE_FILTERS_MAX = 64 };

struct spark_bundle_option {
	const char *name, *value; /* without blanks at the ends: Spark would cut them off */
	const char *concatenate;  /* how it joins a value that is there; NULL: that one stays */
};

struct spark_bundle {
	const char *name, *description; /* description may be NULL */
	struct spark_bundle_option *options;
	size_t n_options;
	struct spark_names clusters, versions; /* none: all */
};

struct spark_bundles {
	struct cyg_arena arena_;
	struct spark_bundle *list; /* in the file's order */
	size_t n;
};

/* file is its name in messages. Freed with spark_bundles_free. */
int spark_bundles_parse(
    const char *file, struct cyg_str text, struct spark_bundles **ret, struct cyg_err *err);
/* NULL is accepted. */
void spark_bundles_free(struct spark_bundles *b);
/* Borrowed, or NULL. */
const struct spark_bundle *spark_bundles_find(const struct spark_bundles *b, const char *name);
/* Whether its filters let it be used there. "spark4", "4" and "4.2" all take Spark 4.2.0. */
bool spark_bundle_fits(const struct spark_bundle *b, const char *cluster, const char *version);
/* Whether a word for versions such as "4", "4.2" or "spark4" takes this version. */
bool spark_version_fits(const char *word, const char *version);

#endif

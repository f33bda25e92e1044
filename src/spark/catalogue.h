/* The catalogue of Spark clusters: what a site offers and the layers that each cluster brings.
 * clusters.yaml is the annotated sample; the reader child hands its text over. */
#ifndef SPARK_CATALOGUE_H
#define SPARK_CATALOGUE_H

#include "daemon/yaml_fields.h"
#include "spark/plan.h"

enum { SPARK_CLUSTERS_MAX = 64, SPARK_VERSIONS_MAX = 16, SPARK_FACTS_MAX = 32 };

struct spark_cluster {
	const char *id, *label, *description;
	enum spark_kind kind;
	struct spark_setting *settings; /* of layers cluster and site */
	size_t n_settings;
	const char *bundles, *options; /* paths of SWAN's files (bundles.h, options.h), or NULL */
	struct yaml_pair *facts;       /* shown to users: label and value */
	size_t n_facts;
	const char **versions; /* of Spark: "4", "3.5"; none: all */
	size_t n_versions;
};

struct spark_catalogue;

/* What the file holds, for the reference page. */
extern const struct yaml_record spark_catalogue_record;

/* Mistakes, also names that are no Spark property, are refused by name, with line and column; file
 * is the file's name in messages. */
int spark_catalogue_parse(
    const char *file, struct cyg_str text, struct spark_catalogue **ret, struct cyg_err *err);
void spark_catalogue_free(struct spark_catalogue *c);
/* Borrowed; NULL when there is none of that id. */
const struct spark_cluster *spark_catalogue_find(const struct spark_catalogue *c, const char *id);
/* The i-th in the file's order, borrowed; NULL after the last. */
const struct spark_cluster *spark_catalogue_at(const struct spark_catalogue *c, size_t i);
/* Whether the cluster works with this version of Spark: "4" takes 4.2.0 and not 41.0.0. */
bool spark_cluster_takes(const struct spark_cluster *cl, const char *wanted);

#endif

/* What the panel shows before anything is started: which clusters, bundles and options there are,
 * and what a choice would come to. Both are JSON without secrets. */
#ifndef HUB_SPARK_VIEWS_H
#define HUB_SPARK_VIEWS_H

#include "hub/offer/policy.h"

struct clusters_found;
struct spark_session;

/* Borrowed for the call. */
struct spark_view {
	const struct policy_person *who;
	const struct profiles *profiles;
	const struct choice *choice; /* of the server */
	const int *version;          /* of Spark: three numbers */
	const char *version_text;
};

/* Whether this server may use the cluster of that id: it is the chosen one, or its profile offers
 * it and the user is in one of its groups; and it works with this version. Else why says the
 * reason. */
bool spark_view_may_use(const struct spark_view *v, const struct clusters_found *found,
    const char *id, struct cyg_err *why);
/* {"chosen", "version", "clusters", "bundles", "options"}; a new object. */
json_t *spark_view_catalogue(const struct spark_view *v, const struct clusters_found *found);
/* {"cluster", "flavour", "properties", "lint"}; a new object. */
json_t *spark_view_preview(const struct spark_session *s, const struct clusters_found *found);

#endif

/* The catalogue as the panel wants it, and the preview of a session. */
#include "hub/api/spark_views.h"

#include "hub/offer/clusters.h"
#include "spark/bundles.h"
#include "spark/catalogue.h"
#include "spark/lint.h"
#include "spark/session.h"

#include <string.h>

/* ---- who may use what ---- */

/* The chosen one was allowed at the start of the server. */
static int check_offered(const struct spark_view *v, const char *id, struct cyg_err *why)
{
	const struct profile *f = profiles_find(v->profiles, v->choice->profile);
	const struct profile_cluster *c = profiles_find_cluster(v->profiles, id);
	char reason[160];

	if (strcmp(id, v->choice->cluster) == 0)
		return 0;
	if (f == NULL || c == NULL || !profile_list_has(&f->clusters, id))
		return cyg_fail(why, CYG_EDENIED,
		    "The profile of this server does not offer the cluster '%.80s'.", id);
	if (policy_is_in(v->who, &c->groups))
		return 0;
	policy_reason(&c->groups, reason, sizeof(reason));
	return cyg_fail(why, CYG_EDENIED, "%s", reason);
}

bool spark_view_may_use(const struct spark_view *v, const struct clusters_found *found,
    const char *id, struct cyg_err *why)
{
	const struct spark_cluster *cl = spark_catalogue_find(found->catalogue, id);

	if (check_offered(v, id, why) < 0)
		return false;
	if (cl == NULL) {
		(void)cyg_fail(
		    why, CYG_ENOENT, "The cluster '%.80s' is not in the catalogue any more.", id);
		return false;
	}
	if (spark_cluster_takes(cl, v->version_text))
		return true;
	(void)cyg_fail(why, CYG_EINVAL,
	    "The cluster '%s' does not work with Spark %s of this environment.", cl->label,
	    v->version_text);
	return false;
}

/* ---- the catalogue ---- */

static json_t *flavours_json(const struct spark_view *v)
{
	json_t *list = json_array();

	for (int i = 0; i < SPARK_FLAVOURS; i++) {
		if (spark_flavour_has((enum spark_flavour)i, v->version))
			(void)json_array_append_new(
			    list, json_string(spark_flavour_name((enum spark_flavour)i)));
	}
	return list;
}

static json_t *facts_json(const struct spark_cluster *cl)
{
	json_t *list = json_array();

	for (size_t i = 0; i < cl->n_facts; i++)
		(void)json_array_append_new(
		    list, json_pack("{s:s, s:s}", "label", cl->facts[i].name, "value",
			      cl->facts[i].value));
	return list;
}

static json_t *clusters_json(const struct spark_view *v, const struct clusters_found *found)
{
	json_t *list = json_array();
	const struct spark_cluster *cl;

	for (size_t i = 0; (cl = spark_catalogue_at(found->catalogue, i)) != NULL; i++) {
		struct cyg_err why = { .code = CYG_OK };
		const bool usable = spark_view_may_use(v, found, cl->id, &why);

		/* Nobody is told of clusters that the site does not offer here. */
		if (why.code == CYG_EDENIED && profiles_find_cluster(v->profiles, cl->id) == NULL)
			continue;
		(void)json_array_append_new(
		    list, json_pack("{s:s, s:s, s:s?, s:s, s:o, s:o, s:b, s:s?}", "id", cl->id,
			      "label", cl->label, "description", cl->description, "kind",
			      spark_kind_name(cl->kind), "flavours", flavours_json(v), "facts",
			      facts_json(cl), "usable", usable, "reason", usable ? NULL : why.msg));
	}
	return list;
}

static json_t *names_json(const struct spark_names *names)
{
	json_t *list = json_array();

	for (size_t i = 0; i < names->n; i++)
		(void)json_array_append_new(list, json_string(names->list[i]));
	return list;
}

static json_t *bundle_json(const struct spark_bundle *b)
{
	json_t *options = json_array();

	for (size_t i = 0; i < b->n_options; i++)
		(void)json_array_append_new(
		    options, json_pack("{s:s, s:s, s:s?}", "name", b->options[i].name, "value",
				 b->options[i].value, "concatenate", b->options[i].concatenate));
	return json_pack("{s:s, s:s?, s:o, s:o, s:o}", "name", b->name, "description",
	    b->description, "clusters", names_json(&b->clusters), "versions",
	    names_json(&b->versions), "options", options);
}

static json_t *bundles_json(const struct clusters_found *found)
{
	json_t *list = json_array();

	for (size_t i = 0; found->bundles != NULL && i < found->bundles->n; i++)
		(void)json_array_append_new(list, bundle_json(&found->bundles->list[i]));
	return list;
}

static json_t *options_json(const struct clusters_found *found)
{
	const struct spark_options *o = found->known != NULL ? found->known : found->listed;

	return o != NULL ? spark_options_json(o) : json_array();
}

json_t *spark_view_catalogue(const struct spark_view *v, const struct clusters_found *found)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:o}", "chosen", v->choice->cluster, "version",
	    v->version_text, "clusters", clusters_json(v, found), "bundles", bundles_json(found),
	    "options", options_json(found));
}

/* ---- the preview ---- */

json_t *spark_view_preview(const struct spark_session *s, const struct clusters_found *found)
{
	const struct spark_lint_ask ask = {
		.rendered = s->driver, .plan = &s->plan, .known = found->known
	};
	struct spark_lint_item items[SPARK_LINT_MAX];
	struct cyg_arena arena;
	json_t *ret;
	size_t n;

	cyg_arena_init(&arena);
	n = spark_lint(&ask, &arena, items);
	ret = json_pack("{s:{s:s, s:s, s:s}, s:s, s:o, s:o}", "cluster", "id", s->id, "label",
	    s->label, "kind", spark_kind_name(s->plan.ask.kind), "flavour",
	    spark_flavour_name(s->plan.ask.flavour), "properties", spark_properties_json(s->driver),
	    "lint", spark_lint_json(items, n));
	cyg_arena_free(&arena);
	return ret;
}

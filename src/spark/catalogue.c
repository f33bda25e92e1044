/* Reading the catalogue of Spark clusters. */
#include "spark/catalogue.h"

#include "base/mem.h"

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { ID_MAX = 64 };

struct spark_catalogue {
	struct cyg_arena arena;
	struct spark_cluster clusters[SPARK_CLUSTERS_MAX];
	size_t n;
};

static const char *const kinds[] = { "local", "disposable" };

const char *spark_kind_name(enum spark_kind kind)
{
	return kinds[kind];
}

/* The four ways to set properties, as keys of a cluster (layer cluster) and of its "site" (layer
 * site). */
static const struct {
	const char *key;
	enum spark_op op;
} ways[] = { { "properties", SPARK_OP_SET }, { "append", SPARK_OP_APPEND },
	{ "lock", SPARK_OP_LOCK }, { "forbid", SPARK_OP_FORBID } };

static bool is_known(const char *key, const char *const *more)
{
	for (size_t i = 0; i < CYG_N(ways); i++) {
		if (strcmp(key, ways[i].key) == 0)
			return true;
	}
	for (; *more != NULL; more++) {
		if (strcmp(key, *more) == 0)
			return true;
	}
	return false;
}

static int check_keys(
    const json_t *obj, const char *what, const char *const *more, struct cyg_err *err)
{
	const char *key;
	json_t *value;

	if (!json_is_object(obj))
		return cyg_fail(err, CYG_EINVAL, "%s: not a map of keys and values", what);
	json_object_foreach ((json_t *)(uintptr_t)obj, key, value) {
		if (!is_known(key, more))
			return cyg_fail(err, CYG_EINVAL, "%s: unknown key '%.60s'", what, key);
	}
	return 0;
}

static size_t count_settings(const json_t *obj)
{
	size_t n = 0;

	for (size_t i = 0; i < CYG_N(ways); i++) {
		const json_t *list = json_object_get(obj, ways[i].key);

		n += json_is_array(list) ? json_array_size(list) : json_object_size(list);
	}
	return n;
}

static int add_setting(struct spark_catalogue *c, struct spark_cluster *cl, struct spark_setting s,
    struct cyg_err *err)
{
	if (s.op != SPARK_OP_FORBID && s.value == NULL)
		return cyg_fail(err, CYG_EINVAL, "cluster '%s': the value of %.80s is not text",
		    cl->id, s.name);
	if (cl->n_settings >= SPARK_SETTINGS_MAX / 2)
		return cyg_fail(err, CYG_ELIMIT, "cluster '%s' sets too much", cl->id);
	s.name = cyg_arena_dup(&c->arena, cyg_str_of(s.name));
	s.value = s.value != NULL ? cyg_arena_dup(&c->arena, cyg_str_of(s.value)) : NULL;
	cl->settings[cl->n_settings++] = s;
	return 0;
}

static int check_kind(
    const struct spark_cluster *cl, size_t way, const json_t *value, struct cyg_err *err)
{
	bool names = ways[way].op == SPARK_OP_FORBID;

	if (names ? json_is_array(value) : json_is_object(value))
		return 0;
	return cyg_fail(err, CYG_EINVAL, "cluster '%s': '%s' must be a %s", cl->id, ways[way].key,
	    names ? "list of names" : "map");
}

static int read_layer(struct spark_catalogue *c, struct spark_cluster *cl, const json_t *obj,
    enum spark_layer layer, struct cyg_err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < CYG_N(ways); i++) {
		json_t *list = json_object_get(obj, ways[i].key);
		const char *key;
		json_t *value;
		size_t at;

		if (list == NULL)
			continue;
		rc = check_kind(cl, i, list, err);
		if (rc < 0)
			return rc;
		json_array_foreach (list, at, value) {
			if (!json_is_string(value))
				return cyg_fail(err, CYG_EINVAL,
				    "cluster '%s': '%s' must hold names", cl->id, ways[i].key);
			rc = add_setting(c, cl,
			    (struct spark_setting){
				layer, ways[i].op, json_string_value(value), NULL, NULL },
			    err);
			if (rc < 0)
				return rc;
		}
		json_object_foreach (list, key, value) {
			/* Several -D options make one list of words. */
			const char *separator =
			    cyg_str_ends(cyg_str_of(key), "JavaOptions") ? " " : NULL;

			rc = add_setting(c, cl,
			    (struct spark_setting){
				layer, ways[i].op, key, json_string_value(value), separator },
			    err);
			if (rc < 0)
				return rc;
		}
	}
	return rc;
}

static int read_text(
    const char *id, const json_t *obj, const char *key, const char **ret, struct cyg_err *err)
{
	const json_t *value = json_object_get(obj, key);

	if (value != NULL && !json_is_string(value))
		return cyg_fail(err, CYG_EINVAL, "cluster '%.60s': '%s' must be text", id, key);
	*ret = json_string_value(value);
	return 0;
}

static int read_versions(
    struct spark_catalogue *c, struct spark_cluster *cl, const json_t *list, struct cyg_err *err)
{
	size_t at;
	json_t *value;

	if (list != NULL && (!json_is_array(list) || json_array_size(list) > SPARK_VERSIONS_MAX))
		return cyg_fail(
		    err, CYG_EINVAL, "cluster '%s': 'spark' must be a list of versions", cl->id);
	json_array_foreach (list, at, value) {
		if (!json_is_string(value))
			return cyg_fail(err, CYG_EINVAL,
			    "cluster '%s': 'spark' must be a list of versions", cl->id);
		cl->versions[cl->n_versions++] =
		    cyg_arena_dup(&c->arena, cyg_str_of(json_string_value(value)));
	}
	return 0;
}

/* The properties of the cluster and of its site; each must be one that Spark can be given. */
static int read_settings(struct spark_catalogue *c, struct spark_cluster *cl, const json_t *obj,
    const json_t *site, struct cyg_err *err)
{
	struct spark_rendered *r = NULL;
	int rc;

	cl->settings = cyg_arena_alloc(
	    &c->arena, (count_settings(obj) + count_settings(site) + 1) * sizeof(*cl->settings));
	rc = read_layer(c, cl, obj, SPARK_LAYER_CLUSTER, err);
	if (rc == 0 && site != NULL)
		rc = read_layer(c, cl, site, SPARK_LAYER_SITE, err);
	if (rc == 0)
		rc = spark_render(cl->settings, cl->n_settings, &r, err);
	spark_rendered_free(r);
	return rc < 0 ? cyg_wrap(err, "cluster '%s'", cl->id) : 0;
}

static int read_cluster(
    struct spark_catalogue *c, const char *id, const json_t *obj, struct cyg_err *err)
{
	static const char *const keys[] = { "label", "description", "kind", "spark", "facts",
		"site", NULL };
	static const char *const none[] = { NULL };
	struct spark_cluster *cl = &c->clusters[c->n];
	const char *label = NULL;
	const char *kind = NULL;
	const char *description = NULL;
	const json_t *site = json_object_get(obj, "site");
	char what[96];
	int rc;

	if (id[0] == '\0' || strlen(id) > ID_MAX)
		return cyg_fail(err, CYG_EINVAL, "a cluster's id has 1 to %d bytes", ID_MAX);
	(void)snprintf(what, sizeof(what), "%s.site", id);
	rc = check_keys(obj, id, keys, err);
	if (rc == 0 && site != NULL)
		rc = check_keys(site, what, none, err);
	if (rc == 0)
		rc = read_text(id, obj, "label", &label, err);
	if (rc == 0)
		rc = read_text(id, obj, "description", &description, err);
	if (rc == 0)
		rc = read_text(id, obj, "kind", &kind, err);
	if (rc < 0)
		return rc;
	if (kind == NULL || (strcmp(kind, "local") != 0 && strcmp(kind, "disposable") != 0))
		return cyg_fail(
		    err, CYG_EINVAL, "cluster '%s': kind must be local or disposable", id);
	cl->id = cyg_arena_dup(&c->arena, cyg_str_of(id));
	cl->label = cyg_arena_dup(&c->arena, cyg_str_of(label != NULL ? label : id));
	cl->kind = strcmp(kind, "local") == 0 ? SPARK_KIND_LOCAL : SPARK_KIND_DISPOSABLE;
	rc = read_versions(c, cl, json_object_get(obj, "spark"), err);
	if (rc == 0)
		rc = read_settings(c, cl, obj, site, err);
	if (rc == 0)
		c->n++;
	return rc;
}

/* The map of clusters in the document. */
static int find_clusters(const json_t *root, json_t **ret, struct cyg_err *err)
{
	const char *key;
	json_t *value;

	if (root == NULL)
		return cyg_fail(err, CYG_EINVAL, "the catalogue is not JSON, or names a key twice");
	*ret = json_object_get(root, "clusters");
	if (!json_is_object(*ret) || json_object_size(*ret) > SPARK_CLUSTERS_MAX)
		return cyg_fail(err, CYG_EINVAL,
		    "the catalogue must hold 'clusters', at most %d of them", SPARK_CLUSTERS_MAX);
	json_object_foreach ((json_t *)(uintptr_t)root, key, value) {
		if (strcmp(key, "clusters") != 0)
			return cyg_fail(err, CYG_EINVAL, "the catalogue: unknown key '%.60s'", key);
	}
	return 0;
}

int spark_catalogue_parse(struct cyg_str json, struct spark_catalogue **ret, struct cyg_err *err)
{
	struct spark_catalogue *c;
	json_t *root;
	json_t *clusters = NULL;
	const char *id;
	json_t *obj;
	int rc;

	if (json.len > SPARK_CATALOGUE_MAX)
		return cyg_fail(
		    err, CYG_ELIMIT, "the catalogue is over %d bytes", SPARK_CATALOGUE_MAX);
	root = json_loadb(json.p, json.len, JSON_REJECT_DUPLICATES, NULL);
	rc = find_clusters(root, &clusters, err);
	if (rc < 0) {
		json_decref(root);
		return rc;
	}
	c = cyg_xcalloc(1, sizeof(*c));
	cyg_arena_init(&c->arena);
	json_object_foreach (clusters, id, obj) {
		rc = read_cluster(c, id, obj, err);
		if (rc < 0)
			break;
	}
	json_decref(root);
	if (rc < 0) {
		spark_catalogue_free(c);
		return rc;
	}
	*ret = c;
	return 0;
}

void spark_catalogue_free(struct spark_catalogue *c)
{
	if (c == NULL)
		return;
	cyg_arena_free(&c->arena);
	free(c);
}

const struct spark_cluster *spark_catalogue_find(const struct spark_catalogue *c, const char *id)
{
	for (size_t i = 0; i < c->n; i++) {
		if (strcmp(c->clusters[i].id, id) == 0)
			return &c->clusters[i];
	}
	return NULL;
}

const struct spark_cluster *spark_catalogue_at(const struct spark_catalogue *c, size_t i)
{
	return i < c->n ? &c->clusters[i] : NULL;
}

bool spark_cluster_takes(const struct spark_cluster *cl, const char *version)
{
	for (size_t i = 0; i < cl->n_versions; i++) {
		size_t len = strlen(cl->versions[i]);

		if (strncmp(version, cl->versions[i], len) == 0 &&
		    (version[len] == '\0' || version[len] == '.'))
			return true;
	}
	return cl->n_versions == 0;
}

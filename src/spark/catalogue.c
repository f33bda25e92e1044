/* Reading the catalogue of Spark clusters. */
#include "spark/catalogue.h"

#include "base/mem.h"

#include <jansson.h>
#include <stdint.h>
#include <string.h>

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
		if (ways[i].op == SPARK_OP_FORBID ? !json_is_array(list) : !json_is_object(list))
			return cyg_fail(err, CYG_EINVAL, "cluster '%s': '%s' must be a %s", cl->id,
			    ways[i].key, ways[i].op == SPARK_OP_FORBID ? "list of names" : "map");
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

static int read_cluster(
    struct spark_catalogue *c, const char *id, const json_t *obj, struct cyg_err *err)
{
	static const char *const keys[] = { "label", "description", "kind", "spark", "facts",
		"site", NULL };
	static const char *const none[] = { NULL };
	struct spark_cluster *cl = &c->clusters[c->n];
	const char *label = json_string_value(json_object_get(obj, "label"));
	const char *kind = json_string_value(json_object_get(obj, "kind"));
	const json_t *site = json_object_get(obj, "site");
	char what[96];
	int rc;

	(void)cyg_str_copy(what, sizeof(what), cyg_str_sub(cyg_str_of(id), 0, strnlen(id, 60)));
	rc = check_keys(obj, what, keys, err);
	if (rc == 0 && site != NULL)
		rc = check_keys(site, what, none, err);
	if (rc < 0)
		return rc;
	cl->id = cyg_arena_dup(&c->arena, cyg_str_of(id));
	cl->label = cyg_arena_dup(&c->arena, cyg_str_of(label != NULL ? label : id));
	if (kind == NULL || (strcmp(kind, "local") != 0 && strcmp(kind, "disposable") != 0))
		return cyg_fail(
		    err, CYG_EINVAL, "cluster '%s': kind must be local or disposable", cl->id);
	cl->kind = strcmp(kind, "local") == 0 ? SPARK_KIND_LOCAL : SPARK_KIND_DISPOSABLE;
	cl->settings = cyg_arena_alloc(
	    &c->arena, (count_settings(obj) + count_settings(site) + 1) * sizeof(*cl->settings));
	rc = read_layer(c, cl, obj, SPARK_LAYER_CLUSTER, err);
	if (rc == 0 && site != NULL)
		rc = read_layer(c, cl, site, SPARK_LAYER_SITE, err);
	if (rc == 0)
		c->n++;
	return rc;
}

int spark_catalogue_parse(struct cyg_str json, struct spark_catalogue **ret, struct cyg_err *err)
{
	struct spark_catalogue *c;
	json_t *root;
	json_t *clusters;
	const char *id;
	json_t *obj;
	int rc = 0;

	if (json.len > SPARK_CATALOGUE_MAX)
		return cyg_fail(
		    err, CYG_ELIMIT, "the catalogue is over %d bytes", SPARK_CATALOGUE_MAX);
	root = json_loadb(json.p, json.len, JSON_REJECT_DUPLICATES, NULL);
	clusters = json_object_get(root, "clusters");
	if (!json_is_object(clusters) || json_object_size(clusters) > SPARK_CLUSTERS_MAX) {
		json_decref(root);
		return cyg_fail(err, CYG_EINVAL,
		    "the catalogue must hold 'clusters', at most %d of them", SPARK_CLUSTERS_MAX);
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

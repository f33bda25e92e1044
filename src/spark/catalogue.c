/* The catalogue of Spark clusters as a table of fields, and the layers that a cluster brings. */
#include "spark/catalogue.h"

#include "base/mem.h"
#include "cygnet/limits.h"

#include <string.h>

enum { ID_MAX = 64 };

/* The four ways to set properties: keys of a cluster (layer cluster) and of its "site" (layer
 * site). */
struct layer {
	struct yaml_pair *set;
	size_t n_set;
	struct yaml_pair *append;
	size_t n_append;
	struct yaml_pair *lock;
	size_t n_lock;
	const char **forbid;
	size_t n_forbid;
};

struct entry {
	struct spark_cluster cluster;
	struct layer own, site;
};

struct spark_catalogue {
	struct cyg_arena arena;
	struct entry *entries;
	size_t n;
};

static void add(struct spark_cluster *cl, struct spark_setting s)
{
	cl->settings[cl->n_settings++] = s;
}

static void add_pairs(struct spark_cluster *cl, enum spark_layer layer, enum spark_op op,
    const struct yaml_pair *pairs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		/* Several -D options make one list of words. */
		const char *separator =
		    cyg_str_ends(cyg_str_of(pairs[i].name), "JavaOptions") ? " " : NULL;

		add(cl,
		    (struct spark_setting){ layer, op, pairs[i].name, pairs[i].value, separator });
	}
}

static void add_layer(struct spark_cluster *cl, enum spark_layer layer, const struct layer *l)
{
	add_pairs(cl, layer, SPARK_OP_SET, l->set, l->n_set);
	add_pairs(cl, layer, SPARK_OP_APPEND, l->append, l->n_append);
	add_pairs(cl, layer, SPARK_OP_LOCK, l->lock, l->n_lock);
	for (size_t i = 0; i < l->n_forbid; i++)
		add(cl, (struct spark_setting){ layer, SPARK_OP_FORBID, l->forbid[i], NULL, NULL });
}

static size_t count(const struct layer *l)
{
	return l->n_set + l->n_append + l->n_lock + l->n_forbid;
}

/* Each property must be one that Spark can be given. */
static int check_cluster(const struct yaml_place *at, void *record, struct cyg_err *err)
{
	struct entry *e = record;
	struct spark_cluster *cl = &e->cluster;
	const size_t n = count(&e->own) + count(&e->site);
	struct spark_rendered *r = NULL;
	struct cyg_err why;

	if (cl->label == NULL)
		cl->label = cl->id;
	if (n > SPARK_SETTINGS_MAX / 2)
		return yaml_fail(at->doc, at->map, err, "cluster '%s' sets too much", cl->id);
	cl->settings = cyg_arena_alloc(at->arena, (n + 1) * sizeof(*cl->settings));
	add_layer(cl, SPARK_LAYER_CLUSTER, &e->own);
	add_layer(cl, SPARK_LAYER_SITE, &e->site);
	if (spark_render(cl->settings, cl->n_settings, &r, &why) < 0)
		return yaml_fail(at->doc, at->map, err, "cluster '%s': %s", cl->id, why.msg);
	spark_rendered_free(r);
	return 0;
}

static const struct yaml_field property = { .name = "property", .type = FIELD_STRING };
static const struct yaml_field version = { .name = "version", .type = FIELD_STRING };

#define WAY(base, items, n) .offset = (base) + FIELD_ARRAY(struct layer, items, n)
#define LAYER(base)                                                                                \
	{ .name = "properties",                                                                    \
		.type = FIELD_PAIRS,                                                               \
		WAY(base, set, n_set),                                                             \
		.doc = "Properties that are set; a later layer may set them again." },             \
	    { .name = "append",                                                                    \
		    .type = FIELD_PAIRS,                                                           \
		    WAY(base, append, n_append),                                                   \
		    .doc = "Appended to what earlier layers say." },                               \
	    { .name = "lock",                                                                      \
		    .type = FIELD_PAIRS,                                                           \
		    WAY(base, lock, n_lock),                                                       \
		    .doc = "Set, and no later layer may change them." },                           \
	{                                                                                          \
		.name = "forbid", .type = FIELD_LIST, WAY(base, forbid, n_forbid),                 \
		.of = &property, .doc = "Properties that no later layer may set."                  \
	}

static const struct yaml_field site_fields[] = { LAYER(0), { .name = NULL } };
static const struct yaml_record site_record = {
	.what = "site", .size = sizeof(struct layer), .fields = site_fields
};

static const struct yaml_field fact_fields[] = {
	{ .name = "label",
	    .type = FIELD_LINE,
	    .offset = offsetof(struct yaml_pair, name),
	    .required = true,
	    .doc = "What it is." },
	{ .name = "value",
	    .type = FIELD_LINE,
	    .offset = offsetof(struct yaml_pair, value),
	    .required = true,
	    .doc = "Its value." },
	{ .name = NULL },
};
static const struct yaml_record fact_record = {
	.what = "fact", .size = sizeof(struct yaml_pair), .fields = fact_fields
};

#define OF(member) .offset = offsetof(struct entry, member)
static const struct yaml_field cluster_key = {
	.name = "ID", .type = FIELD_STRING, OF(cluster.id), .min = 1, .max = ID_MAX
};
static const struct yaml_field cluster_fields[] = {
	{ .name = "label",
	    .type = FIELD_STRING,
	    OF(cluster.label),
	    .doc = "Shown to users; without it the id." },
	{ .name = "description",
	    .type = FIELD_STRING,
	    OF(cluster.description),
	    .doc = "Shown to users." },
	{ .name = "kind",
	    .type = FIELD_CHOICE,
	    OF(cluster.kind),
	    .choices = spark_kind_names,
	    .required = true,
	    .doc =
		"`local`: inside the driver. `disposable`: a standalone cluster for one server alone, within its own limits." },
	{ .name = "spark",
	    .type = FIELD_LIST,
	    .offset = FIELD_ARRAY(struct entry, cluster.versions, cluster.n_versions),
	    .of = &version,
	    .max = SPARK_VERSIONS_MAX,
	    .doc = "Versions of Spark that it works with, such as \"4\" or \"3.5\"; none: all." },
	{ .name = "bundles",
	    .type = FIELD_STRING,
	    OF(cluster.bundles),
	    .min = 1,
	    .max = CYG_PATH_MAX,
	    .doc = "Path of a file of option bundles, as SWAN's connector has them." },
	{ .name = "options",
	    .type = FIELD_STRING,
	    OF(cluster.options),
	    .min = 1,
	    .max = CYG_PATH_MAX,
	    .doc =
		"Path of a list of option names for completion, as SWAN's connector has them; where the stack has its own list, that one counts." },
	{ .name = "facts",
	    .type = FIELD_RECORDS,
	    .offset = FIELD_ARRAY(struct entry, cluster.facts, cluster.n_facts),
	    .record = &fact_record,
	    .max = SPARK_FACTS_MAX,
	    .doc = "Shown to users." },
	LAYER(offsetof(struct entry, own)),
	{ .name = "site",
	    .type = FIELD_RECORD,
	    OF(site),
	    .record = &site_record,
	    .doc = "What the site adds: the layer above the cluster's own." },
	{ .name = NULL },
};
static const struct yaml_record cluster_record = { .what = "cluster",
	.size = sizeof(struct entry),
	.fields = cluster_fields,
	.key = &cluster_key,
	.check = check_cluster };
static const struct yaml_field file_fields[] = {
	{ .name = "clusters",
	    .type = FIELD_NAMED,
	    .offset = FIELD_ARRAY(struct spark_catalogue, entries, n),
	    .record = &cluster_record,
	    .max = SPARK_CLUSTERS_MAX,
	    .required = true,
	    .doc = "Clusters by id, as profiles name them." },
	{ .name = NULL },
};
const struct yaml_record spark_catalogue_record = {
	.what = "catalogue", .size = sizeof(struct spark_catalogue), .fields = file_fields
};

int spark_catalogue_parse(
    const char *file, struct cyg_str text, struct spark_catalogue **ret, struct cyg_err *err)
{
	struct spark_catalogue *c;
	struct yaml_doc *doc = NULL;
	int rc = yaml_parse(file, text, &doc, err);

	if (rc < 0)
		return rc;
	c = cyg_xcalloc(1, sizeof(*c));
	cyg_arena_init(&c->arena);
	rc = yaml_fields_read(doc, &spark_catalogue_record, &c->arena, c, err);
	yaml_doc_free(doc);
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
		if (strcmp(c->entries[i].cluster.id, id) == 0)
			return &c->entries[i].cluster;
	}
	return NULL;
}

const struct spark_cluster *spark_catalogue_at(const struct spark_catalogue *c, size_t i)
{
	return i < c->n ? &c->entries[i].cluster : NULL;
}

bool spark_cluster_takes(const struct spark_cluster *cl, const char *wanted)
{
	for (size_t i = 0; i < cl->n_versions; i++) {
		size_t len = strlen(cl->versions[i]);

		if (strncmp(wanted, cl->versions[i], len) == 0 &&
		    (wanted[len] == '\0' || wanted[len] == '.'))
			return true;
	}
	return cl->n_versions == 0;
}

/* profiles.yaml as a table of fields: stacks and clusters first, then the profiles that name them.
 */
#include "base/mem.h"
#include "base/num.h"
#include "hub/offer/profiles.h"

#include <stdio.h>
#include <string.h>

static int parse_id(struct cyg_str text, struct cyg_arena *arena, void *member)
{
	const char *id = cyg_arena_dup(arena, text);

	*(const char **)member = id;
	return text.len > 0 && text.len < CYG_NAME_MAX && id[0] != '.' && id[0] != '-' &&
		       strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789._-") == text.len
		   ? 0
		   : -CYG_EINVAL;
}

static int parse_cores(struct cyg_str text, struct cyg_arena *arena, void *member)
{
	uint64_t value = 0;
	int rc = cyg_num_parse_u64(text, 1, PROFILE_CORES_MAX, &value, NULL);

	(void)arena;
	*(uint32_t *)member = (uint32_t)value;
	return rc;
}

static int parse_memory(struct cyg_str text, struct cyg_arena *arena, void *member)
{
	uint64_t value = 0;

	(void)arena;
	if (cyg_num_parse_size(text, 1ULL << 46, &value, NULL) < 0 || value < 1U << 20 ||
	    value % (1U << 20) != 0)
		return -CYG_EINVAL;
	*(uint32_t *)member = (uint32_t)(value >> 20);
	return 0;
}

#define ID                                                                                         \
	.name = "id", .type = FIELD_OWN, .size = sizeof(const char *), .parse = parse_id,          \
	.required = true, .unique = true,                                                          \
	.takes = "1 to 63 of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit"
#define CORES                                                                                      \
	.type = FIELD_OWN, .size = sizeof(uint32_t), .parse = parse_cores,                         \
	.takes = "a number from 1 to 4096"
#define MEMORY                                                                                     \
	.type = FIELD_OWN, .size = sizeof(uint32_t), .parse = parse_memory,                        \
	.takes = "a size such as 512M or 4G, in whole MiB"
#define GROUPS_DOC "Only for users in one of these groups; without the key for everybody."

static const struct yaml_field name = { .name = "name", .type = FIELD_STRING };
static const struct yaml_field cores = { .name = "cores", CORES };
static const struct yaml_field memory = { .name = "memory", MEMORY };

#define OF(member) .offset = offsetof(struct profile_stack, member)
#define LIST(member)                                                                               \
	.type = FIELD_LIST, .of = &name, .max = PROFILE_LIST_MAX,                                  \
	.offset = FIELD_ARRAY(struct profile_stack, member.items, member.n)
static const struct yaml_field stack_fields[] = {
	{ ID, OF(id), .doc = "As in the spawner's stacks.yaml." },
	{ .name = "label",
	    .type = FIELD_LINE,
	    OF(label),
	    .same_as = "id",
	    .doc = "Shown to users." },
	{ .name = "description", .type = FIELD_LINE, OF(description), .doc = "One sentence more." },
	{ .name = "kernels", LIST(kernels), .doc = "Names of its kernels, as shown." },
	{ .name = "groups", LIST(groups), .doc = GROUPS_DOC },
	{ .name = "spark",
	    .type = FIELD_LINE,
	    OF(spark),
	    .doc =
		"Version of Spark in it, such as \"4.2.0\"; without one no cluster can be chosen with this stack." },
	{ .name = "platform", .type = FIELD_LINE, OF(platform), .doc = "What it was built for." },
	{ .name = "recommended",
	    .type = FIELD_BOOL,
	    OF(recommended),
	    .value = "false",
	    .doc = "Whether it is the form's first choice." },
	{ .name = NULL },
};
#undef OF
#undef LIST

#define OF(member) .offset = offsetof(struct profile_cluster, member)
#define LIST(member)                                                                               \
	.type = FIELD_LIST, .of = &name, .max = PROFILE_LIST_MAX,                                  \
	.offset = FIELD_ARRAY(struct profile_cluster, member.items, member.n)
static const struct yaml_field cluster_fields[] = {
	{ ID, OF(id), .doc = "As in the catalogue of clusters." },
	{ .name = "label",
	    .type = FIELD_LINE,
	    OF(label),
	    .same_as = "id",
	    .doc = "Shown to users." },
	{ .name = "description", .type = FIELD_LINE, OF(description), .doc = "One sentence more." },
	{ .name = "facts",
	    .type = FIELD_PAIRS,
	    .offset = FIELD_ARRAY(struct profile_cluster, facts, n_facts),
	    .max = PROFILE_LIST_MAX,
	    .doc = "Labels and values, shown as a table on the card." },
	{ .name = "groups", LIST(groups), .doc = GROUPS_DOC },
	{ .name = NULL },
};
#undef OF
#undef LIST

#define OF(member) .offset = offsetof(struct profile, member)
#define LIST(member)                                                                               \
	.type = FIELD_LIST, .of = &name, .max = PROFILE_LIST_MAX,                                  \
	.offset = FIELD_ARRAY(struct profile, member.items, member.n)
#define AMOUNTS(member)                                                                            \
	.type = FIELD_LIST, .min = 1, .max = PROFILE_AMOUNTS_MAX, .required = true,                \
	.offset = FIELD_ARRAY(struct profile, member.values, member.n)
static const struct yaml_field profile_fields[] = {
	{ ID, OF(id), .doc = "In the API and in what users chose last." },
	{ .name = "label",
	    .type = FIELD_LINE,
	    OF(label),
	    .same_as = "id",
	    .doc = "Shown to users." },
	{ .name = "description", .type = FIELD_LINE, OF(description), .doc = "One sentence more." },
	{ .name = "template",
	    .type = FIELD_STRING,
	    OF(template_),
	    .max = CYG_NAME_MAX - 1,
	    .required = true,
	    .doc = "What the spawner runs: a name in its templates.yaml." },
	{ .name = "stacks",
	    LIST(stacks),
	    .doc = "Ids of the stacks to choose from, at least one." },
	{ .name = "clusters", LIST(clusters), .doc = "Ids of the clusters to choose from." },
	{ .name = "cluster-default",
	    .type = FIELD_LINE,
	    OF(usual_cluster),
	    .doc = "The cluster that the form chooses at first; without the key none." },
	{ .name = "groups", LIST(groups), .doc = GROUPS_DOC },
	{ .name = "cores",
	    AMOUNTS(cores),
	    .of = &cores,
	    .doc = "Numbers of cores to choose from." },
	{ .name = "cores-default",
	    CORES,
	    OF(cores.usual),
	    .doc = "Which one the form chooses at first; without the key the first." },
	{ .name = "memory", AMOUNTS(memory_mb), .of = &memory, .doc = "Amounts to choose from." },
	{ .name = "memory-default",
	    MEMORY,
	    OF(memory_mb.usual),
	    .doc = "Which one the form chooses at first; without the key the first." },
	{ .name = "default",
	    .type = FIELD_BOOL,
	    OF(is_default),
	    .value = "false",
	    .doc =
		"Whether it is the profile of a first visit; without any the first of the file is." },
	{ .name = "user-script",
	    .type = FIELD_BOOL,
	    OF(user_script),
	    .value = "false",
	    .doc = "Whether a script of one's own may be run after the stack's." },
	{ .name = "home-packages",
	    .type = FIELD_BOOL,
	    OF(home_packages),
	    .value = "false",
	    .doc = "Whether packages of the home may be used." },
	{ .name = "notebook",
	    .type = FIELD_BOOL,
	    OF(notebook),
	    .value = "false",
	    .doc = "Whether the template serves Notebook 7, too." },
	{ .name = "start-timeout-s",
	    .type = FIELD_UINT,
	    OF(start_timeout_s),
	    .min = 1,
	    .max = 3600,
	    .value = "60",
	    .doc = "Seconds in which the server must have responded, or the start fails." },
	{ .name = NULL },
};
#undef OF
#undef LIST

static int check_amounts(const struct yaml_place *at, const char *key,
    struct profile_amounts *amounts, struct cyg_err *err)
{
	char usual[32];

	(void)snprintf(usual, sizeof(usual), "%s-default", key);
	if (amounts->usual == 0)
		amounts->usual = amounts->values[0];
	if (!profile_amounts_have(amounts, amounts->usual))
		return yaml_fail(
		    at->doc, yaml_fields_at(at, usual), err, "'%s' must be one of %s", usual, key);
	return 0;
}

static int check_profile(const struct yaml_place *at, void *record, struct cyg_err *err)
{
	struct profile *f = record;

	if (f->stacks.n == 0)
		return yaml_fail(at->doc, yaml_fields_at(at, "stacks"), err,
		    "profile \"%s\" offers no stack", f->id);
	if (f->usual_cluster != NULL && !profile_list_has(&f->clusters, f->usual_cluster))
		return yaml_fail(at->doc, yaml_fields_at(at, "cluster-default"), err,
		    "'cluster-default' must be one of clusters");
	f->start_timeout_ms = f->start_timeout_s * 1000;
	return check_amounts(at, "cores", &f->cores, err) < 0 ||
		       check_amounts(at, "memory", &f->memory_mb, err) < 0
		   ? -CYG_EINVAL
		   : 0;
}

/* Checks that the file has the stacks and clusters that profiles name. */
static int check_file(const struct yaml_place *at, void *record, struct cyg_err *err)
{
	const struct profiles *p = record;
	const struct yaml_node *map = yaml_find(at->map, "profiles")->first;

	for (size_t k = 0; k < p->n_profiles; k++, map = map->next) {
		const struct profile *f = &p->profiles[k];

		for (size_t i = 0; i < f->stacks.n; i++)
			if (profiles_find_stack(p, f->stacks.items[i]) == NULL)
				return yaml_fail(at->doc, yaml_find(map, "stacks"), err,
				    "there is no stack \"%s\" in this file", f->stacks.items[i]);
		for (size_t i = 0; i < f->clusters.n; i++)
			if (profiles_find_cluster(p, f->clusters.items[i]) == NULL)
				return yaml_fail(at->doc, yaml_find(map, "clusters"), err,
				    "there is no cluster \"%s\" in this file",
				    f->clusters.items[i]);
	}
	return 0;
}

static const struct yaml_record stack_record = {
	.what = "stack", .size = sizeof(struct profile_stack), .fields = stack_fields
};
static const struct yaml_record cluster_record = {
	.what = "cluster", .size = sizeof(struct profile_cluster), .fields = cluster_fields
};
static const struct yaml_record profile_record = { .what = "profile",
	.size = sizeof(struct profile),
	.fields = profile_fields,
	.check = check_profile };
#define LIST(items, n)                                                                             \
	.type = FIELD_RECORDS, .max = PROFILES_MAX, .offset = FIELD_ARRAY(struct profiles, items, n)
static const struct yaml_field file_fields[] = {
	{ .name = "stacks",
	    LIST(stacks, n_stacks),
	    .record = &stack_record,
	    .doc = "Environments, as the form shows them." },
	{ .name = "clusters",
	    LIST(clusters, n_clusters),
	    .record = &cluster_record,
	    .doc = "Spark clusters, as the form shows them." },
	{ .name = "profiles",
	    LIST(profiles, n_profiles),
	    .record = &profile_record,
	    .min = 1,
	    .required = true,
	    .doc = "The combinations on offer." },
	{ .name = NULL },
};
const struct yaml_record profiles_record = { .what = "file of profiles",
	.size = sizeof(struct profiles),
	.fields = file_fields,
	.check = check_file };

static int take(struct yaml_doc *doc, struct profiles **ret, struct cyg_err *err)
{
	struct profiles *p = cyg_xcalloc(1, sizeof(*p));

	cyg_arena_init(&p->arena);
	int code = yaml_fields_read(doc, &profiles_record, &p->arena, p, err);
	yaml_doc_free(doc);
	if (code < 0) {
		profiles_free(p);
		return code;
	}
	*ret = p;
	return 0;
}

int profiles_load(const char *path, struct profiles **ret, struct cyg_err *err)
{
	struct yaml_doc *doc = NULL;
	int code = yaml_load(path, &doc, err);

	return code < 0 ? code : take(doc, ret, err);
}

int profiles_parse(
    const char *file, struct cyg_str text, struct profiles **ret, struct cyg_err *err)
{
	struct yaml_doc *doc = NULL;
	int code = yaml_parse(file, text, &doc, err);

	return code < 0 ? code : take(doc, ret, err);
}

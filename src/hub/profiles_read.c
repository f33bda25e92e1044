/* profiles.yaml → struct profiles: stacks and clusters first, then the profiles that name them.
 * Every text is copied into the profiles' own arena; every error names file and line. */
#include "base/mem.h"
#include "base/num.h"
#include "daemon/yaml.h"
#include "hub/profiles.h"

#include <string.h>

enum { START_TIMEOUT_S = 60, START_TIMEOUT_S_MAX = 3600 };

struct reader {
	struct profiles *p;
	const struct yaml_doc *doc;
};

static size_t count(const struct yaml_node *parent)
{
	size_t n = 0;

	for (const struct yaml_node *c = parent != NULL ? parent->first : NULL; c != NULL;
	     c = c->next)
		n++;
	return n;
}

static const char *keep(struct reader *r, struct cyg_str text)
{
	return cyg_arena_dup(&r->p->arena, text);
}

/* An optional text; other stands for one that is not there. */
static int read_text(struct reader *r, const struct yaml_node *map, const char *key,
    const char *other, const char **ret)
{
	const struct yaml_node *node = yaml_find(map, key);

	*ret = other;
	if (node != NULL && node->kind == YAML_SCALAR && cyg_str_is_text(node->text))
		*ret = keep(r, node->text);
	return node == NULL || node->kind == YAML_SCALAR ? 0 : -1;
}

static int read_id(
    struct reader *r, const struct yaml_node *map, const char **ret, struct cyg_err *err)
{
	const char *id = NULL;

	if (map->kind != YAML_MAP)
		return yaml_fail(r->doc, map, err, "a map with an id is expected here");
	if (yaml_get_str(r->doc, map, "id", &id, err) < 0)
		return -CYG_EINVAL;
	size_t len = strlen(id);
	if (len == 0 || len >= CYG_NAME_MAX ||
	    strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789._-") != len || id[0] == '.' ||
	    id[0] == '-')
		return yaml_fail(r->doc, yaml_find(map, "id"), err,
		    "an id is 1 to 63 of a-z, 0-9, '.', '_' and '-', and begins with a letter or digit");
	*ret = keep(r, cyg_str_of(id));
	return 0;
}

static int read_labels(struct reader *r, const struct yaml_node *map, const char *id,
    const char **label, const char **description, struct cyg_err *err)
{
	if (read_text(r, map, "label", id, label) < 0)
		return yaml_fail(r->doc, yaml_find(map, "label"), err, "label is one line of text");
	if (read_text(r, map, "description", NULL, description) < 0)
		return yaml_fail(
		    r->doc, yaml_find(map, "description"), err, "description is one line of text");
	return 0;
}

static int read_list(struct reader *r, const struct yaml_node *map, const char *key,
    struct profile_list *ret, struct cyg_err *err)
{
	const struct yaml_node *node = yaml_find(map, key);
	size_t n = count(node);

	*ret = (struct profile_list){ NULL, 0 };
	if (node == NULL)
		return 0;
	if (node->kind != YAML_SEQ || n > PROFILE_LIST_MAX)
		return yaml_fail(
		    r->doc, node, err, "%s is a list of at most %d", key, PROFILE_LIST_MAX);
	ret->items = cyg_arena_alloc(&r->p->arena, (n + 1) * sizeof(*ret->items));
	for (const struct yaml_node *c = node->first; c != NULL; c = c->next) {
		if (c->kind != YAML_SCALAR)
			return yaml_fail(r->doc, c, err, "%s is a list of names", key);
		ret->items[ret->n++] = keep(r, c->text);
	}
	return 0;
}

static int read_bool(
    struct reader *r, const struct yaml_node *map, const char *key, bool *ret, struct cyg_err *err)
{
	*ret = false;
	return yaml_find(map, key) == NULL ? 0 : yaml_get_bool(r->doc, map, key, ret, err);
}

static int read_amount(
    struct reader *r, const struct yaml_node *node, bool size, uint32_t *ret, struct cyg_err *err)
{
	uint64_t value = 0;
	struct cyg_err why;

	if (node->kind != YAML_SCALAR)
		return yaml_fail(r->doc, node, err, "a number is expected here");
	if (!size) {
		if (cyg_num_parse_u64(node->text, 1, 4096, &value, &why) < 0)
			return yaml_fail(r->doc, node, err, "cores are 1 to 4096");
		*ret = (uint32_t)value;
		return 0;
	}
	if (cyg_num_parse_size(node->text, 1ULL << 46, &value, &why) < 0 || value < 1U << 20 ||
	    value % (1U << 20) != 0)
		return yaml_fail(
		    r->doc, node, err, "memory is a size such as 512M or 4G, in whole MiB");
	*ret = (uint32_t)(value >> 20);
	return 0;
}

/* "cores: [1, 2]" and "cores-default: 2"; without a default the first. */
static int read_amounts(struct reader *r, const struct yaml_node *map, const char *key,
    struct profile_amounts *ret, struct cyg_err *err)
{
	const struct yaml_node *node = yaml_find(map, key);
	const char *usual_key = cyg_arena_printf(&r->p->arena, "%s-default", key);
	const struct yaml_node *usual = yaml_find(map, usual_key);
	bool size = strcmp(key, "memory") == 0;
	size_t n = count(node);

	if (node == NULL || node->kind != YAML_SEQ || n == 0 || n > PROFILE_AMOUNTS_MAX)
		return yaml_fail(r->doc, node != NULL ? node : map, err,
		    "%s is a list of 1 to %d amounts to choose from", key, PROFILE_AMOUNTS_MAX);
	for (const struct yaml_node *c = node->first; c != NULL; c = c->next) {
		if (read_amount(r, c, size, &ret->values[ret->n], err) < 0)
			return -CYG_EINVAL;
		ret->n++;
	}
	ret->usual = ret->values[0];
	if (usual == NULL)
		return 0;
	if (read_amount(r, usual, size, &ret->usual, err) < 0)
		return -CYG_EINVAL;
	if (!profile_amounts_have(ret, ret->usual))
		return yaml_fail(r->doc, usual, err, "%s must be one of %s", usual_key, key);
	return 0;
}

static int read_stack(struct reader *r, const struct yaml_node *map, struct cyg_err *err)
{
	static const char *const keys[] = { "id", "label", "description", "kernels", "groups",
		"spark", "platform", "recommended", NULL };
	struct profile_stack *s = &r->p->stacks[r->p->n_stacks];

	if (read_id(r, map, &s->id, err) < 0 || yaml_check_keys(r->doc, map, keys, err) < 0 ||
	    read_labels(r, map, s->id, &s->label, &s->description, err) < 0 ||
	    read_list(r, map, "kernels", &s->kernels, err) < 0 ||
	    read_list(r, map, "groups", &s->groups, err) < 0 ||
	    read_bool(r, map, "recommended", &s->recommended, err) < 0)
		return -CYG_EINVAL;
	if (read_text(r, map, "spark", NULL, &s->spark) < 0)
		return yaml_fail(
		    r->doc, yaml_find(map, "spark"), err, "spark is a version: \"4.2.0\"");
	if (read_text(r, map, "platform", NULL, &s->platform) < 0)
		return yaml_fail(
		    r->doc, yaml_find(map, "platform"), err, "platform is one line of text");
	if (profiles_find_stack(r->p, s->id) != NULL)
		return yaml_fail(r->doc, map, err, "there is a stack \"%s\" already", s->id);
	r->p->n_stacks++;
	return 0;
}

static int read_facts(
    struct reader *r, const struct yaml_node *map, struct profile_cluster *c, struct cyg_err *err)
{
	const struct yaml_node *facts = yaml_find(map, "facts");
	size_t n = count(facts);

	if (facts == NULL)
		return 0;
	if (facts->kind != YAML_MAP || n > PROFILE_LIST_MAX)
		return yaml_fail(r->doc, facts, err,
		    "facts is a map of at most %d labels and values", PROFILE_LIST_MAX);
	c->fact_labels.items = cyg_arena_alloc(&r->p->arena, (n + 1) * sizeof(char *));
	c->fact_values.items = cyg_arena_alloc(&r->p->arena, (n + 1) * sizeof(char *));
	for (const struct yaml_node *f = facts->first; f != NULL; f = f->next) {
		if (f->kind != YAML_SCALAR)
			return yaml_fail(r->doc, f, err, "a fact is a label and one line of text");
		c->fact_labels.items[c->fact_labels.n++] = keep(r, f->key);
		c->fact_values.items[c->fact_values.n++] = keep(r, f->text);
	}
	return 0;
}

static int read_cluster(struct reader *r, const struct yaml_node *map, struct cyg_err *err)
{
	static const char *const keys[] = { "id", "label", "description", "facts", "groups", NULL };
	struct profile_cluster *c = &r->p->clusters[r->p->n_clusters];

	if (read_id(r, map, &c->id, err) < 0 || yaml_check_keys(r->doc, map, keys, err) < 0 ||
	    read_labels(r, map, c->id, &c->label, &c->description, err) < 0 ||
	    read_list(r, map, "groups", &c->groups, err) < 0 || read_facts(r, map, c, err) < 0)
		return -CYG_EINVAL;
	if (profiles_find_cluster(r->p, c->id) != NULL)
		return yaml_fail(r->doc, map, err, "there is a cluster \"%s\" already", c->id);
	r->p->n_clusters++;
	return 0;
}

static int check_names(
    struct reader *r, const struct yaml_node *map, const struct profile *f, struct cyg_err *err)
{
	if (f->stacks.n == 0)
		return yaml_fail(r->doc, map, err, "profile \"%s\" offers no stack", f->id);
	for (size_t i = 0; i < f->stacks.n; i++) {
		if (profiles_find_stack(r->p, f->stacks.items[i]) == NULL)
			return yaml_fail(r->doc, yaml_find(map, "stacks"), err,
			    "there is no stack \"%s\" in this file", f->stacks.items[i]);
	}
	for (size_t i = 0; i < f->clusters.n; i++) {
		if (profiles_find_cluster(r->p, f->clusters.items[i]) == NULL)
			return yaml_fail(r->doc, yaml_find(map, "clusters"), err,
			    "there is no cluster \"%s\" in this file", f->clusters.items[i]);
	}
	return 0;
}

static int read_usual_cluster(
    struct reader *r, const struct yaml_node *map, struct profile *f, struct cyg_err *err)
{
	if (read_text(r, map, "cluster-default", NULL, &f->usual_cluster) < 0 ||
	    (f->usual_cluster != NULL && !profile_list_has(&f->clusters, f->usual_cluster)))
		return yaml_fail(r->doc, yaml_find(map, "cluster-default"), err,
		    "cluster-default must be one of clusters");
	return 0;
}

static int read_limits(
    struct reader *r, const struct yaml_node *map, struct profile *f, struct cyg_err *err)
{
	uint64_t timeout_s = START_TIMEOUT_S;

	if (read_amounts(r, map, "cores", &f->cores, err) < 0 ||
	    read_amounts(r, map, "memory", &f->memory_mb, err) < 0)
		return -CYG_EINVAL;
	if (yaml_find(map, "start-timeout-s") != NULL &&
	    yaml_get_u64(r->doc, map, "start-timeout-s", &timeout_s, err) < 0)
		return -CYG_EINVAL;
	if (timeout_s < 1 || timeout_s > START_TIMEOUT_S_MAX)
		return yaml_fail(r->doc, yaml_find(map, "start-timeout-s"), err,
		    "start-timeout-s is 1 to %d", START_TIMEOUT_S_MAX);
	f->start_timeout_ms = timeout_s * 1000;
	return 0;
}

static int read_profile(struct reader *r, const struct yaml_node *map, struct cyg_err *err)
{
	static const char *const keys[] = { "id", "label", "description", "template", "stacks",
		"clusters", "cluster-default", "groups", "cores", "cores-default", "memory",
		"memory-default", "default", "user-script", "home-packages", "notebook",
		"start-timeout-s", NULL };
	struct profile *f = &r->p->profiles[r->p->n_profiles];
	const char *template_ = NULL;

	if (read_id(r, map, &f->id, err) < 0 || yaml_check_keys(r->doc, map, keys, err) < 0 ||
	    read_labels(r, map, f->id, &f->label, &f->description, err) < 0 ||
	    yaml_get_str(r->doc, map, "template", &template_, err) < 0 ||
	    read_list(r, map, "stacks", &f->stacks, err) < 0 ||
	    read_list(r, map, "clusters", &f->clusters, err) < 0 ||
	    read_usual_cluster(r, map, f, err) < 0 ||
	    read_list(r, map, "groups", &f->groups, err) < 0 || read_limits(r, map, f, err) < 0 ||
	    read_bool(r, map, "default", &f->is_default, err) < 0 ||
	    read_bool(r, map, "user-script", &f->user_script, err) < 0 ||
	    read_bool(r, map, "home-packages", &f->home_packages, err) < 0 ||
	    read_bool(r, map, "notebook", &f->notebook, err) < 0 || check_names(r, map, f, err) < 0)
		return -CYG_EINVAL;
	if (strlen(template_) >= CYG_NAME_MAX)
		return yaml_fail(r->doc, yaml_find(map, "template"), err, "template is too long");
	f->template_ = keep(r, cyg_str_of(template_));
	if (profiles_find(r->p, f->id) != NULL)
		return yaml_fail(r->doc, map, err, "there is a profile \"%s\" already", f->id);
	r->p->n_profiles++;
	return 0;
}

typedef int (*read_fn)(struct reader *r, const struct yaml_node *map, struct cyg_err *err);

static int read_each(struct reader *r, const char *key, read_fn read_one, struct cyg_err *err)
{
	const struct yaml_node *node = yaml_find(yaml_root(r->doc), key);

	if (node == NULL)
		return 0;
	if (node->kind != YAML_SEQ || count(node) > PROFILES_MAX)
		return yaml_fail(
		    r->doc, node, err, "%s is a list of at most %d", key, PROFILES_MAX);
	for (const struct yaml_node *c = node->first; c != NULL; c = c->next) {
		if (read_one(r, c, err) < 0)
			return -CYG_EINVAL;
	}
	return 0;
}

static void *room(struct reader *r, const char *key, size_t size)
{
	return cyg_arena_alloc(&r->p->arena, (count(yaml_find(yaml_root(r->doc), key)) + 1) * size);
}

static int read_all(struct reader *r, struct cyg_err *err)
{
	static const char *const keys[] = { "profiles", "stacks", "clusters", NULL };
	const struct yaml_node *root = yaml_root(r->doc);

	if (root == NULL || root->kind != YAML_MAP)
		return cyg_fail(err, CYG_EINVAL,
		    "%s: a map with profiles, stacks and clusters is expected", yaml_name(r->doc));
	if (yaml_check_keys(r->doc, root, keys, err) < 0)
		return -CYG_EINVAL;
	r->p->stacks = room(r, "stacks", sizeof(*r->p->stacks));
	r->p->clusters = room(r, "clusters", sizeof(*r->p->clusters));
	r->p->profiles = room(r, "profiles", sizeof(*r->p->profiles));
	if (read_each(r, "stacks", read_stack, err) < 0 ||
	    read_each(r, "clusters", read_cluster, err) < 0 ||
	    read_each(r, "profiles", read_profile, err) < 0)
		return -CYG_EINVAL;
	if (r->p->n_profiles == 0)
		return yaml_fail(r->doc, root, err, "at least one profile is needed");
	return 0;
}

static int take(struct yaml_doc *doc, struct profiles **ret, struct cyg_err *err)
{
	struct profiles *p = cyg_xcalloc(1, sizeof(*p));
	struct reader r = { .p = p, .doc = doc };

	cyg_arena_init(&p->arena);
	int code = read_all(&r, err);
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
    const char *name, struct cyg_str text, struct profiles **ret, struct cyg_err *err)
{
	struct yaml_doc *doc = NULL;
	int code = yaml_parse(name, text, &doc, err);

	return code < 0 ? code : take(doc, ret, err);
}

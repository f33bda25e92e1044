/* Reading the two policy files into structs and freeing them. What a request may have of them is
 * decided in policy_check.c. */
#include "spawner/core/policy.h"

#include "base/mem.h"
#include "base/num.h"
#include "daemon/yaml.h"
#include "ipc/spawn_codec.h"
#include "spawner/core/policy_parts.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t count(const struct yaml_node *parent)
{
	size_t n = 0;

	for (const struct yaml_node *c = parent->first; c != NULL; c = c->next)
		n++;
	return n;
}

static int need_kind(const struct yaml_doc *doc, const struct yaml_node *at, enum yaml_kind kind,
    const char *what, struct cyg_err *err)
{
	if (at->kind != kind)
		return yaml_fail(doc, at, err, "%s must be a %s", what,
		    kind == YAML_MAP   ? "map (name: value)"
		    : kind == YAML_SEQ ? "list"
				       : "single value");
	return 0;
}

/* An optional text; *ret is a copy, or stays as it was. */
static int read_text(const struct yaml_doc *doc, const struct yaml_node *map, const char *key,
    char **ret, struct cyg_err *err)
{
	const char *text;

	if (yaml_find(map, key) == NULL)
		return 0;
	if (yaml_get_str(doc, map, key, &text, err) < 0)
		return -(int)err->code;
	free(*ret);
	*ret = cyg_xstrdup(text);
	return 0;
}

static int read_path(const struct yaml_doc *doc, const struct yaml_node *map, const char *key,
    char **ret, struct cyg_err *err)
{
	if (read_text(doc, map, key, ret, err) < 0)
		return -(int)err->code;
	if (*ret != NULL && ((*ret)[0] != '/' && strncmp(*ret, "{cache}", 7) != 0))
		return yaml_fail(doc, yaml_find(map, key), err,
		    "'%s' must be an absolute path (or start with {cache})", key);
	if (*ret != NULL &&
	    (strstr(*ret, "/../") != NULL || cyg_str_ends(cyg_str_of(*ret), "/..") ||
		strlen(*ret) >= CYG_PATH_MAX))
		return yaml_fail(doc, yaml_find(map, key), err,
		    "'%s' must not hold '..' and have at most %d bytes", key, CYG_PATH_MAX - 1);
	return 0;
}

static int read_size(const struct yaml_doc *doc, const struct yaml_node *map, const char *key,
    uint64_t *ret, struct cyg_err *err)
{
	const struct yaml_node *at = yaml_find(map, key);

	if (at == NULL)
		return 0;
	if (at->kind != YAML_SCALAR || cyg_num_parse_size(at->text, UINT64_MAX >> 1, ret, err) < 0)
		return yaml_fail(doc, at, err, "'%s' must be a size such as 512M or 4G", key);
	return 0;
}

/* "2", "0.5", "1.25": cores, in thousandths. */
static int read_cores(const struct yaml_doc *doc, const struct yaml_node *map, const char *key,
    uint32_t *ret, struct cyg_err *err)
{
	const struct yaml_node *at = yaml_find(map, key);

	if (at == NULL)
		return 0;
	if (at->kind != YAML_SCALAR || policy_cores_parse(at->text, ret) < 0)
		return yaml_fail(
		    doc, at, err, "'%s' must be a number of cores such as 2 or 0.5", key);
	return 0;
}

static int read_mount(const struct yaml_doc *doc, const struct yaml_node *at,
    struct policy_mount *m, struct cyg_err *err)
{
	static const char *const keys[] = { "source", "target", "writable", "optional", NULL };

	if (need_kind(doc, at, YAML_MAP, "a mount", err) < 0 ||
	    yaml_check_keys(doc, at, keys, err) < 0 ||
	    read_path(doc, at, "source", &m->source, err) < 0 ||
	    read_path(doc, at, "target", &m->target, err) < 0)
		return -(int)err->code;
	if (m->source == NULL)
		return yaml_fail(doc, at, err, "a mount needs 'source'");
	if (m->target == NULL)
		m->target = cyg_xstrdup(m->source);
	if (yaml_find(at, "writable") != NULL &&
	    yaml_get_bool(doc, at, "writable", &m->writable, err) < 0)
		return -(int)err->code;
	if (yaml_find(at, "optional") != NULL &&
	    yaml_get_bool(doc, at, "optional", &m->optional, err) < 0)
		return -(int)err->code;
	return 0;
}

static int read_mounts(const struct yaml_doc *doc, const struct yaml_node *map,
    struct policy_mounts *ret, struct cyg_err *err)
{
	const struct yaml_node *at = yaml_find(map, "mounts");

	if (at == NULL)
		return 0;
	if (need_kind(doc, at, YAML_SEQ, "'mounts'", err) < 0)
		return -(int)err->code;
	ret->list = cyg_xcalloc(count(at) + 1, sizeof(*ret->list));
	for (const struct yaml_node *c = at->first; c != NULL; c = c->next)
		if (read_mount(doc, c, &ret->list[ret->n++], err) < 0)
			return -(int)err->code;
	return 0;
}

static int read_list(const struct yaml_doc *doc, const struct yaml_node *map, const char *key,
    char ***ret, struct cyg_err *err)
{
	const struct yaml_node *at = yaml_find(map, key);
	size_t n = 0;

	if (at == NULL)
		return 0;
	if (at->kind != YAML_SEQ)
		return yaml_fail(doc, at, err, "'%s' must be a list", key);
	*ret = cyg_xcalloc(count(at) + 1, sizeof(**ret));
	for (const struct yaml_node *c = at->first; c != NULL; c = c->next) {
		if (need_kind(doc, c, YAML_SCALAR, "each entry of this list", err) < 0)
			return -(int)err->code;
		(*ret)[n++] = cyg_str_dup(c->text);
	}
	return 0;
}

static int read_env(const struct yaml_doc *doc, const struct yaml_node *map,
    struct policy_template *t, struct cyg_err *err)
{
	const struct yaml_node *at = yaml_find(map, "environment");

	if (at == NULL)
		return 0;
	if (need_kind(doc, at, YAML_MAP, "'environment'", err) < 0)
		return -(int)err->code;
	if (count(at) > POLICY_ENV_MAX)
		return yaml_fail(doc, at, err, "at most %d variables", POLICY_ENV_MAX);
	t->env = cyg_xcalloc(count(at) + 1, sizeof(*t->env));
	for (const struct yaml_node *c = at->first; c != NULL; c = c->next) {
		if (need_kind(doc, c, YAML_SCALAR, "a variable", err) < 0)
			return -(int)err->code;
		if (c->key.len == 0 || cyg_str_chr(c->key, '=') != c->key.len)
			return yaml_fail(doc, c, err, "a variable's name must not hold '='");
		t->env[t->n_env].name = cyg_str_dup(c->key);
		t->env[t->n_env++].value = cyg_str_dup(c->text);
	}
	return 0;
}

static int read_uid(const struct yaml_doc *doc, const struct yaml_node *map,
    struct policy_template *t, struct cyg_err *err)
{
	const struct yaml_node *at = yaml_find(map, "uid");

	if (at == NULL || cyg_str_eq(at->text, "range"))
		t->uid = POLICY_UID_RANGE;
	else if (at->kind == YAML_SCALAR && cyg_str_eq(at->text, "nss"))
		t->uid = POLICY_UID_NSS;
	else
		return yaml_fail(doc, at, err, "'uid' must be range or nss");
	return 0;
}

static int read_template_limits(const struct yaml_doc *doc, const struct yaml_node *at,
    struct policy_template *t, struct cyg_err *err)
{
	uint64_t seconds = 120;

	t->memory_default = 2ULL << 30;
	t->pids_max = 1024;
	t->tmp_bytes = 1ULL << 30;
	t->shm_bytes = 256ULL << 20;
	if (read_size(doc, at, "memory", &t->memory_default, err) < 0)
		return -(int)err->code;
	t->memory_max = t->memory_default;
	if (read_size(doc, at, "memory-max", &t->memory_max, err) < 0 ||
	    read_cores(doc, at, "cores", &t->cpu_default, err) < 0)
		return -(int)err->code;
	t->cpu_max = t->cpu_default;
	if (read_cores(doc, at, "cores-max", &t->cpu_max, err) < 0 ||
	    read_size(doc, at, "tmp", &t->tmp_bytes, err) < 0 ||
	    read_size(doc, at, "shm", &t->shm_bytes, err) < 0)
		return -(int)err->code;
	if (yaml_find(at, "processes") != NULL &&
	    yaml_get_u64(doc, at, "processes", &t->pids_max, err) < 0)
		return -(int)err->code;
	if (yaml_find(at, "setup-seconds") != NULL &&
	    yaml_get_u64(doc, at, "setup-seconds", &seconds, err) < 0)
		return -(int)err->code;
	if (seconds == 0 || seconds > 3600)
		return yaml_fail(doc, yaml_find(at, "setup-seconds"), err,
		    "'setup-seconds' must be from 1 to 3600");
	t->deadline_ms = seconds * 1000;
	if (t->memory_default > t->memory_max || t->cpu_default > t->cpu_max)
		return yaml_fail(doc, at, err,
		    "template '%s': the default of memory or cores is above its maximum", t->name);
	return 0;
}

static int read_template(const struct yaml_doc *doc, const struct yaml_node *at,
    struct policy_template *t, struct cyg_err *err)
{
	static const char *const keys[] = { "command", "uid", "home", "mounts", "environment",
		"stacks", "memory", "memory-max", "cores", "cores-max", "processes", "tmp", "shm",
		"setup-seconds", NULL };

	t->name = cyg_str_dup(at->key);
	t->home = cyg_xstrdup("/home/{user}");
	if (spawn_name_check(SPAWN_NAME_TEMPLATE, t->name, err) < 0)
		return yaml_fail(doc, at, err, "'%s' cannot be a template's name", t->name);
	if (need_kind(doc, at, YAML_MAP, "a template", err) < 0 ||
	    yaml_check_keys(doc, at, keys, err) < 0 ||
	    read_list(doc, at, "command", &t->command, err) < 0 || read_uid(doc, at, t, err) < 0 ||
	    read_path(doc, at, "home", &t->home, err) < 0 ||
	    read_mounts(doc, at, &t->mounts, err) < 0 || read_env(doc, at, t, err) < 0 ||
	    read_list(doc, at, "stacks", &t->stacks, err) < 0)
		return -(int)err->code;
	if (t->command == NULL || t->command[0] == NULL)
		return yaml_fail(
		    doc, at, err, "template '%s' needs 'command', a list of words", t->name);
	return read_template_limits(doc, at, t, err);
}

static int read_stack(const struct yaml_doc *doc, const struct yaml_node *at,
    struct policy_stack *s, struct cyg_err *err)
{
	/* label, description and kernels are for the hub and the start form */
	static const char *const keys[] = { "label", "description", "prefix", "setup", "mounts",
		"kernels", NULL };

	s->name = cyg_str_dup(at->key);
	if (spawn_name_check(SPAWN_NAME_STACK, s->name, err) < 0)
		return yaml_fail(doc, at, err, "'%s' cannot be a stack's name", s->name);
	if (need_kind(doc, at, YAML_MAP, "a stack", err) < 0 ||
	    yaml_check_keys(doc, at, keys, err) < 0 ||
	    read_path(doc, at, "prefix", &s->prefix, err) < 0 ||
	    read_path(doc, at, "setup", &s->setup, err) < 0 ||
	    read_mounts(doc, at, &s->mounts, err) < 0)
		return -(int)err->code;
	if (s->prefix == NULL)
		return yaml_fail(
		    doc, at, err, "stack '%s' needs 'prefix', the folder it lives in", s->name);
	return 0;
}

/* Opens one file and finds the one map it must hold. */
static int open_file(const char *path, const char *key, struct yaml_doc **doc,
    const struct yaml_node **ret, struct cyg_err *err)
{
	const char *keys[] = { key, NULL };
	struct stat st;

	if (stat(path, &st) < 0)
		return cyg_fail_sys(err, errno, "policy file '%s'", path);
	if ((st.st_uid != 0 && st.st_uid != geteuid()) || (st.st_mode & 022) != 0)
		return cyg_fail(err, CYG_EDENIED,
		    "policy file '%s' must belong to %s and be writable by nobody else", path,
		    geteuid() == 0 ? "root" : "you or root");
	if (yaml_load(path, doc, err) < 0)
		return -(int)err->code;
	if (need_kind(*doc, yaml_root(*doc), YAML_MAP, "the file", err) < 0 ||
	    yaml_check_keys(*doc, yaml_root(*doc), keys, err) < 0)
		return -(int)err->code;
	*ret = yaml_find(yaml_root(*doc), key);
	if (*ret == NULL || (*ret)->kind != YAML_MAP || (*ret)->first == NULL)
		return yaml_fail(
		    *doc, yaml_root(*doc), err, "'%s' must be a map with at least one entry", key);
	return 0;
}

static int load_templates(
    struct policy *p, const struct yaml_doc *doc, const struct yaml_node *map, struct cyg_err *err)
{
	p->templates = cyg_xcalloc(count(map), sizeof(*p->templates));
	for (const struct yaml_node *c = map->first; c != NULL; c = c->next)
		if (read_template(doc, c, &p->templates[p->n_templates++], err) < 0)
			return -(int)err->code;
	return 0;
}

static int load_stacks(
    struct policy *p, const struct yaml_doc *doc, const struct yaml_node *map, struct cyg_err *err)
{
	p->stacks = cyg_xcalloc(count(map), sizeof(*p->stacks));
	for (const struct yaml_node *c = map->first; c != NULL; c = c->next)
		if (read_stack(doc, c, &p->stacks[p->n_stacks++], err) < 0)
			return -(int)err->code;
	return 0;
}

int policy_load(
    const char *templates_path, const char *stacks_path, struct policy **ret, struct cyg_err *err)
{
	struct policy *p = cyg_xcalloc(1, sizeof(*p));
	struct yaml_doc *doc = NULL;
	const struct yaml_node *map = NULL;
	struct cyg_err local;
	int r;

	if (err == NULL)
		err = &local;
	r = open_file(templates_path, "templates", &doc, &map, err);
	if (r == 0 && map != NULL)
		r = load_templates(p, doc, map, err);
	yaml_doc_free(doc);
	doc = NULL;
	if (r == 0)
		r = open_file(stacks_path, "stacks", &doc, &map, err);
	if (r == 0 && map != NULL)
		r = load_stacks(p, doc, map, err);
	yaml_doc_free(doc);
	if (r < 0)
		policy_free(p);
	else
		*ret = p;
	return r;
}

static void free_list(char **list)
{
	for (size_t i = 0; list != NULL && list[i] != NULL; i++)
		free(list[i]);
	free(list);
}

static void free_mounts(struct policy_mounts *m)
{
	for (size_t i = 0; i < m->n; i++) {
		free(m->list[i].source);
		free(m->list[i].target);
	}
	free(m->list);
}

void policy_free(struct policy *p)
{
	for (size_t i = 0; p != NULL && i < p->n_templates; i++) {
		struct policy_template *t = &p->templates[i];

		for (size_t j = 0; j < t->n_env; j++) {
			free(t->env[j].name);
			free(t->env[j].value);
		}
		free(t->env);
		free_list(t->command);
		free_list(t->stacks);
		free_mounts(&t->mounts);
		free(t->name);
		free(t->home);
	}
	for (size_t i = 0; p != NULL && i < p->n_stacks; i++) {
		free_mounts(&p->stacks[i].mounts);
		free(p->stacks[i].name);
		free(p->stacks[i].prefix);
		free(p->stacks[i].setup);
	}
	if (p != NULL) {
		free(p->templates);
		free(p->stacks);
	}
	free(p);
}

/* The two policy files, templates and stacks: tables of their fields, and reading them into
 * structs. Whether a request is allowed is decided in policy_check.c. */
#include "spawner/core/policy.h"

#include "base/mem.h"
#include "ipc/spawn_codec.h"
#include "spawner/core/policy_parts.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int parse_name(
    struct cyg_str text, struct cyg_arena *arena, enum spawn_name kind, void *member)
{
	const char *name = cyg_arena_dup(arena, text);

	*(const char **)member = name;
	return spawn_name_check(kind, name, NULL);
}

static int parse_template_name(struct cyg_str text, struct cyg_arena *arena, void *member)
{
	return parse_name(text, arena, SPAWN_NAME_TEMPLATE, member);
}

static int parse_stack_name(struct cyg_str text, struct cyg_arena *arena, void *member)
{
	return parse_name(text, arena, SPAWN_NAME_STACK, member);
}

static int parse_path(struct cyg_str text, struct cyg_arena *arena, void *member)
{
	const char *path = cyg_arena_dup(arena, text);

	*(const char **)member = path;
	if ((!cyg_str_starts(text, "/") && !cyg_str_starts(text, "{cache}")) ||
	    strstr(path, "/../") != NULL || cyg_str_ends(text, "/..") || text.len >= CYG_PATH_MAX)
		return -CYG_EINVAL;
	return 0;
}

/* "2", "0.5", "1.25": cores, in thousandths. */
static int parse_cores(struct cyg_str text, struct cyg_arena *arena, void *member)
{
	(void)arena;
	return policy_cores_parse(text, member);
}

#define NAME(fn)                                                                                   \
	.type = FIELD_OWN, .size = sizeof(const char *), .parse = (fn),                            \
	.takes = "1 to 63 of a-z, 0-9, '.', '_' and '-', not beginning with '.' or '-'"
#define PATH                                                                                       \
	.type = FIELD_OWN, .size = sizeof(const char *), .parse = parse_path,                      \
	.takes = "an absolute path (or one that begins with {cache}) without '..'"
#define CORES                                                                                      \
	.type = FIELD_OWN, .size = sizeof(uint32_t), .parse = parse_cores,                         \
	.takes = "a number of cores such as 2 or 0.5"

#define OF(member) .offset = offsetof(struct policy_mount, member)
static const struct yaml_field mount_fields[] = {
	{ .name = "source",
	    PATH,
	    OF(source),
	    .required = true,
	    .doc = "A folder of this machine." },
	{ .name = "target",
	    PATH,
	    OF(target),
	    .same_as = "source",
	    .doc =
		"Where it shows inside; as `source` it works for the engine `process`, too, where nothing is mounted." },
	{ .name = "writable",
	    .type = FIELD_BOOL,
	    OF(writable),
	    .value = "false",
	    .doc = "Whether it may be written to." },
	{ .name = "optional",
	    .type = FIELD_BOOL,
	    OF(optional),
	    .value = "false",
	    .doc = "Whether a source that is not there is left out." },
	{ .name = NULL },
};
#undef OF
static const struct yaml_record mount_record = {
	.what = "mount", .size = sizeof(struct policy_mount), .fields = mount_fields
};

static int check_template(const struct yaml_place *at, void *record, struct cyg_err *err)
{
	struct policy_template *t = record;

	for (size_t i = 0; i < t->n_env; i++) {
		if (t->env[i].name[0] == '\0' || strchr(t->env[i].name, '=') != NULL)
			return yaml_fail(at->doc, yaml_fields_at(at, "environment"), err,
			    "a variable's name must not be empty or hold '='");
	}
	if (t->memory_default > t->memory_max || t->cpu_default > t->cpu_max)
		return yaml_fail(at->doc, at->map, err,
		    "template '%s': the default of memory or cores is above its maximum", t->name);
	t->deadline_ms = t->setup_seconds * 1000;
	return 0;
}

static const char *const uid_choices[] = {
	[POLICY_UID_RANGE] = "range", [POLICY_UID_NSS] = "nss", NULL
};
static const struct yaml_field word = { .name = "word", .type = FIELD_STRING };

#define OF(member)     .offset = offsetof(struct policy_template, member)
#define LIST(items, n) .offset = FIELD_ARRAY(struct policy_template, items, n)
#define SIZE(text)     .type = FIELD_SIZE, .value = text
static const struct yaml_field template_fields[] = {
	{ .name = "command",
	    .type = FIELD_LIST,
	    LIST(command, n_command),
	    .of = &word,
	    .min = 1,
	    .required = true,
	    .doc =
		"The command that init keeps running, word by word. Descriptor 3 is the listening socket." },
	{ .name = "uid",
	    .type = FIELD_CHOICE,
	    OF(uid),
	    .choices = uid_choices,
	    .value = "range",
	    .doc =
		"Whose uid a server has, as root. `range`: one for each user, from 200000 up, never given out twice. `nss`: the user's own (1000 or more) and the home that the name service says." },
	{ .name = "home",
	    PATH,
	    OF(home),
	    .value = "/home/{user}",
	    .doc = "Where the home is inside." },
	{ .name = "mounts",
	    .type = FIELD_RECORDS,
	    LIST(mounts.list, mounts.n),
	    .record = &mount_record,
	    .doc = "Folders of this machine inside. What is mounted below them later shows, too." },
	{ .name = "environment",
	    .type = FIELD_PAIRS,
	    LIST(env, n_env),
	    .max = POLICY_ENV_MAX,
	    .doc =
		"Variables for scripts, agent and kernels. No secrets: anybody in the container reads them." },
	{ .name = "stacks",
	    .type = FIELD_LIST,
	    LIST(stacks, n_stacks),
	    .of = &word,
	    .doc = "Which stacks may be chosen with it; without the key every stack." },
	{ .name = "memory", SIZE("2G"), OF(memory_default), .doc = "Memory of a server." },
	{ .name = "memory-max",
	    .type = FIELD_SIZE,
	    OF(memory_max),
	    .same_as = "memory",
	    .doc = "The most that may be asked for." },
	{ .name = "cores",
	    CORES,
	    OF(cpu_default),
	    .doc = "Cores of a server; without the key there is no limit." },
	{ .name = "cores-max",
	    CORES,
	    OF(cpu_max),
	    .same_as = "cores",
	    .doc = "The most that may be asked for." },
	{ .name = "processes",
	    .type = FIELD_UINT,
	    OF(pids_max),
	    .value = "1024",
	    .doc = "Processes and threads of a server." },
	{ .name = "tmp",
	    SIZE("1G"),
	    OF(tmp_bytes),
	    .doc = "Size of the private /tmp; what is in it counts as memory." },
	{ .name = "shm", SIZE("256M"), OF(shm_bytes), .doc = "The same of /dev/shm." },
	{ .name = "setup-seconds",
	    .type = FIELD_UINT,
	    OF(setup_seconds),
	    .min = 1,
	    .max = 3600,
	    .value = "120",
	    .doc = "How long each setup script (the stack's, the user's) may take." },
	{ .name = NULL },
};
static const struct yaml_field template_key = {
	.name = "NAME", NAME(parse_template_name), OF(name)
};
#undef OF
#undef LIST
static const struct yaml_record template_record = { .what = "template",
	.size = sizeof(struct policy_template),
	.fields = template_fields,
	.key = &template_key,
	.check = check_template };

#define OF(member) .offset = offsetof(struct policy_stack, member)
static const struct yaml_field stack_fields[] = {
	{ .name = "prefix",
	    PATH,
	    OF(prefix),
	    .required = true,
	    .doc =
		"The folder it lives in: {stack_prefix} in templates. Kernels are looked for in share/jupyter below it." },
	{ .name = "setup",
	    PATH,
	    OF(setup),
	    .doc =
		"A script that bash reads before the agent starts; its environment is what kernels start from." },
	{ .name = "mounts",
	    .type = FIELD_RECORDS,
	    .offset = FIELD_ARRAY(struct policy_stack, mounts.list, mounts.n),
	    .record = &mount_record,
	    .doc = "As in templates.yaml." },
	{ .name = "label", .type = FIELD_IGNORED, .doc = "Shown to users." },
	{ .name = "description", .type = FIELD_IGNORED, .doc = "Shown to users." },
	{ .name = "kernels", .type = FIELD_IGNORED, .doc = "Shown to users." },
	{ .name = NULL },
};
static const struct yaml_field stack_key = { .name = "NAME", NAME(parse_stack_name), OF(name) };
#undef OF
static const struct yaml_record stack_record = { .what = "stack",
	.size = sizeof(struct policy_stack),
	.fields = stack_fields,
	.key = &stack_key };

static const struct yaml_field templates_fields[] = {
	{ .name = "templates",
	    .type = FIELD_NAMED,
	    .offset = FIELD_ARRAY(struct policy, templates, n_templates),
	    .record = &template_record,
	    .min = 1,
	    .required = true,
	    .doc = "Templates by name." },
	{ .name = NULL },
};
static const struct yaml_field stacks_fields[] = {
	{ .name = "stacks",
	    .type = FIELD_NAMED,
	    .offset = FIELD_ARRAY(struct policy, stacks, n_stacks),
	    .record = &stack_record,
	    .min = 1,
	    .required = true,
	    .doc = "Stacks by name." },
	{ .name = NULL },
};
static const struct yaml_record templates_record = {
	.what = "file of templates", .size = sizeof(struct policy), .fields = templates_fields
};
static const struct yaml_record stacks_record = {
	.what = "file of stacks", .size = sizeof(struct policy), .fields = stacks_fields
};

const struct yaml_file policy_files[] = {
	{ "templates.yaml",
	    "What the spawner will run. Only root may write it (as an ordinary user: you or root). "
	    "Sample: [config/templates.yaml](../config/templates.yaml).",
	    &templates_record },
	{ "stacks.yaml",
	    "Where each software stack is; root's file, too. Sample: "
	    "[config/stacks.yaml](../config/stacks.yaml).",
	    &stacks_record },
	{ .name = NULL },
};

static int read_file(
    const char *path, const struct yaml_record *record, struct policy *p, struct cyg_err *err)
{
	struct yaml_doc *doc = NULL;
	struct stat st;
	int rc;

	if (stat(path, &st) < 0)
		return cyg_fail_sys(err, errno, "policy file '%s'", path);
	if ((st.st_uid != 0 && st.st_uid != geteuid()) || (st.st_mode & 022) != 0)
		return cyg_fail(err, CYG_EDENIED,
		    "policy file '%s' must belong to %s and be writable by nobody else", path,
		    geteuid() == 0 ? "root" : "you or root");
	rc = yaml_load(path, &doc, err);
	if (rc == 0)
		rc = yaml_fields_read(doc, record, &p->arena, p, err);
	yaml_doc_free(doc);
	return rc;
}

int policy_load(
    const char *templates_path, const char *stacks_path, struct policy **ret, struct cyg_err *err)
{
	struct policy *p = cyg_xcalloc(1, sizeof(*p));
	int rc;

	cyg_arena_init(&p->arena);
	rc = read_file(templates_path, &templates_record, p, err);
	if (rc == 0)
		rc = read_file(stacks_path, &stacks_record, p, err);
	if (rc < 0)
		policy_free(p);
	else
		*ret = p;
	return rc;
}

void policy_free(struct policy *p)
{
	if (p == NULL)
		return;
	cyg_arena_free(&p->arena);
	free(p);
}

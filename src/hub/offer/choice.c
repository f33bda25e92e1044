/* Checks the user options of a start. Whether the user may have what was chosen is decided in
 * policy.c; this file decides only whether it is offered. */
#include "hub/offer/choice.h"

#include "base/buf.h"
#include "base/mem.h"

#include <string.h>

typedef int (*read_fn)(
    struct choice *c, const json_t *value, const struct profiles *p, struct cyg_err *err);

static int bad(struct cyg_err *err, const char *what)
{
	return cyg_fail(err, CYG_EINVAL, "%s", what);
}

static int take_name(char out[CYG_NAME_MAX], const json_t *value)
{
	if (!json_is_string(value) || json_string_length(value) != strlen(json_string_value(value)))
		return -1;
	return cyg_str_copy(out, CYG_NAME_MAX, cyg_str_of(json_string_value(value))) ? 0 : -1;
}

static int read_profile(
    struct choice *c, const json_t *value, const struct profiles *p, struct cyg_err *err)
{
	char name[CYG_NAME_MAX];

	if (take_name(name, value) < 0 || profiles_find(p, name) == NULL)
		return bad(err, "There is no such profile. Choose one of the form.");
	choice_default(p, profiles_find(p, name), c);
	return 0;
}

static int read_stack(
    struct choice *c, const json_t *value, const struct profiles *p, struct cyg_err *err)
{
	if (take_name(c->stack, value) < 0 ||
	    !profile_list_has(&profiles_find(p, c->profile)->stacks, c->stack))
		return bad(
		    err, "This profile does not offer that environment. Choose one of the form.");
	return 0;
}

static int read_cores(
    struct choice *c, const json_t *value, const struct profiles *p, struct cyg_err *err)
{
	const struct profile_amounts *cores = &profiles_find(p, c->profile)->cores;

	if (!json_is_integer(value) || json_integer_value(value) < 1 ||
	    !profile_amounts_have(cores, (uint64_t)json_integer_value(value)))
		return bad(err, "This profile does not offer that number of cores.");
	c->cores = (uint32_t)json_integer_value(value);
	return 0;
}

static int read_memory(
    struct choice *c, const json_t *value, const struct profiles *p, struct cyg_err *err)
{
	const struct profile_amounts *memory = &profiles_find(p, c->profile)->memory_mb;

	if (!json_is_integer(value) || json_integer_value(value) < 1 ||
	    !profile_amounts_have(memory, (uint64_t)json_integer_value(value)))
		return bad(err, "This profile does not offer that amount of memory.");
	c->memory_mb = (uint32_t)json_integer_value(value);
	return 0;
}

static int read_cluster(
    struct choice *c, const json_t *value, const struct profiles *p, struct cyg_err *err)
{
	c->cluster[0] = '\0';
	if (json_is_null(value))
		return 0;
	if (take_name(c->cluster, value) < 0)
		return bad(err, "The Spark cluster is a name of the form.");
	if (c->cluster[0] == '\0')
		return 0;
	if (!profile_list_has(&profiles_find(p, c->profile)->clusters, c->cluster))
		return bad(err, "This profile does not offer that Spark cluster.");
	if (profiles_find_stack(p, c->stack)->spark == NULL)
		return bad(err, "The environment has no Spark. Choose another one, or no cluster.");
	return 0;
}

/* The spawner checks it once more against the home; here it must be a plain path below it. */
static bool is_path_below(struct cyg_str path)
{
	struct cyg_str part;

	if (path.len == 0 || path.len >= CYG_PATH_MAX || path.p[0] == '/' || !cyg_str_is_text(path))
		return false;
	while (cyg_str_next(&path, '/', &part)) {
		if (part.len == 0 || cyg_str_eq(part, ".") || cyg_str_eq(part, ".."))
			return false;
	}
	return true;
}

static int read_user_script(
    struct choice *c, const json_t *value, const struct profiles *p, struct cyg_err *err)
{
	c->user_script[0] = '\0';
	if (json_is_null(value) || json_is_false(value))
		return 0;
	struct cyg_str path = { json_string_value(value), json_string_length(value) };
	if (!json_is_string(value))
		return bad(err, "The script is a path in your home, or nothing.");
	if (path.len == 0)
		return 0;
	if (!profiles_find(p, c->profile)->user_script)
		return bad(err, "This profile does not run a script of your own.");
	if (cyg_str_starts(path, "~/"))
		path = cyg_str_skip(path, 2);
	/* A second "~/" would be removed when the stored options are read again. */
	if (cyg_str_starts(path, "~/") || !is_path_below(path) ||
	    !cyg_str_copy(c->user_script, sizeof(c->user_script), path))
		return bad(err, "The script is a path below your home, without \"..\".");
	return 0;
}

static int read_home_packages(
    struct choice *c, const json_t *value, const struct profiles *p, struct cyg_err *err)
{
	if (!json_is_boolean(value))
		return bad(err, "Packages of the home: true or false.");
	if (json_is_true(value) && !profiles_find(p, c->profile)->home_packages)
		return bad(err, "This profile does not use packages of your home.");
	c->home_packages = json_is_true(value);
	return 0;
}

/* In the order in which later options depend on earlier ones. */
static const struct {
	const char *field;
	read_fn read;
} options_table[] = {
	{ "profile", read_profile },
	{ "stack", read_stack },
	{ "cores", read_cores },
	{ "memory_mb", read_memory },
	{ "cluster", read_cluster },
	{ "user_script", read_user_script },
	{ "home_packages", read_home_packages },
};

static bool is_known(const char *key)
{
	for (size_t i = 0; i < CYG_N(options_table); i++) {
		if (strcmp(options_table[i].field, key) == 0)
			return true;
	}
	return false;
}

void choice_default(const struct profiles *p, const struct profile *f, struct choice *ret)
{
	const struct profile_stack *stack = profiles_find_stack(p, f->stacks.items[0]);

	/* A stack that can be had comes before one that cannot; then the recommended one; then the
	 * first. */
	for (size_t i = 1; i < f->stacks.n; i++) {
		const struct profile_stack *s = profiles_find_stack(p, f->stacks.items[i]);
		bool is_had = s->unavailable == NULL, was_had = stack->unavailable == NULL;
		if (is_had != was_had ? is_had : s->recommended && !stack->recommended)
			stack = s;
	}
	*ret = (struct choice){ .cores = f->cores.usual, .memory_mb = f->memory_mb.usual };
	(void)cyg_str_copy(ret->profile, sizeof(ret->profile), cyg_str_of(f->id));
	(void)cyg_str_copy(ret->stack, sizeof(ret->stack), cyg_str_of(stack->id));
}

int choice_read(const json_t *options, const struct profiles *p, struct choice *ret,
    const char **field, struct cyg_err *err)
{
	struct choice c;
	const char *key;
	json_t *value;

	*field = "profile";
	if (!json_is_object(options))
		return bad(err, "user_options must be an object or null");
	json_object_foreach ((json_t *)(uintptr_t)options, key, value) {
		if (!is_known(key))
			return cyg_fail(
			    err, CYG_EINVAL, "The form has no question \"%.64s\".", key);
	}
	choice_default(p, profiles_default(p), &c);
	for (size_t i = 0; i < CYG_N(options_table); i++) {
		value = json_object_get(options, options_table[i].field);
		if (value == NULL)
			continue;
		*field = options_table[i].field;
		if (options_table[i].read(&c, value, p, err) < 0)
			return -CYG_EINVAL;
	}
	*ret = c;
	*field = NULL;
	return 0;
}

json_t *choice_json(const struct choice *c)
{
	return json_pack("{s:s, s:s, s:I, s:I, s:o, s:o, s:b}", "profile", c->profile, "stack",
	    c->stack, "cores", (json_int_t)c->cores, "memory_mb", (json_int_t)c->memory_mb,
	    "cluster", c->cluster[0] != '\0' ? json_string(c->cluster) : json_null(), "user_script",
	    c->user_script[0] != '\0' ? json_string(c->user_script) : json_false(), "home_packages",
	    (int)c->home_packages);
}

static void line_add_memory(struct cyg_buf *b, uint32_t mb)
{
	if (mb % 1024 == 0)
		(void)cyg_buf_printf(b, NULL, " · %u GB", mb / 1024);
	else
		(void)cyg_buf_printf(b, NULL, " · %u MB", mb);
}

void choice_line(const struct choice *c, const struct profiles *p, char out[CHOICE_LINE_SIZE])
{
	const struct profile_stack *s = profiles_find_stack(p, c->stack);
	const struct profile_cluster *cluster = profiles_find_cluster(p, c->cluster);
	cyg_autobuf struct cyg_buf b;

	/* A part that does not fit is left out: a failed append changes nothing. */
	cyg_buf_init(&b, CHOICE_LINE_SIZE - 1);
	(void)cyg_buf_add_str(&b, s != NULL ? s->label : c->stack, NULL);
	for (size_t i = 0; s != NULL && i < s->kernels.n; i++)
		(void)cyg_buf_printf(&b, NULL, "%s%s", i == 0 ? " · " : ", ", s->kernels.items[i]);
	(void)cyg_buf_printf(&b, NULL, " · %u core%s", c->cores, c->cores == 1 ? "" : "s");
	line_add_memory(&b, c->memory_mb);
	if (c->cluster[0] != '\0')
		(void)cyg_buf_printf(
		    &b, NULL, " · Spark on %s", cluster != NULL ? cluster->label : c->cluster);
	if (c->user_script[0] != '\0')
		(void)cyg_buf_add_str(&b, " · own script", NULL);
	if (c->home_packages)
		(void)cyg_buf_add_str(&b, " · packages of the home", NULL);
	(void)cyg_str_copy(out, CHOICE_LINE_SIZE, cyg_buf_str(&b));
}

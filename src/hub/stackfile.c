/* stack.yaml of a software tree, key by key. The tree belongs to others: every text is bounded. */
#include "hub/stackfile.h"

#include "base/mem.h"

#include <jansson.h>
#include <string.h>

enum { STACK_TEXT_MAX = 400, STACK_KERNELS_MAX = 16 };

static int read_text(
    const json_t *value, struct cyg_arena *arena, const char **ret, struct cyg_err *err)
{
	struct cyg_str text = { json_string_value(value), json_string_length(value) };

	if (!json_is_string(value) || text.len == 0 || text.len > STACK_TEXT_MAX ||
	    strlen(text.p) != text.len || !cyg_str_is_text(text))
		return cyg_fail(err, CYG_EINVAL, "one line of 1 to %d bytes of text is allowed",
		    STACK_TEXT_MAX);
	*ret = cyg_arena_dup(arena, text);
	return 0;
}

static int read_label(
    const json_t *value, struct cyg_arena *arena, struct profile_stack *s, struct cyg_err *err)
{
	return read_text(value, arena, &s->label, err);
}

static int read_description(
    const json_t *value, struct cyg_arena *arena, struct profile_stack *s, struct cyg_err *err)
{
	return read_text(value, arena, &s->description, err);
}

static int read_spark(
    const json_t *value, struct cyg_arena *arena, struct profile_stack *s, struct cyg_err *err)
{
	return read_text(value, arena, &s->spark, err);
}

static int read_platform(
    const json_t *value, struct cyg_arena *arena, struct profile_stack *s, struct cyg_err *err)
{
	return read_text(value, arena, &s->platform, err);
}

static int read_kernels(
    const json_t *value, struct cyg_arena *arena, struct profile_stack *s, struct cyg_err *err)
{
	size_t n = json_array_size(value), i;
	json_t *one;

	if (!json_is_array(value) || n > STACK_KERNELS_MAX)
		return cyg_fail(
		    err, CYG_EINVAL, "a list of at most %d names is allowed", STACK_KERNELS_MAX);
	s->kernels =
	    (struct profile_list){ cyg_arena_alloc(arena, (n + 1) * sizeof(*s->kernels.items)), 0 };
	json_array_foreach ((json_t *)(uintptr_t)value, i, one) {
		if (read_text(one, arena, &s->kernels.items[i], err) < 0)
			return -CYG_EINVAL;
		s->kernels.n++;
	}
	return 0;
}

static int read_recommended(
    const json_t *value, struct cyg_arena *arena, struct profile_stack *s, struct cyg_err *err)
{
	const char *text = json_string_value(value);

	(void)arena;
	if (text == NULL || (strcmp(text, "true") != 0 && strcmp(text, "false") != 0))
		return cyg_fail(err, CYG_EINVAL, "true or false is allowed");
	s->recommended = strcmp(text, "true") == 0;
	return 0;
}

static const struct {
	const char *name;
	int (*read)(const json_t *value, struct cyg_arena *arena, struct profile_stack *s,
	    struct cyg_err *err);
} keys[] = {
	{ "label", read_label },
	{ "description", read_description },
	{ "kernels", read_kernels },
	{ "spark", read_spark },
	{ "platform", read_platform },
	{ "recommended", read_recommended },
};

static int read_key(const char *name, const json_t *value, struct cyg_arena *arena,
    struct profile_stack *s, struct cyg_err *err)
{
	for (size_t i = 0; i < CYG_N(keys); i++) {
		if (strcmp(keys[i].name, name) == 0)
			return keys[i].read(value, arena, s, err) < 0 ? cyg_wrap(err, "%s", name)
								      : 0;
	}
	return cyg_fail(err, CYG_EINVAL,
	    "the key \"%.64s\" is not known; allowed are label, description, kernels, spark, platform "
	    "and recommended",
	    name);
}

int stackfile_read(
    struct cyg_str json, struct cyg_arena *arena, struct profile_stack *ret, struct cyg_err *err)
{
	struct profile_stack s = *ret;
	json_t *root = json_loadb(json.p, json.len, JSON_REJECT_DUPLICATES, NULL);
	const char *name;
	json_t *value;
	int code = 0;

	if (!json_is_object(root))
		code = cyg_fail(err, CYG_EINVAL, "a map with label, kernels and so on is expected");
	json_object_foreach (root, name, value) {
		code = read_key(name, value, arena, &s, err);
		if (code < 0)
			break;
	}
	json_decref(root);
	if (code == 0)
		*ret = s;
	return code;
}

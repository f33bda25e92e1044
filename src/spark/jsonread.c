/* Members of JSON from outside, checked and copied. */
#include "spark/jsonread.h"

#include "spark/render.h"

#include <string.h>

enum { NAME_LEN_MAX = 400 };

int spark_json_load(struct cyg_str text, json_t **ret, struct cyg_err *err)
{
	json_error_t why;

	*ret = json_loadb(text.p, text.len, JSON_REJECT_DUPLICATES, &why);
	if (*ret == NULL)
		return cyg_fail(
		    err, CYG_EINVAL, "line %d, column %d: %s", why.line, why.column, why.text);
	if (json_is_object(*ret))
		return 0;
	json_decref(*ret);
	*ret = NULL;
	return cyg_fail(err, CYG_EINVAL, "it must be a JSON object");
}

static int check_text(const char *key, struct cyg_str s, size_t max, struct cyg_err *err)
{
	if (s.len <= max && memchr(s.p, '\0', s.len) == NULL && cyg_str_is_text(s))
		return 0;
	return cyg_fail(
	    err, CYG_EINVAL, "%s must be text in one line of at most %zu bytes", key, max);
}

int spark_json_text(struct spark_json *j, const json_t *from, const char *key, size_t max,
    const char **ret, struct cyg_err *err)
{
	const json_t *v = json_object_get(from, key);
	struct cyg_str s;

	*ret = NULL;
	if (v == NULL || json_is_null(v))
		return 0;
	if (!json_is_string(v))
		return cyg_fail(err, CYG_EINVAL, "%s must be text", key);
	s = (struct cyg_str){ json_string_value(v), json_string_length(v) };
	if (check_text(key, s, max, err) < 0)
		return -(int)CYG_EINVAL;
	*ret = cyg_arena_dup(j->arena, s);
	return 0;
}

int spark_json_value(struct spark_json *j, const json_t *from, const char *key, const char **ret,
    struct cyg_err *err)
{
	const json_t *v = json_object_get(from, key);

	if (json_is_integer(v))
		*ret = cyg_arena_printf(j->arena, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	else if (json_is_boolean(v))
		*ret = json_is_true(v) ? "true" : "false";
	else if (spark_json_text(j, from, key, SPARK_VALUE_MAX, ret, err) < 0)
		return -(int)CYG_EINVAL;
	if (j->trims && *ret != NULL)
		*ret = cyg_arena_dup(j->arena, cyg_str_trim(cyg_str_of(*ret)));
	return 0;
}

int spark_json_names(struct spark_json *j, const json_t *from, const char *key, size_t max,
    struct spark_names *ret, struct cyg_err *err)
{
	const json_t *list = json_object_get(from, key);
	const size_t len = json_array_size(list);

	ret->n = 0;
	if (list != NULL && !json_is_null(list) && !json_is_array(list))
		return cyg_fail(err, CYG_EINVAL, "%s must be a list of names", key);
	if (len > max)
		return cyg_fail(err, CYG_ELIMIT, "%s holds more than %zu names", key, max);
	ret->list = cyg_arena_alloc(j->arena, (len + 1) * sizeof(*ret->list));
	for (size_t i = 0; i < len; i++) {
		const json_t *v = json_array_get(list, i);
		const struct cyg_str s = { json_string_value(v), json_string_length(v) };

		if (s.p == NULL)
			return cyg_fail(err, CYG_EINVAL, "%s must be a list of names", key);
		if (check_text(key, s, NAME_LEN_MAX, err) < 0)
			return -(int)CYG_EINVAL;
		ret->list[ret->n++] = cyg_arena_dup(j->arena, s);
	}
	return 0;
}

/* Lists of known options, and the nearest of them to a name that is not known. */
#include "spark/options.h"

#include "base/mem.h"
#include "spark/render.h"

#include <stdlib.h>
#include <string.h>

enum { DOC_MAX = 8 * 1024, DEFAULT_MAX = 2000, WORD_MAX = 200, DISTANCE_MAX = 3 };

static const char *const type_names[] = { "text", "boolean", "int", "double", "bytes", "time" };

static enum spark_type type_of(const char *name)
{
	for (size_t i = 0; name != NULL && i < CYG_N(type_names); i++) {
		if (strcmp(name, type_names[i]) == 0)
			return (enum spark_type)i;
	}
	return SPARK_TYPE_TEXT;
}

/* An entry of our own list. */
static int read_own(
    struct spark_json *j, const json_t *from, struct spark_option *o, struct cyg_err *err)
{
	const char *type = NULL;
	const struct {
		const char *key;
		size_t max;
		const char **to;
	} texts[] = { { "name", SPARK_NAME_MAX, &o->name }, { "category", WORD_MAX, &o->category },
		{ "type", WORD_MAX, &type }, { "default", DEFAULT_MAX, &o->value },
		{ "doc", DOC_MAX, &o->doc }, { "since", WORD_MAX, &o->since } };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < CYG_N(texts); i++)
		rc = spark_json_text(j, from, texts[i].key, texts[i].max, texts[i].to, err);
	o->type = type_of(type);
	return rc < 0
		   ? rc
		   : spark_json_names(j, from, "values", SPARK_OPTION_VALUES_MAX, &o->values, err);
}

/* An entry of SWAN's. */
static int read_swan(
    struct spark_json *j, const json_t *from, struct spark_option *o, struct cyg_err *err)
{
	int rc = spark_json_text(j, from, "value", SPARK_NAME_MAX, &o->name, err);

	return rc < 0 ? rc
		      : spark_json_text(j, json_object_get(from, "data"), "category", WORD_MAX,
			    &o->category, err);
}

static int compare(const void *a, const void *b)
{
	const struct spark_option *x = a;
	const struct spark_option *y = b;

	return strcmp(x->name, y->name);
}

static int read_list(
    struct spark_json *j, const json_t *list, struct spark_options *ret, struct cyg_err *err)
{
	const size_t n = json_array_size(list);

	if (!json_is_array(list))
		return cyg_fail(
		    err, CYG_EINVAL, "it must have a list of options or of spark_options");
	if (n > SPARK_OPTIONS_MAX)
		return cyg_fail(err, CYG_ELIMIT, "more than %d options", SPARK_OPTIONS_MAX);
	ret->list = cyg_arena_alloc(j->arena, (n + 1) * sizeof(*ret->list));
	for (; ret->n < n; ret->n++) {
		struct spark_option *o = &ret->list[ret->n];
		const json_t *from = json_array_get(list, ret->n);
		int rc = ret->is_complete ? read_own(j, from, o, err) : read_swan(j, from, o, err);

		if (rc < 0)
			return cyg_wrap(err, "option %zu", ret->n + 1);
		if (o->name == NULL || o->name[0] == '\0')
			return cyg_fail(err, CYG_EINVAL, "option %zu has no name", ret->n + 1);
	}
	if (n > 0)
		qsort(ret->list, n, sizeof(*ret->list), compare);
	return 0;
}

int spark_options_parse(
    const char *file, struct cyg_str text, struct spark_options **ret, struct cyg_err *err)
{
	struct spark_options *o = cyg_xcalloc(1, sizeof(*o));
	struct spark_json j = { .arena = &o->arena_ };
	json_t *root = NULL;
	int rc;

	cyg_arena_init(&o->arena_);
	rc = spark_json_load(text, &root, err);
	if (rc == 0) {
		const json_t *list = json_object_get(root, "options");

		o->is_complete = list != NULL;
		rc = read_list(
		    &j, list != NULL ? list : json_object_get(root, "spark_options"), o, err);
	}
	json_decref(root);
	if (rc < 0) {
		spark_options_free(o);
		return cyg_wrap(err, "%s", file);
	}
	*ret = o;
	return 0;
}

void spark_options_free(struct spark_options *o)
{
	if (o == NULL)
		return;
	cyg_arena_free(&o->arena_);
	free(o);
}

const struct spark_option *spark_options_find(const struct spark_options *o, const char *name)
{
	const struct spark_option key = { .name = name };

	if (o->n == 0)
		return NULL;
	return bsearch(&key, o->list, o->n, sizeof(*o->list), compare);
}

/* ---- the nearest name ---- */

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Letters that are wrong, missing, too many, or swapped with their neighbour (optimal string
 * alignment); more than max counts as max + 1. Only what is at most max off the diagonal is looked
 * at: so a name costs a few hundred steps, whatever it is. */
static unsigned distance(const char *a, size_t n, const char *b, size_t m, unsigned max)
{
	unsigned rows[3][SPARK_NAME_MAX + 2] = { { 0 } };
	unsigned *before = rows[0], *last = rows[1], *now = rows[2];

	for (size_t j = 0; j <= m + 1; j++) {
		before[j] = now[j] = max + 1;
		last[j] = least((unsigned)j, max + 1);
	}
	for (size_t i = 1; i <= n; i++) {
		const size_t from = i > max ? i - max : 1;
		const size_t to = i + max < m ? i + max : m;
		unsigned best = now[from - 1] = from > 1 ? max + 1 : least((unsigned)i, max + 1);
		unsigned *spare = before;

		for (size_t j = from; j <= to; j++) {
			now[j] = least(
			    least(last[j], now[j - 1]) + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = least(now[j], before[j - 2] + 1);
			best = least(best, now[j]);
		}
		now[to + 1] = max + 1;
		if (best > max)
			return max + 1;
		before = last;
		last = now;
		now = spare;
	}
	return least(last[m], max + 1);
}

const char *spark_options_nearest(const struct spark_options *o, const char *name)
{
	const size_t n = strlen(name);
	unsigned best = least(DISTANCE_MAX, (unsigned)n / 3) + 1;
	const char *found = NULL;

	if (n > SPARK_NAME_MAX)
		return NULL;
	for (size_t i = 0; i < o->n && best > 0; i++) {
		const char *other = o->list[i].name;
		const size_t m = strlen(other);

		if ((n > m ? n - m : m - n) >= best || m > SPARK_NAME_MAX)
			continue;
		unsigned d = distance(name, n, other, m, best - 1);
		if (d < best) {
			best = d;
			found = other;
		}
	}
	return found;
}

json_t *spark_options_json(const struct spark_options *o)
{
	json_t *list = json_array();

	for (size_t i = 0; i < o->n; i++) {
		const struct spark_option *one = &o->list[i];

		(void)json_array_append_new(
		    list, json_pack("{s:s, s:s?, s:s, s:s?, s:s?, s:s?}", "name", one->name,
			      "category", one->category, "type", type_names[one->type], "default",
			      one->value, "doc", one->doc, "since", one->since));
	}
	return list;
}

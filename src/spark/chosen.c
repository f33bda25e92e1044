/* Reads what was chosen, and makes layers of it. */
#include "spark/chosen.h"

#include "base/buf.h"
#include "base/mem.h"

#include <stdint.h>
#include <string.h>

enum { WORD_MAX = 200 };

const char *const spark_variables[] = { "USER", "HOME", "SPARK_HOME", "JAVA_HOME",
	"HADOOP_CONF_DIR", "PYSPARK_PYTHON", "PYTHONPATH", "LD_LIBRARY_PATH", "LCG_VIEW", NULL };

/* ---- reading ---- */

/* {NAME: VALUE} */
static int read_map(struct spark_json *j, const json_t *map, const char *what, size_t max,
    struct spark_pairs *ret, struct cyg_err *err)
{
	const char *name;
	json_t *value;

	if (map == NULL || json_is_null(map))
		return 0;
	if (!json_is_object(map))
		return cyg_fail(err, CYG_EINVAL, "%s must be a map of names and values", what);
	if (json_object_size(map) > max)
		return cyg_fail(err, CYG_ELIMIT, "%s holds more than %zu names", what, max);
	ret->list = cyg_arena_alloc(j->arena, (json_object_size(map) + 1) * sizeof(*ret->list));
	json_object_foreach ((json_t *)(uintptr_t)map, name, value) {
		struct spark_pair *p = &ret->list[ret->n++];

		(void)value;
		if (spark_json_value(j, map, name, &p->value, err) < 0)
			return cyg_wrap(err, "%s", what);
		if (p->value == NULL)
			return cyg_fail(err, CYG_EINVAL, "%s: %.80s has no value", what, name);
		p->name = cyg_arena_dup(j->arena, cyg_str_of(name));
	}
	return 0;
}

/* SWAN's list, of which those with "isEnabled": false do not count. */
static int read_swan_list(
    struct spark_json *j, const json_t *list, struct spark_pairs *ret, struct cyg_err *err)
{
	struct spark_json trimming = { .arena = j->arena, .trims = true };
	const size_t n = json_array_size(list);

	if (n > SPARK_CHOSEN_OPTIONS_MAX)
		return cyg_fail(err, CYG_ELIMIT, "list_of_options holds more than %d options",
		    SPARK_CHOSEN_OPTIONS_MAX);
	ret->list = cyg_arena_alloc(j->arena, (n + 1) * sizeof(*ret->list));
	for (size_t i = 0; i < n; i++) {
		const json_t *from = json_array_get(list, i);
		struct spark_pair *p = &ret->list[ret->n];

		if (json_is_false(json_object_get(from, "isEnabled")))
			continue;
		if (spark_json_text(j, from, "name", SPARK_NAME_MAX, &p->name, err) < 0 ||
		    spark_json_value(&trimming, from, "value", &p->value, err) < 0)
			return cyg_wrap(err, "list_of_options");
		if (p->name == NULL || p->value == NULL)
			return cyg_fail(
			    err, CYG_EINVAL, "list_of_options: an option has no name or no value");
		ret->n++;
	}
	return 0;
}

static bool has_bundle(const struct spark_chosen *c, const char *name)
{
	for (size_t i = 0; i < c->n_bundles; i++) {
		if (strcmp(c->bundles[i], name) == 0)
			return true;
	}
	return false;
}

static int add_bundles(struct spark_json *j, const json_t *from, const char *key,
    struct spark_chosen *ret, struct cyg_err *err)
{
	struct spark_names names = { NULL, 0 };
	int rc = spark_json_names(j, from, key, SPARK_CHOSEN_BUNDLES_MAX, &names, err);

	for (size_t i = 0; rc == 0 && i < names.n; i++) {
		if (has_bundle(ret, names.list[i]))
			continue;
		if (ret->n_bundles == SPARK_CHOSEN_BUNDLES_MAX)
			return cyg_fail(
			    err, CYG_ELIMIT, "more than %d bundles", SPARK_CHOSEN_BUNDLES_MAX);
		ret->bundles[ret->n_bundles++] = names.list[i];
	}
	return rc;
}

static int read_notebook(
    struct spark_json *j, const json_t *from, struct spark_chosen *ret, struct cyg_err *err)
{
	const json_t *list = json_object_get(from, "list_of_options");
	int rc;

	if (from != NULL && !json_is_null(from) && !json_is_object(from))
		return cyg_fail(err, CYG_EINVAL, "notebook must be a map");
	rc = add_bundles(j, from, "bundles", ret, err);
	if (rc == 0)
		rc = add_bundles(j, from, "bundled_options", ret, err);
	if (rc < 0)
		return cyg_wrap(err, "notebook");
	return list != NULL ? read_swan_list(j, list, &ret->notebook, err)
			    : read_map(j, json_object_get(from, "options"), "notebook.options",
				  SPARK_CHOSEN_OPTIONS_MAX, &ret->notebook, err);
}

static int read_flavour(
    struct spark_json *j, const json_t *body, struct spark_chosen *ret, struct cyg_err *err)
{
	const char *name = NULL;
	int rc = spark_json_text(j, body, "flavour", WORD_MAX, &name, err);

	if (rc == 0 && name != NULL && !spark_flavour_find(name, &ret->flavour))
		rc = cyg_fail(err, CYG_EINVAL, "flavour must be classic or connect");
	return rc;
}

int spark_chosen_read(
    const json_t *body, struct cyg_arena *arena, struct spark_chosen *ret, struct cyg_err *err)
{
	struct spark_json j = { .arena = arena };
	const json_t *user = json_object_get(body, "user");
	int rc;

	*ret = (struct spark_chosen){ .flavour = SPARK_FLAVOUR_CLASSIC };
	ret->bundles = cyg_arena_alloc(arena, SPARK_CHOSEN_BUNDLES_MAX * sizeof(*ret->bundles));
	rc = spark_json_text(&j, body, "cluster", WORD_MAX, &ret->cluster, err);
	if (rc == 0)
		rc = read_flavour(&j, body, ret, err);
	if (rc == 0)
		rc = read_notebook(&j, json_object_get(body, "notebook"), ret, err);
	if (rc == 0)
		rc = add_bundles(&j, body, "bundles", ret, err);
	if (rc == 0)
		rc = read_map(&j, json_object_get(user, "options"), "user.options",
		    SPARK_CHOSEN_OPTIONS_MAX, &ret->user, err);
	if (rc == 0)
		rc = read_map(&j, json_object_get(body, "options"), "options",
		    SPARK_CHOSEN_OPTIONS_MAX, &ret->connect, err);
	if (rc == 0)
		rc = read_map(&j, json_object_get(body, "variables"), "variables",
		    SPARK_VARIABLES_MAX, &ret->variables, err);
	return rc;
}

/* ---- {NAME} in values ---- */

static const char *find_variable(const struct spark_chosen *c, struct cyg_str name)
{
	bool is_known = false;

	for (size_t i = 0; !is_known && spark_variables[i] != NULL; i++)
		is_known = cyg_str_eq(name, spark_variables[i]);
	for (size_t i = 0; is_known && i < c->variables.n; i++) {
		if (cyg_str_eq(name, c->variables.list[i].name))
			return c->variables.list[i].value;
	}
	return NULL;
}

/* The NAME of a {NAME} at p: capitals, digits and underscores; an empty one when there is none. */
static struct cyg_str variable_at(const char *p)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
	size_t n = strspn(p + 1, letters);

	if (n == 0 || p[n + 1] != '}' || (p[1] >= '0' && p[1] <= '9'))
		n = 0;
	return (struct cyg_str){ p + 1, n };
}

static int fail_undefined(
    const struct spark_chosen *c, const char *property, struct cyg_str name, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf known;

	cyg_buf_init(&known, 400);
	for (size_t i = 0; spark_variables[i] != NULL; i++) {
		if (find_variable(c, cyg_str_of(spark_variables[i])) != NULL)
			(void)cyg_buf_printf(
			    &known, NULL, "%s%s", known.len > 0 ? ", " : "", spark_variables[i]);
	}
	return cyg_fail(err, CYG_EINVAL, "%s uses {%.*s}, which is not defined here; defined: %s",
	    property, CYG_STR_ARGS(name), known.len > 0 ? known.data : "none");
}

/* The value with its variables filled in, in the arena. Places of ours are not for other people's
 * values: with one, a secret could be had into a property that is shown. */
static int fill(const struct spark_chosen *c, const char *property, const char *value,
    struct cyg_arena *arena, const char **ret, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf out;
	int rc = 0;

	cyg_buf_init(&out, SPARK_VALUE_MAX);
	for (const char *p = value; rc == 0 && *p != '\0';) {
		const struct cyg_str name = *p == '{' ? variable_at(p) : (struct cyg_str){ p, 0 };
		const char *text = name.len > 0 ? find_variable(c, name) : NULL;

		if (name.len > 0 && text == NULL)
			return fail_undefined(c, property, name, err);
		rc = name.len > 0 ? cyg_buf_add_str(&out, text, err) : cyg_buf_add(&out, p, 1, err);
		p += name.len > 0 ? name.len + 2 : 1;
	}
	if (rc == 0 && out.len > 0 && strstr(out.data, "{secret.") != NULL)
		rc = cyg_fail(err, CYG_EINVAL, "the value may not hold {secret.…}");
	*ret = cyg_arena_dup(arena, cyg_buf_str(&out));
	return rc < 0 ? cyg_wrap(err, "%s", property) : 0;
}

/* ---- layers ---- */

struct layers {
	const struct spark_chosen *c;
	struct cyg_arena *arena;
	struct spark_setting *list;
	size_t n;
};

static int add(struct layers *l, struct spark_setting s, struct cyg_err *err)
{
	if (l->n == SPARK_SETTINGS_MAX)
		return cyg_fail(err, CYG_ELIMIT, "more than %d settings", SPARK_SETTINGS_MAX);
	if (fill(l->c, s.name, s.value, l->arena, &s.value, err) < 0)
		return -(int)err->code;
	l->list[l->n++] = s;
	return 0;
}

static int add_bundle(struct layers *l, const struct spark_bundle *b, struct cyg_err *err)
{
	for (size_t i = 0; i < b->n_options; i++) {
		const struct spark_bundle_option *o = &b->options[i];
		const struct spark_setting s = { SPARK_LAYER_BUNDLES,
			o->concatenate != NULL ? SPARK_OP_JOIN : SPARK_OP_OFFER, o->name, o->value,
			o->concatenate };

		if (add(l, s, err) < 0)
			return cyg_wrap(err, "the bundle '%s'", b->name);
	}
	return 0;
}

static int add_bundle_by_name(
    struct layers *l, const struct spark_choose_from *from, const char *name, struct cyg_err *err)
{
	const struct spark_bundle *b =
	    from->bundles != NULL ? spark_bundles_find(from->bundles, name) : NULL;

	if (b == NULL)
		return cyg_fail(err, CYG_ENOENT, "there is no bundle '%.200s' here", name);
	if (!spark_bundle_fits(b, from->cluster, from->version))
		return cyg_fail(err, CYG_EINVAL,
		    "the bundle '%s' is not for the cluster %s with Spark %s", name, from->cluster,
		    from->version);
	return add_bundle(l, b, err);
}

static int add_pairs(
    struct layers *l, enum spark_layer layer, const struct spark_pairs *pairs, struct cyg_err *err)
{
	for (size_t i = 0; i < pairs->n; i++) {
		const struct spark_setting s = { layer, SPARK_OP_SET, pairs->list[i].name,
			pairs->list[i].value, NULL };

		if (add(l, s, err) < 0)
			return cyg_wrap(err, "layer %s", spark_layer_name(layer));
	}
	return 0;
}

int spark_chosen_settings(const struct spark_chosen *c, const struct spark_choose_from *from,
    struct cyg_arena *arena, struct spark_setting **ret, size_t *n, struct cyg_err *err)
{
	struct layers l = { .c = c, .arena = arena };
	int rc = 0;

	l.list = cyg_arena_alloc(arena, SPARK_SETTINGS_MAX * sizeof(*l.list));
	for (size_t i = 0; rc == 0 && i < c->n_bundles; i++)
		rc = add_bundle_by_name(&l, from, c->bundles[i], err);
	if (rc == 0)
		rc = add_pairs(&l, SPARK_LAYER_USER, &c->user, err);
	if (rc == 0)
		rc = add_pairs(&l, SPARK_LAYER_NOTEBOOK, &c->notebook, err);
	if (rc == 0)
		rc = add_pairs(&l, SPARK_LAYER_CONNECT, &c->connect, err);
	*ret = l.list;
	*n = l.n;
	return rc;
}

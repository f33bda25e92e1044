/* Reads bundles as SWAN writes them; strings and counts are bounded, everything is copied. */
#include "spark/bundles.h"

#include "base/mem.h"
#include "spark/render.h"

#include <stdint.h>
#include <string.h>

enum { BUNDLE_NAME_MAX = 200, DESCRIPTION_MAX = 2000 };

static int read_option(
    struct spark_json *j, const json_t *from, struct spark_bundle_option *o, struct cyg_err *err)
{
	const char *concatenate = NULL;
	int rc = spark_json_text(j, from, "name", SPARK_NAME_MAX, &o->name, err);

	if (rc == 0)
		rc = spark_json_value(j, from, "value", &o->value, err);
	if (rc == 0)
		rc = spark_json_text(j, from, "concatenate", 16, &concatenate, err);
	if (rc == 0 && o->name == NULL)
		rc = cyg_fail(err, CYG_EINVAL, "an option has no name");
	if (rc == 0 && o->value == NULL)
		rc = cyg_fail(err, CYG_EINVAL, "the option %s has no value", o->name);
	if (rc == 0)
		o->concatenate = concatenate != NULL && concatenate[0] != '\0' ? concatenate : NULL;
	return rc;
}

static int read_options(
    struct spark_json *j, const json_t *from, struct spark_bundle *b, struct cyg_err *err)
{
	const json_t *list = json_object_get(from, "options");
	size_t n = json_array_size(list);
	int rc = 0;

	if (list != NULL && !json_is_array(list))
		return cyg_fail(err, CYG_EINVAL, "options must be a list");
	if (n > SPARK_BUNDLE_OPTIONS_MAX)
		return cyg_fail(err, CYG_ELIMIT, "more than %d options", SPARK_BUNDLE_OPTIONS_MAX);
	b->options = cyg_arena_alloc(j->arena, (n + 1) * sizeof(*b->options));
	for (; rc == 0 && b->n_options < n; b->n_options++)
		rc = read_option(
		    j, json_array_get(list, b->n_options), &b->options[b->n_options], err);
	return rc;
}

static int read_bundle(
    struct spark_json *j, const json_t *from, struct spark_bundle *b, struct cyg_err *err)
{
	int rc = read_options(j, from, b, err);

	if (rc == 0)
		rc = spark_json_text(j, from, "description", DESCRIPTION_MAX, &b->description, err);
	if (rc == 0)
		rc = spark_json_names(
		    j, from, "cluster_filter", SPARK_BUNDLE_FILTERS_MAX, &b->clusters, err);
	if (rc == 0)
		rc = spark_json_names(
		    j, from, "spark_version_filter", SPARK_BUNDLE_FILTERS_MAX, &b->versions, err);
	return rc < 0 ? cyg_wrap(err, "the bundle '%s'", b->name) : 0;
}

static int read_all(
    struct spark_json *j, const json_t *all, struct spark_bundles *ret, struct cyg_err *err)
{
	const char *name;
	json_t *bundle;

	if (!json_is_object(all))
		return cyg_fail(err, CYG_EINVAL, "bundled_options must be a map of bundles");
	if (json_object_size(all) > SPARK_BUNDLES_MAX)
		return cyg_fail(err, CYG_ELIMIT, "more than %d bundles", SPARK_BUNDLES_MAX);
	ret->list = cyg_arena_alloc(j->arena, (json_object_size(all) + 1) * sizeof(*ret->list));
	json_object_foreach ((json_t *)(uintptr_t)all, name, bundle) {
		struct spark_bundle *b = &ret->list[ret->n++];

		if (strlen(name) > BUNDLE_NAME_MAX || name[0] == '\0' ||
		    !cyg_str_is_text(cyg_str_of(name)))
			return cyg_fail(err, CYG_EINVAL,
			    "the name of a bundle must be one line of at most %d bytes",
			    BUNDLE_NAME_MAX);
		b->name = cyg_arena_dup(j->arena, cyg_str_of(name));
		if (read_bundle(j, bundle, b, err) < 0)
			return -(int)err->code;
	}
	return 0;
}

int spark_bundles_parse(
    const char *file, struct cyg_str text, struct spark_bundles **ret, struct cyg_err *err)
{
	struct spark_bundles *b = cyg_xcalloc(1, sizeof(*b));
	struct spark_json j = { .arena = &b->arena_, .trims = true };
	json_t *root = NULL;
	int rc;

	cyg_arena_init(&b->arena_);
	rc = spark_json_load(text, &root, err);
	if (rc == 0)
		rc = read_all(&j, json_object_get(root, "bundled_options"), b, err);
	json_decref(root);
	if (rc < 0) {
		spark_bundles_free(b);
		return cyg_wrap(err, "%s", file);
	}
	*ret = b;
	return 0;
}

void spark_bundles_free(struct spark_bundles *b)
{
	if (b == NULL)
		return;
	cyg_arena_free(&b->arena_);
	free(b);
}

const struct spark_bundle *spark_bundles_find(const struct spark_bundles *b, const char *name)
{
	for (size_t i = 0; i < b->n; i++) {
		if (strcmp(b->list[i].name, name) == 0)
			return &b->list[i];
	}
	return NULL;
}

bool spark_version_fits(const char *word, const char *version)
{
	size_t len;

	if (strncmp(word, "spark", 5) == 0)
		word += 5;
	len = strlen(word);
	return len > 0 && strncmp(version, word, len) == 0 &&
	       (version[len] == '\0' || version[len] == '.');
}

bool spark_bundle_fits(const struct spark_bundle *b, const char *cluster, const char *version)
{
	bool fits = b->clusters.n == 0;

	for (size_t i = 0; !fits && i < b->clusters.n; i++)
		fits = strcmp(b->clusters.list[i], cluster) == 0;
	if (!fits || b->versions.n == 0)
		return fits;
	for (size_t i = 0; i < b->versions.n; i++) {
		if (spark_version_fits(b->versions.list[i], version))
			return true;
	}
	return false;
}

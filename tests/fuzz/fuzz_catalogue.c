/* The catalogue of Spark clusters: a file of the software tree. Whatever is taken
 * can be found by its id and rendered with the policy on top. */
#include "base/buf.h"
#include "spark/catalogue.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct spark_cluster *cl)
{
	struct spark_setting all[SPARK_SETTINGS_MAX];
	struct spark_rendered *r = NULL;
	struct cyg_err err;
	size_t n = cl->n_settings;

	if (n > SPARK_SETTINGS_MAX - 1)
		abort();
	if (n > 0)
		memcpy(all, cl->settings, n * sizeof(*all));
	all[n++] = (struct spark_setting){ SPARK_LAYER_POLICY, SPARK_OP_SET, "spark.authenticate",
		"true", NULL };
	if (spark_render(all, n, &r, &err) < 0 ||
	    strcmp(spark_rendered_get(r, "spark.authenticate"), "true") != 0)
		abort();
	spark_rendered_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct spark_catalogue *c = NULL;
	struct cyg_err err;
	const struct spark_cluster *cl;

	if (spark_catalogue_parse("c", (struct cyg_str){ (const char *)data, size }, &c, &err) < 0)
		return 0;
	for (size_t i = 0; (cl = spark_catalogue_at(c, i)) != NULL; i++) {
		if (spark_catalogue_find(c, cl->id) != cl)
			abort();
		check(cl);
	}
	spark_catalogue_free(c);
	return 0;
}

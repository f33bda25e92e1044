/* Lists of option names. Whatever is taken is found by its name, and is the nearest to itself. */
#include "base/mem.h"
#include "spark/options.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct spark_options *o = NULL;
	struct cyg_err err;
	json_t *all;

	if (spark_options_parse("o", (struct cyg_str){ (const char *)data, size }, &o, &err) < 0)
		return 0;
	for (size_t i = 0; i < o->n; i++) {
		const char *name = o->list[i].name;
		const struct spark_option *found = spark_options_find(o, name);
		const char *nearest =
		    i < 8 && strlen(name) > 2 ? spark_options_nearest(o, name) : name;

		if (found == NULL || strcmp(found->name, name) != 0 || nearest == NULL ||
		    strcmp(nearest, name) != 0)
			abort();
	}
	all = spark_options_json(o);
	if (json_array_size(all) != o->n)
		abort();
	json_decref(all);
	spark_options_free(o);
	return 0;
}

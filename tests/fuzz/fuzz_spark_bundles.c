/* Bundles of a community, in SWAN's form. Whatever is taken can be found by its name, and all of
 * them together can be chosen and rendered, or are refused with a sentence. */
#include "base/mem.h"
#include "spark/chosen.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void choose(const struct spark_bundles *b, const struct spark_bundle *one)
{
	const char *names[] = { one->name };
	struct spark_pair variable = { "HOME", "/home" };
	const struct spark_chosen c = {
		.bundles = names, .n_bundles = 1, .variables = { &variable, 1 }
	};
	const struct spark_choose_from from = { b,
		one->clusters.n > 0 ? one->clusters.list[0] : "own", "4.2.0" };
	struct spark_setting *settings = NULL;
	struct spark_rendered *r = NULL;
	struct cyg_arena arena;
	struct cyg_err err = { .msg = "" };
	size_t n = 0;

	cyg_arena_init(&arena);
	if ((spark_chosen_settings(&c, &from, &arena, &settings, &n, &err) < 0 ||
		spark_render(settings, n, &r, &err) < 0) &&
	    err.msg[0] == '\0')
		abort();
	spark_rendered_free(r);
	cyg_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct spark_bundles *b = NULL;
	struct cyg_err err;

	if (spark_bundles_parse("b", (struct cyg_str){ (const char *)data, size }, &b, &err) < 0)
		return 0;
	for (size_t i = 0; i < b->n; i++) {
		if (spark_bundles_find(b, b->list[i].name) != &b->list[i])
			abort();
		choose(b, &b->list[i]);
	}
	spark_bundles_free(b);
	return 0;
}

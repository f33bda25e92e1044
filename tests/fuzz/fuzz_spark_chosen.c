/* The request of a session, from an agent. Whatever is taken becomes settings that render, or is
 * refused with a sentence; and no place for a secret is in them. */
#include "base/mem.h"
#include "spark/chosen.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const json_t *body)
{
	const struct spark_choose_from from = { NULL, "own", "4.2.0" };
	struct spark_setting *settings = NULL;
	struct spark_rendered *r = NULL;
	struct spark_chosen c;
	struct cyg_arena arena;
	struct cyg_err err = { .msg = "" };
	size_t n = 0;

	cyg_arena_init(&arena);
	if ((spark_chosen_read(body, &arena, &c, &err) < 0 ||
		spark_chosen_settings(&c, &from, &arena, &settings, &n, &err) < 0 ||
		spark_render(settings, n, &r, &err) < 0) &&
	    err.msg[0] == '\0')
		abort();
	for (size_t i = 0; r != NULL && i < r->n; i++) {
		if (strstr(r->properties[i].value, "{secret.") != NULL)
			abort();
	}
	spark_rendered_free(r);
	cyg_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *body = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);

	if (body != NULL)
		check(body);
	json_decref(body);
	return 0;
}

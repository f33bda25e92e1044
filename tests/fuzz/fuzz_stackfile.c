/* Fuzz target: stack.yaml of a software tree as the reader child hands it over. What is taken is
 * bounded text; what is refused changes nothing. */
#include "base/mem.h"
#include "hub/offer/stackfile.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text)
{
	if (text == NULL || text[0] == '\0' || !cyg_str_is_text(cyg_str_of(text)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct profile_stack before = {
		.id = "a", .label = "l", .description = "d", .spark = "1", .platform = "p"
	};
	struct profile_stack s = before;
	struct cyg_arena arena;
	struct cyg_err err;

	cyg_arena_init(&arena);
	if (stackfile_read("s", (struct cyg_str){ (const char *)data, size }, &arena, &s, &err) <
	    0) {
		/* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): no byte of it written */
		if (memcmp(&s, &before, sizeof(s)) != 0 || err.msg[0] == '\0')
			abort();
	} else {
		const char *const texts[] = { s.id, s.label, s.description, s.spark, s.platform };
		for (size_t i = 0; i < CYG_N(texts); i++)
			check_text(texts[i]);
		for (size_t i = 0; i < s.kernels.n; i++)
			check_text(s.kernels.items[i]);
	}
	cyg_arena_free(&arena);
	return 0;
}

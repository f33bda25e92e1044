/* Fuzz target: queries and form bodies. A value that is found can be written into a new query and
 * found there unchanged. */
#include "base/mem.h"
#include "http/url.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(struct cyg_arena *arena, struct cyg_str value)
{
	cyg_autobuf struct cyg_buf query;
	struct cyg_str again;
	bool found = false;

	cyg_buf_init(&query, 1 << 22);
	assert(cyg_buf_add_str(&query, "b=&a=", NULL) == 0);
	assert(url_encode(&query, value, "", NULL) == 0);
	assert(cyg_buf_add_str(&query, "&a=other", NULL) == 0);
	assert(url_query_get(arena, cyg_buf_str(&query), "a", &again, &found, NULL) == 0);
	assert(found && cyg_str_same(value, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cyg_str query = { (const char *)data, size };
	struct cyg_arena arena;
	struct cyg_str value;
	bool found = false;

	cyg_arena_init(&arena);
	if (url_query_get(&arena, query, "a", &value, &found, NULL) == 0 && found) {
		assert(value.len <= size && strlen(value.p) == value.len);
		check_again(&arena, value);
	}
	cyg_arena_free(&arena);
	return 0;
}

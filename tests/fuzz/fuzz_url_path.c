/* Fuzz target: request paths. What is accepted is canonical (no hidden separators, no dot or empty
 * segments, no control bytes) and survives being escaped and decoded again. */
#include "base/mem.h"
#include "http/url.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t slashes(struct cyg_str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += s.p[i] == '/';
	return n;
}

static void check_canonical(struct cyg_str raw, struct cyg_str path)
{
	assert(path.len > 0 && path.p[0] == '/');
	assert(slashes(raw) == slashes(path));
	assert(strlen(path.p) == path.len);
	assert(strstr(path.p, "//") == NULL && strstr(path.p, "/../") == NULL);
	assert(strstr(path.p, "/./") == NULL && strchr(path.p, '\\') == NULL);
	assert(!cyg_str_ends(path, "/..") && !cyg_str_ends(path, "/."));
	assert(cyg_str_is_text(path));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cyg_str raw = { (const char *)data, size };
	cyg_autobuf struct cyg_buf escaped;
	struct cyg_arena arena;
	struct cyg_str path, again;

	cyg_arena_init(&arena);
	cyg_buf_init(&escaped, 1 << 22);
	if (url_path_decode(&arena, raw, &path, NULL) == 0) {
		check_canonical(raw, path);
		assert(url_encode(&escaped, path, "/", NULL) == 0);
		assert(url_path_decode(&arena, cyg_buf_str(&escaped), &again, NULL) == 0);
		assert(cyg_str_same(path, again));
		/* Written escaped it never leaves the origin. */
		assert(url_is_local(cyg_buf_str(&escaped)));
	}
	if (url_is_local(raw))
		assert(raw.p[0] == '/' && (raw.len == 1 || (raw.p[1] != '/' && raw.p[1] != '\\')));
	cyg_arena_free(&arena);
	return 0;
}

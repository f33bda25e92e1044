/* Reads the names of user and server from a base URL. */
#include "kernels/agent/names.h"

#include "base/mem.h"
#include "cygnet/paths.h"
#include "http/url.h"

#include <string.h>

static const char PREFIX[] = CYG_USER_PATH;

static char *decoded(struct cyg_arena *arena, struct cyg_str raw)
{
	struct cyg_str text;

	return url_decode(arena, raw, &text, NULL) == 0 ? cyg_str_dup(text) : cyg_str_dup(raw);
}

void names_read(const char *base_url, struct names *ret)
{
	struct cyg_str rest = cyg_str_of(base_url);
	struct cyg_arena arena;
	size_t at;

	memset(ret, 0, sizeof(*ret));
	if (cyg_str_ends(rest, "/"))
		rest.len--;
	if (!cyg_str_starts(rest, PREFIX) || rest.len == sizeof(PREFIX) - 1)
		return;
	rest = cyg_str_skip(rest, sizeof(PREFIX) - 1);
	at = cyg_str_chr(rest, '/');
	cyg_arena_init(&arena);
	ret->user = decoded(&arena, cyg_str_sub(rest, 0, at));
	ret->server = decoded(
	    &arena, at < rest.len ? cyg_str_skip(rest, at + 1) : cyg_str_sub(rest, rest.len, 0));
	cyg_arena_free(&arena);
}

void names_free(struct names *n)
{
	free(n->user);
	free(n->server);
	memset(n, 0, sizeof(*n));
}

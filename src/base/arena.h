/* Memory that lives as long as one request: many small allocations, one release. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/str.h"

struct cyg_arena {
	struct cyg_arena_block *first; /* newest block; NULL while nothing was allocated */
};

void cyg_arena_init(struct cyg_arena *a);
/* Releases all memory taken from the arena; the arena can be used again. */
void cyg_arena_free(struct cyg_arena *a);
/* Zeroed, aligned for any type, valid until cyg_arena_free. Aborts when memory is out: sizes named
 * by a peer are checked against a limit before they get here. */
void *cyg_arena_alloc(struct cyg_arena *a, size_t size);
/* Terminated copies. */
char *cyg_arena_dup(struct cyg_arena *a, struct cyg_str s);
/* n parts, one behind the other. */
char *cyg_arena_join(struct cyg_arena *a, const struct cyg_str *parts, size_t n);
char *cyg_arena_printf(struct cyg_arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif

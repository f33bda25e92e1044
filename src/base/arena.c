/* The request arena: a chain of blocks, the newest first. */
#include "base/arena.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct cyg_arena_block {
	struct cyg_arena_block *next;
	size_t used, cap;
	max_align_t data[];
};

enum { ARENA_BLOCK = 4096 - 64 };

void cyg_arena_init(struct cyg_arena *a)
{
	a->first = NULL;
}

void cyg_arena_free(struct cyg_arena *a)
{
	while (a->first != NULL) {
		struct cyg_arena_block *b = a->first;

		a->first = b->next;
		free(b);
	}
}

void *cyg_arena_alloc(struct cyg_arena *a, size_t size)
{
	size_t need = (size + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
	struct cyg_arena_block *b = a->first;
	char *p;

	if (b == NULL || b->cap - b->used < need) {
		size_t cap = need > ARENA_BLOCK ? need : ARENA_BLOCK;

		b = cyg_xcalloc(1, sizeof(*b) + cap);
		b->cap = cap;
		b->next = a->first;
		a->first = b;
	}
	p = (char *)b->data + b->used;
	b->used += need;
	return p;
}

char *cyg_arena_dup(struct cyg_arena *a, struct cyg_str s)
{
	char *copy = cyg_arena_alloc(a, s.len + 1);

	if (s.len > 0)
		memcpy(copy, s.p, s.len);
	return copy;
}

char *cyg_arena_join(struct cyg_arena *a, const struct cyg_str *parts, size_t n)
{
	size_t len = 0;
	char *text, *at;

	for (size_t i = 0; i < n; i++)
		len += parts[i].len;
	text = at = cyg_arena_alloc(a, len + 1);
	for (size_t i = 0; i < n; at += parts[i++].len) {
		if (parts[i].len > 0)
			memcpy(at, parts[i].p, parts[i].len);
	}
	return text;
}

char *cyg_arena_printf(struct cyg_arena *a, const char *fmt, ...)
{
	va_list ap;
	va_list again;
	char *text;
	int len;

	va_start(ap, fmt);
	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	text = cyg_arena_alloc(a, (size_t)(len > 0 ? len : 0) + 1);
	(void)vsnprintf(text, (size_t)(len > 0 ? len : 0) + 1, fmt, ap);
	va_end(ap);
	return text;
}

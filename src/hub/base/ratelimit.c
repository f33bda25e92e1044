/* A fixed window per key. */
#include "hub/base/ratelimit.h"

#include "base/hash.h"
#include "base/mem.h"

struct window {
	uint64_t until_ms;
	unsigned events;
};

struct ratelimit {
	struct cyg_hash *windows;
	unsigned max;
	uint64_t window_ms;
	size_t keys_max;
};

struct ratelimit *ratelimit_new(unsigned max, uint64_t window_ms, size_t keys_max)
{
	struct ratelimit *r = cyg_xcalloc(1, sizeof(*r));

	r->windows = cyg_hash_new();
	r->max = max;
	r->window_ms = window_ms;
	r->keys_max = keys_max;
	return r;
}

void ratelimit_free(struct ratelimit *r)
{
	if (r == NULL)
		return;
	cyg_hash_free(r->windows, free);
	free(r);
}

static bool is_over(void *arg, struct cyg_str key, void *value)
{
	const uint64_t *now_ms = arg;
	struct window *w = value;

	if (w->until_ms > *now_ms)
		return false;
	free(w);
	return true;
}

static bool is_full(struct ratelimit *r, uint64_t now_ms)
{
	if (cyg_hash_count(r->windows) < r->keys_max)
		return false;
	(void)cyg_hash_sweep(r->windows, is_over, &now_ms);
	return cyg_hash_count(r->windows) >= r->keys_max;
}

uint64_t ratelimit_wait(struct ratelimit *r, struct cyg_str key, uint64_t now_ms)
{
	struct window *w = cyg_hash_find(r->windows, key);

	if (w == NULL)
		return is_full(r, now_ms) ? r->window_ms : 0;
	if (w->until_ms <= now_ms || w->events < r->max)
		return 0;
	return w->until_ms - now_ms;
}

void ratelimit_count(struct ratelimit *r, struct cyg_str key, uint64_t now_ms)
{
	struct window *w = cyg_hash_find(r->windows, key);

	if (w == NULL) {
		if (is_full(r, now_ms))
			return;
		w = cyg_xcalloc(1, sizeof(*w));
		(void)cyg_hash_set(r->windows, key, w);
	}
	if (w->until_ms <= now_ms) {
		w->until_ms = now_ms + r->window_ms;
		w->events = 0;
	}
	w->events++;
}

void ratelimit_uncount(struct ratelimit *r, struct cyg_str key)
{
	struct window *w = cyg_hash_find(r->windows, key);

	if (w != NULL && w->events > 0)
		w->events--;
}

void ratelimit_clear(struct ratelimit *r, struct cyg_str key)
{
	free(cyg_hash_remove(r->windows, key));
}

/* Counting events per key (a failed sign-in of a name or an address, a start of a user) in a window
 * of time. Time is a parameter. */
#ifndef HUB_RATELIMIT_H
#define HUB_RATELIMIT_H

#include "base/str.h"

#include <stdint.h>

struct ratelimit;

/* At most max events of one key per window; keys_max bounds the memory: when it is reached, those
 * whose window is over are forgotten, and if none is, new keys count as being over the limit. */
struct ratelimit *ratelimit_new(unsigned max, uint64_t window_ms, size_t keys_max);
void ratelimit_free(struct ratelimit *r);
/* 0 when another try is allowed, else milliseconds until it is. */
uint64_t ratelimit_wait(struct ratelimit *r, struct cyg_str key, uint64_t now_ms);
/* One event. */
void ratelimit_count(struct ratelimit *r, struct cyg_str key, uint64_t now_ms);
/* Takes one event back. */
void ratelimit_uncount(struct ratelimit *r, struct cyg_str key);
/* Forgets the key's events: a success after failures. */
void ratelimit_clear(struct ratelimit *r, struct cyg_str key);

#endif

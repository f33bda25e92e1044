/* Counting open requests by kind and user. */
#include "hub/base/asks.h"

#include "base/hash.h"
#include "base/mem.h"
#include "hub/base/reply.h"

#include <assert.h>
#include <stdint.h>

enum { FULL_MS = 10 * 1000 }; /* when to come back */

/* The limit of each user: more than a browser's tabs need. The limit in all: far below the limit of
 * descriptors (each request holds two), and enough for every tab of a class. */
static const struct {
	size_t user, all;
} maxima[ASKS_KINDS] = {
	[ASKS_STAT] = { 24, 1024 },
	[ASKS_SPARK] = { 8, 512 },
	[ASKS_CONNECT] = { 8, 512 },
};

struct asks {
	struct cyg_hash *users[ASKS_KINDS]; /* name → size_t on the heap; none: 0 */
	size_t all[ASKS_KINDS];
};

struct asks *asks_new(void)
{
	struct asks *a = cyg_xcalloc(1, sizeof(*a));

	for (size_t i = 0; i < ASKS_KINDS; i++)
		a->users[i] = cyg_hash_new();
	return a;
}

void asks_free(struct asks *a)
{
	if (a == NULL)
		return;
	for (size_t i = 0; i < ASKS_KINDS; i++)
		cyg_hash_free(a->users[i], free);
	free(a);
}

size_t asks_user_max(enum asks_kind kind)
{
	return maxima[kind].user;
}

size_t asks_all_max(enum asks_kind kind)
{
	return maxima[kind].all;
}

enum asks_verdict asks_enter(struct asks *a, enum asks_kind kind, const char *user)
{
	size_t *count = cyg_hash_find(a->users[kind], cyg_str_of(user));

	if (count != NULL && *count >= maxima[kind].user)
		return ASKS_USER_FULL;
	if (a->all[kind] >= maxima[kind].all)
		return ASKS_ALL_FULL;
	if (count == NULL) {
		count = cyg_xcalloc(1, sizeof(*count));
		(void)cyg_hash_set(a->users[kind], cyg_str_of(user), count);
	}
	(*count)++;
	a->all[kind]++;
	return ASKS_TAKEN;
}

void asks_leave(struct asks *a, enum asks_kind kind, const char *user)
{
	size_t *count = cyg_hash_find(a->users[kind], cyg_str_of(user));

	assert(count != NULL && a->all[kind] > 0); /* only what was entered is left */
	a->all[kind]--;
	if (--*count == 0)
		free(cyg_hash_remove(a->users[kind], cyg_str_of(user)));
}

bool asks_admit(struct asks *a, enum asks_kind kind, const char *user, struct http_req *req)
{
	enum asks_verdict verdict = asks_enter(a, kind, user);

	if (verdict == ASKS_TAKEN)
		return true;
	reply_retry_after(req, FULL_MS);
	if (verdict == ASKS_USER_FULL)
		reply_error(req, 429,
		    "You have too many of these requests open. Please close some pages, or wait.");
	else
		reply_error(req, 503,
		    "Too many of these requests are open on this site. Please try again in a "
		    "moment.");
	return false;
}

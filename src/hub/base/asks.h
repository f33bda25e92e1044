/* Limits on the requests that the hub keeps open while it asks another program on behalf of a user:
 * counted by kind, for each user and in all, so that no user takes all descriptors. */
#ifndef HUB_ASKS_H
#define HUB_ASKS_H

#include "base/str.h"

enum asks_kind {
	ASKS_STAT,    /* the spawner, then the agent */
	ASKS_SPARK,   /* the agent */
	ASKS_CONNECT, /* the reader of the catalogue */
	ASKS_KINDS,
};

enum asks_verdict { ASKS_TAKEN, ASKS_USER_FULL, ASKS_ALL_FULL };

struct asks;
struct http_req;

struct asks *asks_new(void);
/* NULL is accepted. */
void asks_free(struct asks *a);
/* Takes a place; each one taken is given back by asks_leave. */
enum asks_verdict asks_enter(struct asks *a, enum asks_kind kind, const char *user);
void asks_leave(struct asks *a, enum asks_kind kind, const char *user);
/* How many a user, and all together, may have open. */
size_t asks_user_max(enum asks_kind kind);
size_t asks_all_max(enum asks_kind kind);
/* asks_enter for a request. False when it was refused with 429 or 503, Retry-After and a sentence.
 */
bool asks_admit(struct asks *a, enum asks_kind kind, const char *user, struct http_req *req);

#endif

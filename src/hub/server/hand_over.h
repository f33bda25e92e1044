/* What a deleted user left at the spawners, uid and home, handed to the user who has the name now,
 * as a story: it is allowed → it is written down → every spawner does it or has nothing → it is
 * written who has them. docs/decisions/0007 says why an administrator decides this. */
#ifndef HUB_HAND_OVER_H
#define HUB_HAND_OVER_H

#include "http/server.h"
#include "hub/access/people.h"

struct audit_actor;
struct srvs;

struct hand_over_spec {
	struct person *to;
	int64_t from; /* id of a former user; 0: what the name had before users had ids */
	const struct audit_actor *by;
};

/* Responds later, 200 with a sentence that says what was done; 404 when there is nothing of such a
 * user; 409 while a server of theirs runs, and when it was done before; 503 when a spawner is away
 * or does not tell. Goes on when the client goes away. */
void hand_over_begin(struct srvs *srvs, const struct hand_over_spec *spec, struct http_req *req);
/* Those on their way are forgotten: the spawners do them or do not. */
void hand_overs_close(struct srvs *srvs);

#endif

/* The deletion of a user, as a story: no sign-in any more → sessions and tokens end → servers are
 * stopped → their records, the user's rows and the user go → the proxy's table is in force. */
#ifndef HUB_LEAVE_H
#define HUB_LEAVE_H

#include "http/server.h"
#include "hub/access/people.h"

struct srvs;

/* Forgets the deletions that wait: their users are still there at the next start. */
void leaves_close(struct srvs *srvs);
/* Begins the deletion, or joins one that is under way. Responds 204 when it is done; 202 when the
 * servers take longer than the configured time to stop, and the deletion goes on, also when the
 * client goes away. */
void leave_begin(struct srvs *srvs, struct person *person, struct http_req *req);
/* A server of that user has stopped. */
void leaves_settle(struct srvs *srvs, const char *user);

#endif

/* The deletion of a user, as a story: no sign-in any more → sessions and tokens end → servers are
 * stopped → their records, the user's rows and the user go → the proxy's table is in force. */
#ifndef HUB_LEAVE_H
#define HUB_LEAVE_H

#include "http/server.h"
#include "hub/access/people.h"
#include "hub/hub.h"

struct leaves;

struct leaves *leaves_new(void);
/* Deletions that wait are forgotten: the users are still there at the next start. NULL is accepted.
 */
void leaves_close(struct leaves *leaves);
/* Begins, or joins one that is on its way. Responds 204 when nothing is left; 202 when the servers
 * take longer than the configured time to stop, and goes on; also when the client goes away. */
void leave_begin(struct hub *hub, struct person *person, struct http_req *req);
/* A server of that user has stopped. */
void leaves_settle(struct hub *hub, const char *user);

#endif

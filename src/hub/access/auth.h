/* Whether the endpoint's row allows the principal, and which user a request is about: decided once
 * for each request. */
#ifndef HUB_ACCESS_AUTH_H
#define HUB_ACCESS_AUTH_H

#include "hub/access/who.h"

/* The principal of the request: found once, then remembered. Never NULL. */
const struct who *auth_who(struct http_req *req);
/* Forgets it: its session was ended. */
void auth_forget(struct http_req *req);
/* The user that the path's {user} names; where the row says "own", who asks. NULL where the row
 * says "new" and there is no such user, and on rows without a scope. Handlers act on this user, not
 * on who asks. */
struct person *auth_about(struct http_req *req);
/* The name of the path's {server}; empty for the default one. */
struct cyg_str auth_server_name(const struct http_req *req);
/* The server's authorize hook. */
bool auth_authorize(struct http_req *req, const struct http_endpoint *endpoint);
/* Checks that every row has a known word of rule.h. */
int auth_check_endpoints(const struct http_endpoint *endpoints, struct cyg_err *err);

#endif

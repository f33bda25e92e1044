/* Whether the endpoint's row lets who asks, and about whom a request is: resolved here, once. */
#ifndef HUB_ACCESS_AUTH_H
#define HUB_ACCESS_AUTH_H

#include "hub/access/who.h"

/* Found out once per request and remembered. Never NULL. */
const struct who *auth_who(struct http_req *req);
/* Forgets it: its session was ended. */
void auth_forget(struct http_req *req);
/* The user that the path's {user} names, or who asks where the row says "own"; NULL where the row
 * lets them be new and they are, and on rows without a scope. Handlers act on this one, not on who
 * asks. */
struct person *auth_about(struct http_req *req);
/* The name of the path's {server}; empty for the default one. */
struct cyg_str auth_server_name(const struct http_req *req);
/* The server's authorize hook. */
bool auth_authorize(struct http_req *req, const struct http_endpoint *endpoint);
/* Every endpoint says who may, in words of rule.h. */
int auth_check_endpoints(const struct http_endpoint *endpoints, struct cyg_err *err);

#endif

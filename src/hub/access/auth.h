/* Who is asking, and whether the endpoint's scope lets them. */
#ifndef HUB_AUTH_H
#define HUB_AUTH_H

#include "http/server.h"
#include "hub/access/sessions.h"

struct srv;

/* One request's identity; lives in its arena. */
struct who {
	struct person *person;   /* NULL: nobody */
	struct session *session; /* by cookie or token */
	struct srv *srv;         /* by the inner door: acts for that one server only */
	bool admin;              /* by the administrator's token; no person */
	bool by_cookie;          /* such a request may have been forged by another site */
};

/* Finds out once per request and remembers it. Never NULL. */
const struct who *auth_who(struct http_req *req);
/* The server's authorize hook. */
bool auth_authorize(struct http_req *req, const struct http_endpoint *endpoint);
/* Every endpoint names a scope that is in the table. */
int auth_check_endpoints(const struct http_endpoint *endpoints, struct cyg_err *err);

#endif

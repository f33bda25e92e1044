/* What a request of the hub's server brings: the context of each wing. It is filled at the start,
 * on top; a wing knows no more than the names of those above it, and takes its own and those below.
 */
#ifndef HUB_BASE_APP_H
#define HUB_BASE_APP_H

#include "http/server.h"

struct access;
struct hub;
struct webfiles;

struct app {
	const struct webfiles *files; /* NULL: errors are JSON */
	struct access *access;
	struct hub *hub;
};

static inline const struct app *request_app(const struct http_req *req)
{
	return req->app;
}

#endif

/* What every request of the hub's server carries, so that each wing finds it: the files of the
 * pages, the users and their rights, the metrics. hub.c fills it at the start. */
#ifndef HUB_BASE_APP_H
#define HUB_BASE_APP_H

#include "http/server.h"

struct access;
struct metrics;
struct webfiles;

struct app {
	const struct webfiles *files; /* NULL: errors are JSON */
	struct access *access;
	struct metrics *metrics;
};

static inline const struct app *request_app(const struct http_req *req)
{
	return req->app;
}

#endif

/* Private to src/http: from a head to the handler, the same for both servers. */
#ifndef HTTP_ROUTE_H
#define HTTP_ROUTE_H

#include "http/mount.h"

/* req has its head and its decoded path. Finds mount and endpoint, asks authorize (NULL: everything
 * passes). True: the body may come, and then the endpoint's handler. False: the request has its
 * response (404, 405, what authorize said), or gets it later from authorize. */
bool http_route(const struct mounts *mounts,
    bool (*authorize)(struct http_req *req, const struct http_endpoint *endpoint),
    struct http_req *req);

#endif

/* The addresses that show the portal's static files. */
#ifndef HUB_PAGES_H
#define HUB_PAGES_H

#include "http/server.h"

/* The tables, ended by a NULL path: what is mounted at CYG_HUB_PATH, and at the path above it, with
 * the struct api (api.h) as ctx. */
extern const struct http_endpoint page_endpoints[];
extern const struct http_endpoint root_endpoints[];

/* Responds where no endpoint matches: addresses of servers that do not run, unknown ones. */
void page_not_found(struct http_req *req);

#endif

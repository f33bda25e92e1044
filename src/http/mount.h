/* Private to src/http: the mounts of a server, and which of them a request belongs to. */
#ifndef HTTP_MOUNT_H
#define HTTP_MOUNT_H

#include "http/endpoint.h"

struct mounts;

/* Compiles a list ended by NULL endpoints, which is copied; one reference. A malformed prefix, or
 * two rows for the same method and path below the same prefix: -CYG_EINVAL. */
int mounts_new(const struct http_mount *list, struct mounts **ret, struct cyg_err *err);
/* One reference each for the server and for every request: work for a request may go on after its
 * server has gone. */
struct mounts *mounts_ref(struct mounts *m);
/* NULL is accepted. */
void mounts_unref(struct mounts *m);

/* What to do where no endpoint was found. */
struct mount_match {
	unsigned allowed; /* a bit (1 << method) for each method that the path has: not 0 is 405 */
	http_handler not_found; /* NULL: a plain 404 */
};

/* From req's method and decoded path: sets its mount, ctx, base_url, endpoint (NULL: see *ret) and
 * params. */
void mounts_route(const struct mounts *m, struct http_req *req, struct mount_match *ret);

#endif

/* The REST and WebSocket endpoints of kernels: api/kernelspecs, kernelspecs/, api/kernels,
 * api/sessions (jupyter_server's services of these names are the behaviour followed). */
#ifndef KERNEL_API_H
#define KERNEL_API_H

#include "http/server.h"
#include "kernels/kernel/kernels.h"
#include "kernels/kernel/nbsessions.h"

/* What the handlers need; the agent owns it. */
struct kernel_ctx {
	struct kernels *kernels;
	struct nbsessions *nbsessions;
	uv_loop_t *loop;
	const struct specs_path *specs; /* must not change, and must live as long as the loop */
	const char *root_dir;           /* of the contents: notebooks' paths are below it */
};

/* Ended by a NULL path. Mounted with a struct kernel_ctx. */
extern const struct http_endpoint specs_endpoints[];
extern const struct http_endpoint kernels_endpoints[];
extern const struct http_endpoint nbsessions_endpoints[];

#endif

/* Finds the specification and the folder for a new kernel off the loop, because homes and software
 * trees may hang and other kernels' traffic must not. Starting the kernel is kernels.h. */
#ifndef KERNEL_LOOKUP_H
#define KERNEL_LOOKUP_H

#include "cygnet/err.h"
#include "kernels/kernel/api.h"
#include "kernels/kernel/specs.h"

#include <stdbool.h>

struct lookup {
	const char *name; /* of the specification; NULL or "": the default one */
	const char
	    *path; /* of the API, or NULL: the kernel starts there or in the nearest folder above */
	bool path_is_file;
};

/* Comes exactly once, never from inside lookup_start. spec (taken) is NULL on failure, -CYG_ENOENT
 * when there is none of that name; cwd is valid during the call. */
typedef void (*lookup_done_fn)(
    void *arg, struct spec *spec, const char *cwd, const struct cyg_err *err);
/* Copies the strings of l. */
void lookup_start(
    const struct kernel_ctx *ctx, const struct lookup *l, lookup_done_fn done, void *arg);

#endif

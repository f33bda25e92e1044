/* The hub's copy of the catalogue of Spark clusters: read by a child when somebody wants it and it
 * is older than a few seconds, one child for all who wait, so that a flood of requests costs
 * neither a process nor a parse each. */
#ifndef HUB_CLUSTERS_H
#define HUB_CLUSTERS_H

#include "base/list.h"
#include "cygnet/err.h"

#include <stdint.h>
#include <uv.h>

struct clusters;
struct spark_catalogue;

enum { CLUSTERS_AGE_MS = 2000 }; /* a change of the file is seen so late at most */

/* catalogue is borrowed for the call; why is set when there is none. */
typedef void (*clusters_fn)(
    void *arg, const struct spark_catalogue *catalogue, const struct cyg_err *why);

/* Somebody who waits; embedded in whatever waits. Zero it before its first use. */
struct clusters_wait {
	struct cyg_link link;
	struct clusters *clusters; /* NULL: does not wait */
	clusters_fn fn;
	void *arg;
};

struct clusters *clusters_new(uv_loop_t *loop, const char *path);
/* Nobody may be waiting any more. NULL is accepted. */
void clusters_close(struct clusters *c);
/* fn comes exactly once, from the loop, never from inside this call, never after cancel. */
void clusters_want(struct clusters *c, struct clusters_wait *w, clusters_fn fn, void *arg);
/* One that does not wait is accepted. */
void clusters_wait_cancel(struct clusters_wait *w);

#endif

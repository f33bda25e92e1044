/* The hub's copy of the catalogue of Spark clusters. It is read by a child when a request needs it
 * and it is older than a few seconds, by one child for all who wait, so that many requests cost one
 * process and one parse. */
#ifndef HUB_CLUSTERS_H
#define HUB_CLUSTERS_H

#include "base/list.h"
#include "cygnet/err.h"

#include <stdint.h>
#include <uv.h>

struct clusters;
struct spark_catalogue;

enum { CLUSTERS_AGE_MS = 2000 }; /* how late a change of the file may be seen */

/* catalogue is borrowed for the call; why is set when there is none. */
typedef void (*clusters_fn)(
    void *arg, const struct spark_catalogue *catalogue, const struct cyg_err *why);

/* One request that waits; embedded in what waits. Zero it before its first use. */
struct clusters_wait {
	struct cyg_link link;
	struct clusters *clusters; /* NULL: does not wait */
	clusters_fn fn;
	void *arg;
};

struct clusters *clusters_new(uv_loop_t *loop, const char *path);
/* No request may be waiting. NULL is accepted. */
void clusters_close(struct clusters *c);
/* fn comes exactly once, from the loop, never from inside this call, never after cancel. */
void clusters_want(struct clusters *c, struct clusters_wait *w, clusters_fn fn, void *arg);
/* One that does not wait is accepted. */
void clusters_wait_cancel(struct clusters_wait *w);

#endif

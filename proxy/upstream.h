/* Connections to targets. Each target has a pool of kept-alive connections; a connection serves one
 * request at a time. */
#ifndef PROXY_UPSTREAM_H
#define PROXY_UPSTREAM_H

#include "base/list.h"
#include "proxy/peer.h"
#include "proxy/target.h"

#include <stdint.h>

struct client;
struct proxy;

struct pool {
	struct target target;
	struct cyg_list idle; /* oldest first */
	size_t n_busy;
};

struct upstream {
	struct cyg_link link; /* of the pool's idle list */
	struct proxy *proxy;
	struct pool *pool;
	struct client *client; /* who uses it; NULL: idle, or closed */
	bool connecting;
	bool reused; /* it served a request before */
	bool closed;
	uint64_t since_ms; /* idle or connecting */
	struct peer peer;
};

/* A connection for the request, attached to c->up: a kept-alive one unless fresh, else a new one,
 * which may still be connecting. -CYG_EBUSY when the target's backlog is full (try again), another
 * code when it cannot be reached. */
int upstream_take(struct client *c, const char *target, bool fresh, struct cyg_err *err);
/* Gives c's connection back to the pool when keep, else closes it. Sets c->up to NULL; does nothing
 * when it is NULL already. */
void upstream_release(struct client *c, bool keep);
/* Sets what to wait for, while it has a client. */
void upstream_watch(struct upstream *u, int events);
/* Closes idle connections that are old (with all: every one) and frees pools without any. */
void upstream_tidy(struct proxy *p, bool all);

#endif

/* For unit tests of the proxy's connections: a proxy without a table on a loop of its own, which
 * answers each request 503 by itself, and clients in the same process. */
#ifndef TESTS_PROXY_RIG_H
#define TESTS_PROXY_RIG_H

#include "proxy/listen.h"
#include "proxy/proxy.h"

struct proxy_rig {
	uv_loop_t loop;
	struct proxy proxy;
	struct listener listener; /* public, for the host "h" */
};

void proxy_rig_start(struct proxy_rig *rig, const struct stream_ops *stream, const char *scheme);
/* Closes all connections; fails the test when one stays. */
void proxy_rig_stop(struct proxy_rig *rig);
/* Two connected sockets that do not block; the first takes size bytes before it is full, 0: as the
 * system has it. */
void proxy_rig_pair(int ends[2], int size);
/* A client's end of a new connection, with a pair of that size. */
int proxy_rig_dial(struct proxy_rig *rig, int size);
/* How many responses have come, each a 503. */
unsigned proxy_rig_take(int fd);

#endif

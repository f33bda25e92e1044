/* ZeroMQ sockets on the loop; zsock.c is the only file that uses libzmq. Every socket is read until
 * it is empty, because a socket that is not read drops messages. */
#ifndef KERNEL_ZSOCK_H
#define KERNEL_ZSOCK_H

#include "base/str.h"
#include "cygnet/err.h"

#include <uv.h>

struct zsock_pool; /* the context, and what wakes its sockets */
struct zsock;

enum zsock_kind { ZSOCK_DEALER, ZSOCK_SUB };

struct zsock_events {
	/* One whole multipart message; parts are valid during the call. */
	void (*on_message)(void *arg, const struct cyg_str *parts, size_t n);
	/* After the last of a run of messages: write what they caused now. */
	void (*on_batch_end)(void *arg);
};

int zsock_pool_new(uv_loop_t *loop, struct zsock_pool **ret, struct cyg_err *err);
/* Every socket must have been closed. Unsent messages are dropped. */
void zsock_pool_free(struct zsock_pool *p);

/* How often a socket was asked whether it has a message: the cost of a turn besides the messages.
 */
uint64_t zsock_pool_looks(const struct zsock_pool *p);

struct zsock_opts {
	enum zsock_kind kind;
	const char *identity; /* of a DEALER, or NULL */
	const char *endpoint; /* "ipc://…", "tcp://127.0.0.1:…" */
	const struct zsock_events *events;
	void *arg;
};

/* Connects to the endpoint, which need not exist yet: messages are queued until then. A SUB
 * subscribes to everything. */
int zsock_open(
    struct zsock_pool *p, const struct zsock_opts *opts, struct zsock **ret, struct cyg_err *err);
/* Sends one multipart message, copying it. Never waits: -CYG_EBUSY when the queue of libzmq is
 * full. */
int zsock_send(struct zsock *z, const struct cyg_str *parts, size_t n, struct cyg_err *err);
/* Safe inside its own callbacks; no callback comes after it. NULL is accepted. */
void zsock_close(struct zsock *z);

#endif

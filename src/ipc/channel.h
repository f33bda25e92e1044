/* A SEQPACKET channel on the loop: whole messages in and out, descriptors by SCM_RIGHTS, a bounded
 * queue while the peer does not read. It does not know what the messages mean. */
#ifndef IPC_CHANNEL_H
#define IPC_CHANNEL_H

#include "cygnet/err.h"

#include <uv.h>

struct ipc_channel;

struct ipc_events {
	/* One message; fds (n_fds of them, CLOEXEC) belong to the callee, unused ones are closed by
	 * it. */
	void (*on_message)(void *arg, const void *data, size_t len, int *fds, size_t n_fds);
	/* The peer is gone or broke the rules; comes once, nothing after it. */
	void (*on_end)(void *arg, const struct cyg_err *why);
};

enum { IPC_FDS_MAX = 4, IPC_QUEUE_MAX = 4096 };

/* Takes fd (a connected SEQPACKET socket): on failure it is closed. */
int ipc_channel_new(uv_loop_t *loop, int fd, const struct ipc_events *events, void *arg,
    struct ipc_channel **ret, struct cyg_err *err);
/* Sends or queues; descriptors are duplicated. -CYG_ELIMIT when IPC_QUEUE_MAX messages wait. */
int ipc_channel_send(struct ipc_channel *c, const void *data, size_t len, const int *fds,
    size_t n_fds, struct cyg_err *err);
/* Ends the connection for both sides: on_end comes from the loop, as if the peer had gone. What
 * waits to be sent is not sent. */
void ipc_channel_end(struct ipc_channel *c);
/* Closes; no callback comes after it. NULL is accepted. Safe inside a callback. */
void ipc_channel_close(struct ipc_channel *c);

#endif

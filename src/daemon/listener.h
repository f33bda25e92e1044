/* A listening socket on the loop. With no descriptor left, accept() fails and the socket stays
 * readable: a loop that goes on watching it turns without a pause. Here who comes waits in the
 * backlog then, as when the owner is full, and it is tried again after a while. */
#ifndef DAEMON_LISTENER_H
#define DAEMON_LISTENER_H

#include "cygnet/err.h"

#include <stdbool.h>
#include <sys/socket.h>
#include <uv.h>

struct cyg_listener;

/* None of them may close the listener. */
struct cyg_listener_events {
	bool (*is_full)(void *owner); /* NULL: never */
	/* fd is the owner's, CLOEXEC and non-blocking; addr only during the call. */
	void (*on_accepted)(void *owner, int fd, const struct sockaddr *addr, socklen_t len);
	/* No descriptor is left, or no memory for one: told once until one is accepted again. May
	 * be NULL. */
	void (*on_lack)(void *owner, int errnum);
};

/* Watches a listening descriptor (Unix or TCP, non-blocking). events must outlive it. On failure fd
 * is still the caller's. */
int cyg_listener_start(uv_loop_t *loop, int fd, const struct cyg_listener_events *events,
    void *owner, struct cyg_listener **ret, struct cyg_err *err);
/* Closes fd; no callback comes after it. NULL is accepted. */
void cyg_listener_close(struct cyg_listener *l);

#endif

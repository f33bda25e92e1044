/* Accepts connections, some a turn, and pauses when that cannot go on. */
#include "daemon/listener.h"

#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>

enum {
	ACCEPTS_PER_TURN = 64, /* the others on the loop have their turn too */
	AGAIN_MS = 200,
};

struct cyg_listener {
	uv_poll_t poll;
	uv_timer_t again;
	int fd;
	unsigned handles;
	bool lacks; /* on_lack was called since the last that was accepted */
	const struct cyg_listener_events *events;
	void *owner;
};

static void on_connection(uv_poll_t *poll, int status, int events);

static void on_again(uv_timer_t *timer)
{
	struct cyg_listener *l = timer->data;

	(void)uv_poll_start(&l->poll, UV_READABLE, on_connection);
}

static void pause_for_a_while(struct cyg_listener *l)
{
	(void)uv_poll_stop(&l->poll);
	(void)uv_timer_start(&l->again, on_again, AGAIN_MS, 0);
}

static bool is_lack(int errnum)
{
	return errnum == EMFILE || errnum == ENFILE || errnum == ENOBUFS || errnum == ENOMEM;
}

static bool is_full(const struct cyg_listener *l)
{
	return l->events->is_full != NULL && l->events->is_full(l->owner);
}

/* True when there may be another one; a client that has left meanwhile is no reason to stop. */
static bool go_on_after(struct cyg_listener *l, int errnum)
{
	if (is_lack(errnum)) {
		pause_for_a_while(l);
		if (l->events->on_lack != NULL && !l->lacks)
			l->events->on_lack(l->owner, errnum);
		l->lacks = true;
	}
	return errnum == EINTR || errnum == ECONNABORTED;
}

static bool accept_one(struct cyg_listener *l)
{
	struct sockaddr_storage from = { 0 };
	struct sockaddr *addr = (struct sockaddr *)(void *)&from;
	socklen_t len = sizeof(from);
	int fd = accept4(l->fd, addr, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return go_on_after(l, errno);
	l->lacks = false;
	l->events->on_accepted(l->owner, fd, addr, len);
	return true;
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
	struct cyg_listener *l = poll->data;

	(void)status;
	(void)events;
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		if (is_full(l)) {
			pause_for_a_while(l);
			return;
		}
		if (!accept_one(l))
			return;
	}
}

int cyg_listener_start(uv_loop_t *loop, int fd, const struct cyg_listener_events *events,
    void *owner, struct cyg_listener **ret, struct cyg_err *err)
{
	struct cyg_listener *l = cyg_xcalloc(1, sizeof(*l));
	int rc = uv_poll_init(loop, &l->poll, fd);

	if (rc < 0) {
		free(l);
		return cyg_fail_sys(err, -rc, "watch a listening socket");
	}
	(void)uv_timer_init(loop, &l->again);
	l->poll.data = l->again.data = l;
	l->handles = 2;
	l->fd = fd;
	l->events = events;
	l->owner = owner;
	(void)uv_poll_start(&l->poll, UV_READABLE, on_connection);
	*ret = l;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct cyg_listener *l = handle->data;

	if (--l->handles == 0)
		free(l);
}

void cyg_listener_close(struct cyg_listener *l)
{
	if (l == NULL)
		return;
	uv_close((uv_handle_t *)&l->poll, on_closed);
	uv_close((uv_handle_t *)&l->again, on_closed);
	cyg_close(l->fd);
}

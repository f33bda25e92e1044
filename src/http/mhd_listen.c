/* The listening socket of libmicrohttpd's server. We accept, not libmicrohttpd: with no descriptor
 * left it either waits until one of its own connections ends, although others may be free long
 * before, or, while it has no connection, tries again without a pause. Here who comes waits in the
 * backlog, and we look again after a while. Next: mhd.c, which takes the connections. */
#include "base/mem.h"
#include "http/mhd_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
	ACCEPTS_PER_TURN = 64, /* the others on the loop have their turn too */
	AGAIN_MS = 200,
};

struct mhd_listener {
	uv_poll_t poll;
	uv_timer_t again;
	int fd;
	unsigned handles;
	const struct mhd_listener_events *events;
	void *owner;
};

static void on_connection(uv_poll_t *poll, int status, int events);

static void on_again(uv_timer_t *timer)
{
	struct mhd_listener *l = timer->data;

	(void)uv_poll_start(&l->poll, UV_READABLE, on_connection);
}

static void pause_for_a_while(struct mhd_listener *l)
{
	(void)uv_poll_stop(&l->poll);
	(void)uv_timer_start(&l->again, on_again, AGAIN_MS, 0);
}

static bool is_lack(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/* False when there is nothing more to accept now. */
static bool accept_one(struct mhd_listener *l)
{
	struct sockaddr_storage from = { 0 };
	struct sockaddr *addr = (struct sockaddr *)(void *)&from;
	socklen_t len = sizeof(from);
	int fd = accept4(l->fd, addr, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0) {
		l->events->on_accepted(l->owner, fd, addr, len);
		return true;
	}
	if (is_lack(errno))
		pause_for_a_while(l);
	return errno == EINTR || errno == ECONNABORTED;
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
	struct mhd_listener *l = poll->data;

	(void)status;
	(void)events;
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		if (l->events->is_full(l->owner)) {
			pause_for_a_while(l);
			return;
		}
		if (!accept_one(l))
			return;
	}
}

int mhd_listener_start(uv_loop_t *loop, int fd, const struct mhd_listener_events *events,
    void *owner, struct mhd_listener **ret, struct cyg_err *err)
{
	struct mhd_listener *l = cyg_xcalloc(1, sizeof(*l));
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
	struct mhd_listener *l = handle->data;

	if (--l->handles == 0)
		free(l);
}

void mhd_listener_close(struct mhd_listener *l)
{
	if (l == NULL)
		return;
	uv_close((uv_handle_t *)&l->poll, on_closed);
	uv_close((uv_handle_t *)&l->again, on_closed);
	cyg_close(l->fd);
}

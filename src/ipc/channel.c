/* The SEQPACKET channel: reads whole messages while there are any, queues what cannot be sent yet.
 */
#include "ipc/channel.h"

#include "base/list.h"
#include "base/mem.h"
#include "cygnet/limits.h"
#include "daemon/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

struct queued {
	struct cyg_link link;
	size_t n_fds;
	int fds[IPC_FDS_MAX];
	size_t len;
	char data[];
};

struct ipc_channel {
	uv_poll_t poll;
	int fd;
	const struct ipc_events *events;
	void *arg;
	struct cyg_list queue;
	bool closed;
	char *in; /* CYG_IPC_MAX bytes, aligned by malloc */
};

enum { READ_BURST = 64 }; /* messages a turn: others on the loop get their turn too */

static void on_poll(uv_poll_t *poll, int status, int events);

static void watch(struct ipc_channel *c)
{
	(void)uv_poll_start(&c->poll, UV_READABLE | (c->queue.n > 0 ? UV_WRITABLE : 0), on_poll);
}

static void queued_free(struct queued *q)
{
	for (size_t i = 0; i < q->n_fds; i++)
		cyg_close(q->fds[i]);
	cyg_cleanse(q->data, q->len); /* a SPAWN holds a credential */
	free(q);
}

static void channel_free(void *p)
{
	struct ipc_channel *c = p;

	cyg_list_each_safe (it, &c->queue) {
		cyg_list_remove(&c->queue, it);
		queued_free(CYG_CONTAINER_OF(it, struct queued, link));
	}
	cyg_cleanse(c->in, CYG_IPC_MAX);
	free(c->in);
	free(c);
}

static void on_closed(uv_handle_t *h)
{
	ev_free_later(h->loop, h->data, channel_free);
}

void ipc_channel_close(struct ipc_channel *c)
{
	if (c == NULL || c->closed)
		return;
	c->closed = true;
	(void)uv_poll_stop(&c->poll);
	uv_close((uv_handle_t *)&c->poll, on_closed);
	cyg_close(c->fd);
}

void ipc_channel_end(struct ipc_channel *c)
{
	if (!c->closed)
		(void)shutdown(c->fd, SHUT_RDWR);
}

static void end(struct ipc_channel *c, const struct cyg_err *why)
{
	const struct ipc_events *events = c->events;
	void *arg = c->arg;

	ipc_channel_close(c);
	events->on_end(arg, why);
}

/* The descriptors of a received message; all of them are ours now. */
static size_t take_fds(struct msghdr *msg, int fds[IPC_FDS_MAX])
{
	size_t n = 0;

	for (struct cmsghdr *cm = CMSG_FIRSTHDR(msg); cm != NULL; cm = CMSG_NXTHDR(msg, cm)) {
		size_t count;

		if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
			continue;
		count = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(cm) + i * sizeof(int), sizeof(int));
			if (n < IPC_FDS_MAX)
				fds[n++] = fd;
			else
				cyg_close(fd);
		}
	}
	return n;
}

/* Reads one message. 1: delivered; 0: none there; < 0: the channel has ended. */
static int read_one(struct ipc_channel *c)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int) * IPC_FDS_MAX)];
	} control;
	struct iovec iov = { c->in, CYG_IPC_MAX };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof(control.room) };
	int fds[IPC_FDS_MAX];
	struct cyg_err why;
	size_t n_fds;
	ssize_t n = recvmsg(c->fd, &msg, MSG_CMSG_CLOEXEC);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		if (n < 0)
			(void)cyg_fail_sys(&why, errno, "read");
		else
			(void)cyg_fail(&why, CYG_EPROTO, "the other side closed the connection");
		end(c, &why);
		return -1;
	}
	n_fds = take_fds(&msg, fds);
	if ((msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
		for (size_t i = 0; i < n_fds; i++)
			cyg_close(fds[i]);
		(void)cyg_fail(
		    &why, CYG_EPROTO, "a message is too long or has too many descriptors");
		end(c, &why);
		return -1;
	}
	c->events->on_message(c->arg, c->in, (size_t)n, fds, n_fds);
	return c->closed ? -1 : 1;
}

/* 1: sent; 0: the peer does not read; < 0: error. */
static int send_one(int fd, const void *data, size_t len, const int *fds, size_t n_fds)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int) * IPC_FDS_MAX)];
	} control = { 0 };
	struct iovec iov = { (void *)(uintptr_t)data, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (n_fds > 0) {
		struct cmsghdr *cm = &control.align;

		msg.msg_control = control.room;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(cm), fds, sizeof(int) * n_fds);
	}
	for (;;) {
		ssize_t n = sendmsg(fd, &msg, MSG_NOSIGNAL);

		if (n >= 0)
			return 1;
		if (errno == EINTR)
			continue;
		return errno == EAGAIN || errno == ENOBUFS ? 0 : -errno;
	}
}

static int flush(struct ipc_channel *c)
{
	cyg_list_each_safe (it, &c->queue) {
		struct queued *q = CYG_CONTAINER_OF(it, struct queued, link);
		int rc = send_one(c->fd, q->data, q->len, q->fds, q->n_fds);

		if (rc <= 0)
			return rc;
		cyg_list_remove(&c->queue, it);
		queued_free(q);
	}
	return 0;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct ipc_channel *c = poll->data;
	struct cyg_err why;
	int rc;

	if (status < 0) {
		(void)cyg_fail(&why, CYG_EPROTO, "%s", uv_strerror(status));
		end(c, &why);
		return;
	}
	if ((events & UV_WRITABLE) != 0) {
		rc = flush(c);
		if (rc < 0) {
			(void)cyg_fail_sys(&why, -rc, "send");
			end(c, &why);
			return;
		}
		watch(c);
	}
	if ((events & UV_READABLE) == 0)
		return;
	for (int i = 0; i < READ_BURST; i++) {
		if (read_one(c) <= 0)
			return;
	}
}

int ipc_channel_new(uv_loop_t *loop, int fd, const struct ipc_events *events, void *arg,
    struct ipc_channel **ret, struct cyg_err *err)
{
	cyg_autoclose int own = fd;
	struct ipc_channel *c;
	int flags = fcntl(fd, F_GETFL);
	int rc;

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return cyg_fail_sys(err, errno, "set a channel non-blocking");
	c = cyg_xcalloc(1, sizeof(*c));
	rc = uv_poll_init(loop, &c->poll, fd);
	if (rc < 0) {
		free(c);
		return cyg_fail(err, CYG_ESYS, "watch a channel: %s", uv_strerror(rc));
	}
	c->poll.data = c;
	c->fd = CYG_TAKE_FD(own);
	c->events = events;
	c->arg = arg;
	c->in = cyg_xcalloc(1, CYG_IPC_MAX);
	cyg_list_init(&c->queue);
	watch(c);
	*ret = c;
	return 0;
}

static int enqueue(struct ipc_channel *c, const void *data, size_t len, const int *fds,
    size_t n_fds, struct cyg_err *err)
{
	struct queued *q;

	if (c->queue.n >= IPC_QUEUE_MAX)
		return cyg_fail(err, CYG_ELIMIT, "%d messages wait already", IPC_QUEUE_MAX);
	q = cyg_xcalloc(1, sizeof(*q) + len);
	memcpy(q->data, data, len);
	q->len = len;
	for (size_t i = 0; i < n_fds; i++) {
		q->fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);
		if (q->fds[i] < 0) {
			int saved = errno;

			queued_free(q);
			return cyg_fail_sys(err, saved, "duplicate a descriptor");
		}
		q->n_fds++;
	}
	cyg_list_add(&c->queue, &q->link);
	watch(c);
	return 0;
}

int ipc_channel_send(struct ipc_channel *c, const void *data, size_t len, const int *fds,
    size_t n_fds, struct cyg_err *err)
{
	int rc = 0;

	if (len == 0 || len > CYG_IPC_MAX || n_fds > IPC_FDS_MAX)
		return cyg_fail(err, CYG_ELIMIT, "a message of %zu bytes does not fit", len);
	if (c->closed)
		return cyg_fail(err, CYG_EPROTO, "the channel is closed");
	if (c->queue.n == 0)
		rc = send_one(c->fd, data, len, fds, n_fds);
	if (rc > 0)
		return 0;
	if (rc < 0)
		return cyg_fail_sys(err, -rc, "send");
	return enqueue(c, data, len, fds, n_fds, err);
}

/* The stream table of plain sockets, TCP and Unix. */
#include "proxy/stream.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

void stream_init(struct stream *s, const struct stream_ops *ops, int fd, void *state)
{
	*s = (struct stream){ .ops = ops,
		.state = state,
		.fd = fd,
		.begun = ops->handshake == NULL,
		.read_wants = STREAM_READABLE,
		.write_wants = STREAM_WRITABLE };
}

static ssize_t raw_read(struct stream *s, void *data, size_t len)
{
	ssize_t n;

	do
		n = recv(s->fd, data, len, 0);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static ssize_t raw_write(struct stream *s, const void *data, size_t len)
{
	ssize_t n;

	do
		n = send(s->fd, data, len, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static int raw_shut(struct stream *s)
{
	return shutdown(s->fd, SHUT_WR) < 0 ? -errno : 0;
}

static void raw_close(struct stream *s, int abrupt)
{
	static const struct linger now = { .l_onoff = 1, .l_linger = 0 };

	if (s->fd < 0)
		return;
	if (abrupt)
		(void)setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	(void)close(s->fd);
	s->fd = -1;
}

static size_t raw_pending(const struct stream *s)
{
	(void)s;
	return 0;
}

const struct stream_ops stream_raw = {
	.handshake = NULL,
	.read = raw_read,
	.write = raw_write,
	.shut = raw_shut,
	.close = raw_close,
	.pending = raw_pending,
};

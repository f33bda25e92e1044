/* A socket with its two buffers. */
#include "proxy/peer.h"

#include "base/mem.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

int peer_init(
    struct peer *p, uv_loop_t *loop, int fd, struct peer_spares *spares, struct cyg_err *err)
{
	int rc;

	*p = (struct peer){ .stream = { .ops = &stream_raw, .fd = fd }, .spares = spares };
	cyg_buf_init(&p->in, PEER_OUT_MAX);
	cyg_buf_init(&p->out, PEER_OUT_MAX);
	rc = uv_poll_init(loop, &p->poll, fd);
	if (rc < 0) {
		cyg_close(fd);
		return cyg_fail(err, CYG_ESYS, "watch a socket: %s", uv_strerror(rc));
	}
	return 0;
}

void peer_watch(struct peer *p, int events, uv_poll_cb on_poll)
{
	if (events == p->watched)
		return;
	p->watched = events;
	if (events == 0)
		(void)uv_poll_stop(&p->poll);
	else
		(void)uv_poll_start(&p->poll, events, on_poll);
}

static void take_block(struct peer *p, struct cyg_buf *b)
{
	if (b->base_ == NULL && p->spares->n > 0)
		*b = p->spares->block[--p->spares->n];
}

static void give_block(struct peer *p, struct cyg_buf *b)
{
	if (b->base_ == NULL || b->len > 0)
		return;
	if (p->spares->n == PEER_SPARES) {
		cyg_buf_free(b);
		return;
	}
	cyg_buf_reset(b);
	p->spares->block[p->spares->n++] = *b;
	cyg_buf_init(b, PEER_OUT_MAX);
}

void peer_spares_free(struct peer_spares *s)
{
	while (s->n > 0)
		cyg_buf_free(&s->block[--s->n]);
}

bool peer_can_read(const struct peer *p)
{
	return !p->eof && p->in.len < PEER_IN_MAX;
}

bool peer_must_write(const struct peer *p)
{
	return p->out.len > 0 && !p->failed;
}

/* Reads until the socket has no more or the buffer is full; once is enough for plain sockets (epoll
 * calls again), but what a TLS session holds back must be asked for. */
bool peer_fill(struct peer *p)
{
	bool changed = false;
	char *room;
	ssize_t n;

	while (peer_can_read(p)) {
		size_t want = PEER_IN_MAX - p->in.len;

		take_block(p, &p->in);
		if (cyg_buf_reserve(&p->in, want, &room, NULL) < 0)
			return changed;
		n = p->stream.ops->read(&p->stream, room, want);
		if (n == -EAGAIN)
			break;
		changed = true;
		if (n <= 0) {
			p->eof = true;
			p->broken = n < 0;
			p->failed = p->failed || n < 0;
			break;
		}
		cyg_buf_commit(&p->in, (size_t)n);
		if (p->stream.ops->pending(&p->stream) == 0)
			break;
	}
	return changed;
}

bool peer_flush(struct peer *p)
{
	ssize_t n;

	if (!peer_must_write(p))
		return false;
	n = p->stream.ops->write(&p->stream, p->out.data, p->out.len);
	if (n == -EAGAIN)
		return false;
	if (n < 0) {
		p->failed = true;
		cyg_buf_reset(&p->out);
		return true;
	}
	cyg_buf_consume(&p->out, (size_t)n);
	return n > 0;
}

struct cyg_buf *peer_out(struct peer *p)
{
	take_block(p, &p->out);
	return &p->out;
}

void peer_put(struct peer *p, struct cyg_str data)
{
	ssize_t n = 0;

	if (p->failed || data.len == 0)
		return;
	if (p->out.len == 0)
		n = p->stream.ops->write(&p->stream, data.p, data.len);
	if (n < 0 && n != -EAGAIN) {
		p->failed = true;
		return;
	}
	if (n > 0)
		data = cyg_str_skip(data, (size_t)n);
	if (data.len > 0 && cyg_buf_add(peer_out(p), data.p, data.len, NULL) < 0)
		p->failed = true;
}

void peer_settle(struct peer *p)
{
	give_block(p, &p->in);
	give_block(p, &p->out);
}

bool peer_is_gone(const struct peer *p)
{
	struct pollfd fd = { .fd = p->stream.fd };
	/* When we ended our direction, a hang-up says no more than that the peer ended its own. */
	int ends = POLLERR | (p->shut ? 0 : POLLHUP);

	return poll(&fd, 1, 0) > 0 && (fd.revents & ends) != 0;
}

void peer_shut(struct peer *p)
{
	if (p->shut || p->out.len > 0)
		return;
	p->shut = true;
	if (!p->failed)
		(void)p->stream.ops->shut(&p->stream);
}

void peer_close(struct peer *p, bool abrupt, uv_close_cb on_closed)
{
	cyg_buf_reset(&p->in);
	cyg_buf_reset(&p->out);
	peer_settle(p);
	/* libuv forgets the descriptor inside uv_close, so it may be closed right behind it. */
	uv_close((uv_handle_t *)&p->poll, on_closed);
	p->stream.ops->close(&p->stream, abrupt);
}

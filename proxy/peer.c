/* A socket with its two buffers: reads, writes, and what the loop watches it for. */
#include "proxy/peer.h"

#include "base/mem.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

int peer_init(struct peer *p, uv_loop_t *loop, const struct stream *stream,
    struct peer_spares *spares, struct cyg_err *err)
{
	int rc;

	*p = (struct peer){ .stream = *stream, .spares = spares };
	cyg_buf_init(&p->in, PEER_OUT_MAX);
	cyg_buf_init(&p->out, PEER_OUT_MAX);
	rc = uv_poll_init(loop, &p->poll, stream->fd);
	if (rc < 0) {
		p->stream.ops->close(&p->stream, false);
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

/* The directions of a stream, in the loop's words. */
static int events_of(unsigned directions)
{
	return ((directions & STREAM_READABLE) != 0 ? UV_READABLE : 0) |
	       ((directions & STREAM_WRITABLE) != 0 ? UV_WRITABLE : 0);
}

int peer_wanted(const struct peer *p)
{
	const struct stream *s = &p->stream;
	unsigned wanted = 0;

	if (!s->begun)
		return p->failed ? 0 : events_of(s->read_wants);
	if (peer_can_read(p))
		wanted |= s->read_wants;
	if (peer_must_write(p))
		wanted |= s->write_wants;
	return events_of(wanted);
}

static bool handshake(struct peer *p)
{
	int rc = p->stream.ops->handshake(&p->stream);

	if (rc == -EAGAIN)
		return false;
	p->stream.begun = rc == 0;
	p->failed = p->eof = p->broken = rc < 0;
	return true;
}

bool peer_event(struct peer *p, int events)
{
	bool changed = false;

	if (!p->stream.begun) {
		if (p->failed || !handshake(p) || p->failed)
			return p->failed;
		/* Bytes that followed the handshake may be inside the stream already. */
		events = UV_READABLE | UV_WRITABLE;
		changed = true;
	}
	if ((events & events_of(p->stream.read_wants)) != 0)
		changed = peer_fill(p) || changed;
	if ((events & events_of(p->stream.write_wants)) != 0)
		changed = peer_flush(p) || changed;
	return changed;
}

bool peer_refill(struct peer *p)
{
	return peer_can_read(p) && p->stream.ops->pending(&p->stream) > 0 && peer_fill(p);
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

/* Reads once, and again while the stream holds bytes back, until the buffer is full. epoll reports
 * what is left in the socket; peer_refill takes what is left in the stream. */
bool peer_fill(struct peer *p)
{
	bool changed = false;
	char *room;
	ssize_t n;

	while (peer_can_read(p) && p->stream.begun) {
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
		if (p->traffic != NULL)
			p->traffic->received += (size_t)n;
		if (p->stream.ops->pending(&p->stream) == 0)
			break;
	}
	return changed;
}

static void count_sent(struct peer *p, size_t n)
{
	if (p->traffic != NULL)
		p->traffic->sent += n;
}

bool peer_flush(struct peer *p)
{
	ssize_t n;

	if (!peer_must_write(p) || !p->stream.begun)
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
	count_sent(p, (size_t)n);
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
	if (p->out.len == 0 && p->stream.begun)
		n = p->stream.ops->write(&p->stream, data.p, data.len);
	if (n < 0 && n != -EAGAIN) {
		p->failed = true;
		return;
	}
	if (n > 0) {
		data = cyg_str_skip(data, (size_t)n);
		count_sent(p, (size_t)n);
	}
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
	/* After we ended our direction, a hang-up means only that the peer ended its own. */
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
	/* libuv forgets the descriptor inside uv_close, so it may be closed right after it. */
	uv_close((uv_handle_t *)&p->poll, on_closed);
	p->stream.ops->close(&p->stream, abrupt);
}

/* One socket of a pair: its stream, the bytes that came and wait, the bytes that must go, and what
 * the loop watches it for. It knows nothing of HTTP. Buffers exist only while bytes are in them. */
#ifndef PROXY_PEER_H
#define PROXY_PEER_H

#include "base/buf.h"
#include "proxy/limits.h"
#include "proxy/stream.h"

#include <uv.h>

/* Blocks between uses. */
struct peer_spares {
	struct cyg_buf block[PEER_SPARES];
	size_t n;
};

/* Bytes of every socket of a kind. */
struct peer_traffic {
	uint64_t received, sent;
};

struct peer {
	struct stream stream;
	struct peer_traffic *traffic; /* where its bytes are counted; NULL: nowhere */
	struct peer_spares *spares;
	struct cyg_buf in;  /* read and not used yet: at most PEER_IN_MAX */
	struct cyg_buf out; /* to be written: at most PEER_OUT_MAX */
	int watched;        /* what uv_poll waits for now */
	bool eof;           /* nothing more comes: the other side ended its direction */
	bool broken;        /* by a failure, a reset: what came may be a part only */
	bool shut;          /* we ended ours */
	bool failed;        /* it can no longer be written: the connection is broken */
	uv_poll_t poll;
};

/* Takes the stream. The owner sets traffic, gets poll.data and on_poll's calls. 0 or -CYG_ESYS (it
 * is closed then). */
int peer_init(struct peer *p, uv_loop_t *loop, const struct stream *stream,
    struct peer_spares *spares, struct cyg_err *err);
/* What to wait for, UV_READABLE and UV_WRITABLE: it follows from how full the buffers are, and from
 * what the stream needs for it. */
int peer_wanted(const struct peer *p);
/* Does what has become possible: handshake, read, write. True when something changed. */
bool peer_event(struct peer *p, int events);
/* Takes what the stream holds back behind a buffer that was full, for which no event will come.
 * True when there was any. To be asked once the buffer was used; costs no system call when there is
 * none. */
bool peer_refill(struct peer *p);
/* Waits for exactly these of UV_READABLE and UV_WRITABLE. */
void peer_watch(struct peer *p, int events, uv_poll_cb on_poll);
/* Reads once what fits. True when something changed: bytes, end or failure. */
bool peer_fill(struct peer *p);
/* Writes what waits. True when something left or it failed. */
bool peer_flush(struct peer *p);
/* Writes data behind what waits: directly when nothing does, else (and what is left) into out. The
 * caller sees to it that out stays under PEER_OUT_HIGH before. */
void peer_put(struct peer *p, struct cyg_str data);
/* Room to append a head or page of up to CYG_HTTP_HEAD_MAX and more to out. */
struct cyg_buf *peer_out(struct peer *p);
/* Gives empty buffers back. */
void peer_settle(struct peer *p);
/* True when more may be read, or is to be written. */
bool peer_can_read(const struct peer *p);
bool peer_must_write(const struct peer *p);
/* Whether the peer has gone altogether, which the loop does not tell while nothing is watched: a
 * socket behind a full in buffer. */
bool peer_is_gone(const struct peer *p);
/* Ends our direction once out is empty. */
void peer_shut(struct peer *p);
/* Closes the socket now; on_closed(&p->poll) comes later from the loop. */
void peer_close(struct peer *p, bool abrupt, uv_close_cb on_closed);
void peer_spares_free(struct peer_spares *s);

#endif

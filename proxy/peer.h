/* One socket of a pair: its stream, its two buffers (bytes read and not used yet, bytes to be
 * written), and what the loop watches it for. It knows nothing of HTTP. A buffer has memory only
 * while it holds bytes. */
#ifndef PROXY_PEER_H
#define PROXY_PEER_H

#include "base/buf.h"
#include "proxy/limits.h"
#include "proxy/stream.h"

#include <uv.h>

/* Memory blocks of buffers, kept for reuse. */
struct peer_spares {
	struct cyg_buf block[PEER_SPARES];
	size_t n;
};

/* Bytes of all sockets of a kind. */
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
	bool broken;        /* by a failure or a reset: the bytes may be incomplete */
	bool shut;          /* we ended ours */
	bool failed;        /* it can no longer be written: the connection is broken */
	uv_poll_t poll;
};

/* Takes the stream. The owner sets traffic and poll.data, and its on_poll is called. 0, or
 * -CYG_ESYS (then the stream is closed). */
int peer_init(struct peer *p, uv_loop_t *loop, const struct stream *stream,
    struct peer_spares *spares, struct cyg_err *err);
/* What to wait for, of UV_READABLE and UV_WRITABLE: depends on how full the buffers are and on what
 * the stream needs. */
int peer_wanted(const struct peer *p);
/* Does what has become possible: handshake, read, write. True when something changed. */
bool peer_event(struct peer *p, int events);
/* Takes bytes that the stream held back because the buffer was full: no event comes for them. True
 * when there were any. Call it when bytes were taken from the buffer; it makes no system call when
 * the stream holds nothing. */
bool peer_refill(struct peer *p);
/* Waits for exactly these of UV_READABLE and UV_WRITABLE. */
void peer_watch(struct peer *p, int events, uv_poll_cb on_poll);
/* Reads once what fits. True when something changed: bytes, end or failure. */
bool peer_fill(struct peer *p);
/* Writes what waits. True when something was written or it failed. */
bool peer_flush(struct peer *p);
/* Writes data after what waits: directly when nothing waits, and the rest into out. The caller
 * checks first that out holds less than PEER_OUT_HIGH. */
void peer_put(struct peer *p, struct cyg_str data);
/* Room to append a head or page of up to CYG_HTTP_HEAD_MAX and more to out. */
struct cyg_buf *peer_out(struct peer *p);
/* Gives empty buffers back. */
void peer_settle(struct peer *p);
/* True when more may be read, or is to be written. */
bool peer_can_read(const struct peer *p);
bool peer_must_write(const struct peer *p);
/* Whether the peer has closed both directions. The loop does not tell while the socket is not
 * watched, as when its in buffer is full. */
bool peer_is_gone(const struct peer *p);
/* Ends our direction once out is empty. */
void peer_shut(struct peer *p);
/* Closes the socket now; on_closed(&p->poll) comes later from the loop. */
void peer_close(struct peer *p, bool abrupt, uv_close_cb on_closed);
void peer_spares_free(struct peer_spares *s);

#endif

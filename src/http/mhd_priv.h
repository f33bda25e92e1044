/* Private to src/http: the listening socket (mhd_listen.c) and the bytes of a stream (mhd_stream.c)
 * of libmicrohttpd's server, apart from libmicrohttpd itself (mhd.c). */
#ifndef HTTP_MHD_PRIV_H
#define HTTP_MHD_PRIV_H

#include "http/sender.h"

#include <sys/socket.h>
#include <uv.h>

/* ---- mhd_listen.c ---- */

struct mhd_listener;

struct mhd_listener_events {
	bool (*is_full)(void *owner);
	/* fd is the owner's; addr only during the call. */
	void (*on_accepted)(void *owner, int fd, const struct sockaddr *addr, socklen_t len);
};

/* Watches a listening descriptor. When the process has no descriptor left, or the owner is full,
 * whoever comes waits, and it is tried again after a while. On failure fd is still the caller's. */
int mhd_listener_start(uv_loop_t *loop, int fd, const struct mhd_listener_events *events,
    void *owner, struct mhd_listener **ret, struct cyg_err *err);
/* Closes fd; no callback comes after it. NULL is accepted. Not from inside a callback. */
void mhd_listener_close(struct mhd_listener *l);

/* ---- mhd_stream.c ---- */

struct mhd_stream;

/* wake(owner) is called when there may be something to read again. */
struct mhd_stream *mhd_stream_new(struct http_req *req, void (*wake)(void *owner), void *owner,
    const struct http_stream_events *events, void *arg);
/* Calls on_close. */
void mhd_stream_free(struct mhd_stream *st);
struct http_stream *mhd_stream_public(struct mhd_stream *st);
/* The owner, or NULL after mhd_stream_leave. */
void *mhd_stream_request(const struct mhd_stream *st);
/* The owner is no more: it is not woken again. */
void mhd_stream_leave(struct mhd_stream *st);
/* Its client has gone: it reads as cut. */
void mhd_stream_cut(struct mhd_stream *st);

enum mhd_stream_next {
	MHD_STREAM_BYTES, /* *n bytes are in out */
	MHD_STREAM_WAIT,  /* there are none yet: the owner is woken */
	MHD_STREAM_END,
	MHD_STREAM_CUT,
};
/* Calls on_drain when all that was written has been read. */
enum mhd_stream_next mhd_stream_read(struct mhd_stream *st, char *out, size_t max, size_t *n);

/* For the sender's table. */
int mhd_stream_write(struct http_stream *stream, struct cyg_str data, struct cyg_err *err);
void mhd_stream_end(struct http_stream *stream);
void mhd_stream_abort(struct http_stream *stream);

#endif

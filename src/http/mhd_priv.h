/* Private to src/http: the bytes of a stream that libmicrohttpd sends (mhd_stream.c), apart from
 * libmicrohttpd itself (mhd.c). */
#ifndef HTTP_MHD_PRIV_H
#define HTTP_MHD_PRIV_H

#include "http/sender.h"

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

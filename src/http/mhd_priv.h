/* Private to src/http: what the files of libmicrohttpd's server share. Only mhd.c and mhd_reply.c
 * include libmicrohttpd. */
#ifndef HTTP_MHD_PRIV_H
#define HTTP_MHD_PRIV_H

#include "base/list.h"
#include "http/mount.h"
#include "http/sender.h"

#include <uv.h>

struct MHD_Connection;
struct MHD_Response;
struct http_mhd;
struct mhd_stream;
struct watch;

/* ---- mhd.c ---- */

struct mhd_request {
	struct http_req req;
	struct http_mhd *server;
	const struct http_server_opts *opts; /* the server's; while conn is there */
	struct mounts *mounts;
	struct MHD_Connection *conn; /* NULL once MHD has let go of it */
	struct cyg_link link;
	struct cyg_arena arena;
	struct cyg_buf body;
	size_t discarded;
	struct cyg_buf fields;         /* of the response: name NUL value NUL ... */
	struct MHD_Response *response; /* ready, not yet given to MHD */
	bool borrowed;                 /* it belongs to a struct http_fixed */
	int status;
	struct watch *watch; /* while suspended, unless there was no descriptor left for it */
	struct mhd_stream *stream;
	const char *target;
	bool suspended;
	bool begun;     /* its head was read and routed */
	bool seen;      /* a handler has it and will respond */
	bool passed;    /* authorized: the body may come */
	bool reading;   /* its head is done with, its body comes */
	bool handled;   /* its handler was called */
	bool answered;  /* by a http_reply_* call */
	bool gone;      /* its client has left */
	bool too_large; /* the body is too large: the response waits until it was read */
	struct http_head head;
};

/* MHD goes on with a suspended request, when it runs next. Does nothing for one that is not. */
void mhd_request_resume(struct mhd_request *r);
/* From inside a callback of MHD: it waits until it is resumed, or its client leaves. */
void mhd_request_suspend(struct mhd_request *r);
/* Of its connection, or -1 once that has gone. */
int mhd_request_descriptor(const struct mhd_request *r);
/* MHD has let go of it. */
void mhd_request_free(struct mhd_request *r);

/* ---- mhd_reply.c ---- */

enum { MHD_FIELDS_MAX = 256 * 1024 }; /* of a response */

extern const struct http_sender mhd_sender;
/* Lets go of a response that MHD was not given, or has taken. */
void mhd_reply_drop(struct mhd_request *r);

/* ---- mhd_stream.c ---- */

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

/* The server's side of an open WebSocket (RFC 6455): reads frames by libwslay, with limits, and
 * writes frames from a queue that the caller owns. Pings show whether the client is alive. */
#ifndef KBASE_WS_H
#define KBASE_WS_H

#include "base/list.h"
#include "base/str.h"
#include "cygnet/err.h"
#include "kernels/base/outq.h"

#include <uv.h>

struct ws;

enum {
	WS_PING_MS = 30 * 1000,   /* as jupyter_server does */
	WS_SILENCE_MS = 90 * 1000 /* three pings without a byte: the client is gone */
};

struct ws_opts {
	size_t message_max; /* of an incoming message, all fragments */
	/* A whole text or binary message. The bytes are valid during the call. */
	void (*on_message)(void *arg, bool binary, struct cyg_str message);
	/* The WebSocket has ended; called once, from the loop, as the last callback. code: the
	 * client's close code, 1005 when it gave none, 1006 when the connection just ended. */
	void (*on_end)(void *arg, int code);
	/* The queue is empty after it could not be written at once; may be called from inside
	 * ws_flush; may be NULL. */
	void (*on_drain)(void *arg);
	void *arg;
	struct outq *out; /* borrowed until on_end */
};

/* Takes fd, also on failure. early: bytes that came after the handshake. */
int ws_new(uv_loop_t *loop, int fd, struct cyg_str early, const struct ws_opts *opts,
    struct ws **ret, struct cyg_err *err);
/* Call it after putting frames into the queue: writes as much as possible now, the rest later. */
void ws_flush(struct ws *w);
/* Ends it after the queue was written, with a close frame of that code. No callback comes any more,
 * and the queue (opts->out) belongs to the WebSocket from now on. It is on the list leaving until
 * it has ended, at the latest when the client has read nothing for WS_SILENCE_MS. */
void ws_finish(struct ws *w, int code, struct cyg_list *leaving);
/* Ends all that are on leaving at once; call it before the list is freed. */
void ws_end_all(struct cyg_list *leaving);
/* Closes the connection without a close frame, so that the client reconnects: clients do not after
 * codes 1000 and 1001. on_end still comes. */
void ws_drop(struct ws *w);
/* Ends it at once, without on_end: for an owner that is being freed. */
void ws_forget(struct ws *w);

/* The pure part, for tests and fuzzing: takes bytes of a client, calls on_message, and collects the
 * control frames to send (pongs, close). */
struct ws_reader;
struct ws_reader *ws_reader_new(size_t message_max,
    void (*on_message)(void *arg, bool binary, struct cyg_str message), void *arg);
void ws_reader_free(struct ws_reader *r);
/* False when the connection is over: *code is the close code. *out is the control frames to send,
 * as wire bytes; NULL when there are none. */
bool ws_reader_feed(struct ws_reader *r, struct cyg_str data, struct wsbuf **out, int *code);

#endif

/* The server's side of an open WebSocket (RFC 6455): frames in through libwslay with limits, frames
 * out from a queue that the caller owns. Pings keep it known to be alive. */
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
	WS_SILENCE_MS = 90 * 1000 /* three pings without a word: the client is gone */
};

struct ws_opts {
	size_t message_max; /* of an incoming message, all fragments */
	/* A whole text or binary message. The bytes are valid during the call. */
	void (*on_message)(void *arg, bool binary, struct cyg_str message);
	/* Over, for whatever reason; comes once, from the loop, and nothing follows. code: the
	 * client's close code, 1005 when it gave none, 1006 when the connection just ended. */
	void (*on_end)(void *arg, int code);
	/* All that waited has left, after it could not at once; may come from inside ws_flush; may
	 * be NULL. */
	void (*on_drain)(void *arg);
	void *arg;
	struct outq *out; /* borrowed until on_end */
};

/* Takes fd, also on failure. early: bytes that came behind the handshake. */
int ws_new(uv_loop_t *loop, int fd, struct cyg_str early, const struct ws_opts *opts,
    struct ws **ret, struct cyg_err *err);
/* Something was put into the queue: write as much as goes now, the rest when it can. */
void ws_flush(struct ws *w);
/* Says goodbye with a code once all that waits has been written, then ends: its owner is going away
 * and hears nothing any more, the queue (opts->out) is the WebSocket's own from now on. It is on
 * leaving until it has ended, at the latest when the client has read nothing for WS_SILENCE_MS. */
void ws_finish(struct ws *w, int code, struct cyg_list *leaving);
/* Ends those that have not said all they had to: leaving is going away, too. */
void ws_end_all(struct cyg_list *leaving);
/* Ends by cutting the connection, so that the client comes back: it takes close codes 1000 and
 * 1001 as final. on_end still comes. */
void ws_drop(struct ws *w);
/* Ends without on_end: the owner is going away. */
void ws_forget(struct ws *w);

/* The pure part, for tests and fuzzing: feeds bytes of a client, calls on_message, and gathers what
 * has to be answered (pongs, close). */
struct ws_reader;
struct ws_reader *ws_reader_new(size_t message_max,
    void (*on_message)(void *arg, bool binary, struct cyg_str message), void *arg);
void ws_reader_free(struct ws_reader *r);
/* False when the connection is over: *code is the close code. Answers are appended to *out as wire
 * bytes; NULL when there are none. */
bool ws_reader_feed(struct ws_reader *r, struct cyg_str data, struct wsbuf **out, int *code);

#endif

/* What is written to a stream and not yet read by libmicrohttpd. Who sends it: mhd_reply.c. */
#include "http/mhd_priv.h"

#include "base/buf.h"
#include "base/mem.h"

#include <assert.h>
#include <string.h>

enum { STREAM_MAX = 1024 * 1024 };

struct mhd_stream {
	struct http_stream base;
	void (*wake)(void *owner);
	void *owner;
	struct http_stream_events events;
	void *arg;
	struct cyg_buf out;
	bool mute;  /* HEAD */
	bool wrote; /* on_drain is due when all is out */
	bool ended, aborted;
};

static struct mhd_stream *stream_of(struct http_stream *st)
{
	return CYG_CONTAINER_OF(st, struct mhd_stream, base);
}

static void wake(const struct mhd_stream *st)
{
	if (st->owner != NULL)
		st->wake(st->owner);
}

struct mhd_stream *mhd_stream_new(struct http_req *req, void (*wake_owner)(void *owner),
    void *owner, const struct http_stream_events *events, void *arg)
{
	struct mhd_stream *st = cyg_xcalloc(1, sizeof(*st));

	st->base.sender = req->sender_;
	st->wake = wake_owner;
	st->owner = owner;
	st->events = *events;
	st->arg = arg;
	st->mute = req->method == HTTP_HEAD;
	cyg_buf_init(&st->out, STREAM_MAX);
	return st;
}

void mhd_stream_free(struct mhd_stream *st)
{
	if (st->events.on_close != NULL)
		st->events.on_close(&st->base, st->arg);
	cyg_buf_free(&st->out);
	free(st);
}

struct http_stream *mhd_stream_public(struct mhd_stream *st)
{
	return &st->base;
}

void *mhd_stream_request(const struct mhd_stream *st)
{
	return st->owner;
}

void mhd_stream_leave(struct mhd_stream *st)
{
	st->owner = NULL;
}

void mhd_stream_cut(struct mhd_stream *st)
{
	st->aborted = true;
}

enum mhd_stream_next mhd_stream_read(struct mhd_stream *st, char *out, size_t max, size_t *n)
{
	if (st->out.len == 0 && st->wrote && !st->ended && !st->aborted) {
		st->wrote = false;
		if (st->events.on_drain != NULL)
			st->events.on_drain(&st->base, st->arg);
	}
	if (st->aborted)
		return MHD_STREAM_CUT;
	*n = st->out.len < max ? st->out.len : max;
	if (*n > 0) {
		memcpy(out, st->out.data, *n);
		cyg_buf_consume(&st->out, *n);
		return MHD_STREAM_BYTES;
	}
	return st->ended ? MHD_STREAM_END : MHD_STREAM_WAIT;
}

int mhd_stream_write(struct http_stream *stream, struct cyg_str data, struct cyg_err *err)
{
	struct mhd_stream *st = stream_of(stream);

	assert(!st->ended);
	if (data.len == 0 || st->mute || st->aborted)
		return 0;
	if (cyg_buf_add(&st->out, data.p, data.len, NULL) < 0)
		return cyg_fail(err, CYG_ELIMIT, "the client does not read");
	st->wrote = true;
	wake(st);
	return 0;
}

void mhd_stream_end(struct http_stream *stream)
{
	struct mhd_stream *st = stream_of(stream);

	assert(!st->ended);
	st->ended = true;
	wake(st);
}

void mhd_stream_abort(struct http_stream *stream)
{
	struct mhd_stream *st = stream_of(stream);

	st->aborted = true;
	wake(st);
}

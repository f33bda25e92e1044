/* An open WebSocket on the loop: reads when the socket can be read, writes the caller's queue when
 * it can be written, pings when it is quiet. Frames are read by ws_reader.c. */
#include "kernels/kernel/ws.h"

#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <sys/socket.h>

enum {
	READ_SIZE = 64 * 1024,
	READS_A_TURN = 16, /* then others get their turn */
	PIECES = 64,       /* frames of one sendmsg */
	CODE_ABNORMAL = 1006,
};

struct ws {
	struct ws_opts opts;
	struct ws_reader *reader;
	int fd;
	uv_poll_t poll;
	uv_timer_t timer;
	int open_handles;
	uint64_t heard_ms;
	int events;   /* what poll waits for */
	int code;     /* why it ended */
	bool ending;  /* handles are closing */
	bool told;    /* on_end must not come (any more) */
	bool closing; /* end once the queue is empty */
};

static void on_closed(uv_handle_t *h)
{
	struct ws *w = h->data;

	if (--w->open_handles > 0)
		return;
	cyg_close(w->fd);
	ws_reader_free(w->reader);
	if (!w->told)
		w->opts.on_end(w->opts.arg, w->code);
	free(w);
}

static void ws_end(struct ws *w, int code)
{
	if (w->ending)
		return;
	w->ending = true;
	w->code = code;
	uv_close((uv_handle_t *)&w->poll, on_closed);
	uv_close((uv_handle_t *)&w->timer, on_closed);
}

static void on_poll(uv_poll_t *h, int status, int events);

static void ws_watch(struct ws *w, int events)
{
	if (events == w->events || w->ending)
		return;
	w->events = events;
	(void)uv_poll_start(&w->poll, events, on_poll);
}

void ws_flush(struct ws *w)
{
	while (!w->ending && !outq_is_empty(w->opts.out)) {
		struct iovec iov[PIECES];
		struct msghdr msg = { .msg_iov = iov };
		struct cyg_err err;
		ssize_t n;

		msg.msg_iovlen = (size_t)outq_peek(w->opts.out, iov, PIECES);
		n = sendmsg(w->fd, &msg, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			ws_watch(w, UV_READABLE | UV_WRITABLE);
			return;
		}
		if (n < 0 || outq_advance(w->opts.out, (size_t)n, &err) < 0) {
			ws_end(w, CODE_ABNORMAL);
			return;
		}
	}
	if (w->closing)
		ws_end(w, w->code);
	else
		ws_watch(w, UV_READABLE);
}

/* Control frames go between messages, in the queue like all else. */
static void send_answer(struct ws *w, struct wsbuf *b)
{
	if (b == NULL)
		return;
	if (outq_put(w->opts.out, b, NULL) == 0)
		ws_flush(w);
	wsbuf_unref(b);
}

static void feed(struct ws *w, struct cyg_str data)
{
	struct wsbuf *answer = NULL;
	int code = CODE_ABNORMAL;
	bool open = ws_reader_feed(w->reader, data, &answer, &code);

	if (w->ending) {
		wsbuf_unref(answer);
		return;
	}
	send_answer(w, answer);
	if (!open)
		ws_end(w, code);
}

static void ws_read(struct ws *w)
{
	static char buf[READ_SIZE]; /* one loop, one reader at a time, never re-entered */

	for (int i = 0; i < READS_A_TURN && !w->ending; i++) {
		ssize_t n = recv(w->fd, buf, sizeof(buf), 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			ws_end(w, CODE_ABNORMAL);
			return;
		}
		w->heard_ms = cyg_clock_mono_ms();
		feed(w, (struct cyg_str){ buf, (size_t)n });
	}
}

static void on_poll(uv_poll_t *h, int status, int events)
{
	struct ws *w = h->data;

	if (status < 0) {
		ws_end(w, CODE_ABNORMAL);
		return;
	}
	if ((events & UV_WRITABLE) != 0) {
		w->heard_ms = cyg_clock_mono_ms(); /* it made room: it reads */
		ws_flush(w);
		if (!w->ending && outq_is_empty(w->opts.out) && w->opts.on_drain != NULL)
			w->opts.on_drain(w->opts.arg);
	}
	if ((events & UV_READABLE) != 0 && !w->ending)
		ws_read(w);
}

static void on_timer(uv_timer_t *t)
{
	static const unsigned char ping[2] = { 0x89, 0 };
	struct ws *w = t->data;

	if (cyg_clock_mono_ms() - w->heard_ms > WS_SILENCE_MS) {
		ws_end(w, CODE_ABNORMAL);
		return;
	}
	send_answer(w, wsbuf_copy(WSBUF_RAW, (struct cyg_str){ (const char *)ping, sizeof(ping) }));
}

static void on_reader_message(void *arg, bool binary, struct cyg_str message)
{
	struct ws *w = arg;

	if (!w->ending)
		w->opts.on_message(w->opts.arg, binary, message);
}

static int begin(struct ws *w, uv_loop_t *loop, struct cyg_err *err)
{
	int rc = uv_poll_init(loop, &w->poll, w->fd);

	if (rc < 0)
		return cyg_fail_sys(err, -rc, "watch a WebSocket");
	(void)uv_timer_init(loop, &w->timer);
	w->poll.data = w->timer.data = w;
	w->open_handles = 2;
	w->heard_ms = cyg_clock_mono_ms();
	(void)uv_timer_start(&w->timer, on_timer, WS_PING_MS, WS_PING_MS);
	ws_watch(w, UV_READABLE);
	return 0;
}

int ws_new(uv_loop_t *loop, int fd, struct cyg_str early, const struct ws_opts *opts,
    struct ws **ret, struct cyg_err *err)
{
	struct ws *w = cyg_xcalloc(1, sizeof(*w));
	int rc = 0;

	w->opts = *opts;
	w->fd = fd;
	w->reader = ws_reader_new(opts->message_max, on_reader_message, w);
	if (w->reader == NULL)
		rc = cyg_fail(err, CYG_ESYS, "no memory for a WebSocket");
	if (rc == 0)
		rc = begin(w, loop, err);
	if (rc < 0) {
		ws_reader_free(w->reader);
		cyg_close(fd);
		free(w);
		return rc;
	}
	*ret = w;
	if (early.len > 0)
		feed(w, early);
	return 0;
}

void ws_close(struct ws *w, int code)
{
	const unsigned char frame[4] = { 0x88, 2, (unsigned char)(code >> 8), (unsigned char)code };
	struct wsbuf *b;

	if (w->ending || w->closing)
		return;
	b = wsbuf_copy(WSBUF_RAW, (struct cyg_str){ (const char *)frame, sizeof(frame) });
	if (b == NULL || outq_put(w->opts.out, b, NULL) < 0) {
		wsbuf_unref(b);
		ws_end(w, CODE_ABNORMAL);
		return;
	}
	wsbuf_unref(b);
	w->closing = true;
	w->code = code;
	ws_flush(w);
}

void ws_drop(struct ws *w)
{
	ws_end(w, CODE_ABNORMAL);
}

void ws_forget(struct ws *w)
{
	w->told = true;
	ws_end(w, CODE_ABNORMAL);
}

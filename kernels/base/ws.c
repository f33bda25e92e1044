/* An open WebSocket on the loop: reads when the socket is readable, writes the caller's queue when
 * it is writable, pings when it is quiet. Frames are parsed by ws_reader.c. */
#include "kernels/base/ws.h"

#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <sys/socket.h>

enum {
	READ_SIZE = 64 * 1024,
	READS_A_TURN = 16, /* then the loop goes on with other sockets */
	PIECES = 64,       /* frames of one sendmsg */
	WRITE_A_TURN = 4 * 1024 * 1024,
	LINGER_MS = 2000, /* for the client to read our close frame and to send its own */
	CODE_ABNORMAL = 1006,
};

struct ws {
	struct cyg_link link; /* on leaving, once finished */
	struct cyg_list *leaving;
	struct ws_opts opts;
	struct ws_reader *reader;
	int fd;
	uv_poll_t poll;
	uv_timer_t timer;
	int open_handles;
	uint64_t heard_ms;
	int events;   /* what poll waits for */
	int code;     /* why it ended */
	bool blocked; /* the queue could not be written at once */
	bool ending;  /* handles are closing */
	bool told;    /* on_end must not come (any more) */
	bool closing; /* without an owner: ends once the queue, now its own, is empty */
	bool close_sent;
	bool shut; /* our direction of the socket is closed */
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
	if (w->closing)
		outq_free(w->opts.out);
	free(w);
}

static void ws_end(struct ws *w, int code)
{
	if (w->ending)
		return;
	w->ending = true;
	w->code = code;
	if (w->leaving != NULL)
		cyg_list_remove(w->leaving, &w->link);
	uv_close((uv_handle_t *)&w->poll, on_closed);
	uv_close((uv_handle_t *)&w->timer, on_closed);
}

static void on_poll(uv_poll_t *h, int status, int events);
static void on_timer(uv_timer_t *t);

static void ws_watch(struct ws *w, int events)
{
	if (events == w->events || w->ending)
		return;
	w->events = events;
	(void)uv_poll_start(&w->poll, events, on_poll);
}

/* Everything was sent: closes our direction and reads on. Closing the socket with unread bytes
 * would reset the connection, and the client would lose what it has not read yet. */
static void ws_shut(struct ws *w)
{
	if (w->ending || w->shut)
		return;
	w->shut = true;
	(void)shutdown(w->fd, SHUT_WR);
	(void)uv_timer_start(&w->timer, on_timer, LINGER_MS, 0);
	ws_watch(w, UV_READABLE);
}

static bool ws_block(struct ws *w)
{
	w->blocked = true;
	ws_watch(w, UV_READABLE | UV_WRITABLE);
	return false;
}

/* Writes the queue; true when all of it was sent. */
static bool write_queue(struct ws *w)
{
	size_t written = 0;

	while (!w->ending && !outq_is_empty(w->opts.out)) {
		struct iovec iov[PIECES];
		struct msghdr msg = { .msg_iov = iov };
		struct cyg_err err;
		ssize_t n;

		if (written >= WRITE_A_TURN) /* a client that reads as fast as we write */
			return ws_block(w);
		msg.msg_iovlen = (size_t)outq_peek(w->opts.out, iov, PIECES);
		n = sendmsg(w->fd, &msg, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return ws_block(w);
		if (n < 0 || outq_advance(w->opts.out, (size_t)n, &err) < 0) {
			ws_end(w, CODE_ABNORMAL);
			return false;
		}
		written += (size_t)n;
	}
	return !w->ending;
}

/* Puts our close frame into the empty queue, which accepts it even when its file has failed. False
 * when it was sent before. */
static bool put_close(struct ws *w)
{
	const unsigned char frame[4] = { 0x88, 2, (unsigned char)(w->code >> 8),
		(unsigned char)w->code };
	struct wsbuf *b;

	if (w->close_sent)
		return false;
	w->close_sent = true;
	b = wsbuf_copy(WSBUF_RAW, (struct cyg_str){ (const char *)frame, sizeof(frame) });
	if (b != NULL)
		(void)outq_put(w->opts.out, b, NULL);
	wsbuf_unref(b);
	return true;
}

void ws_flush(struct ws *w)
{
	do
		if (!write_queue(w))
			return;
	while (w->closing && put_close(w));
	if (w->closing) {
		ws_shut(w);
		return;
	}
	ws_watch(w, UV_READABLE);
	if (!w->blocked)
		return;
	w->blocked = false;
	if (!w->told && w->opts.on_drain != NULL)
		w->opts.on_drain(w->opts.arg);
}

/* Sends a control frame. It goes between messages, so it is queued like them. */
static void send_control(struct ws *w, struct wsbuf *b)
{
	if (b == NULL)
		return;
	if (outq_put(w->opts.out, b, NULL) == 0)
		ws_flush(w);
	wsbuf_unref(b);
}

/* Sends the last frame: the reply to a close frame, or our own. Never by the queue, which may be
 * used by the client's next connection and would close that. A client that does not read misses it.
 */
static void send_last(struct ws *w, const struct wsbuf *b)
{
	if (b != NULL && !w->shut && outq_is_empty(w->opts.out))
		(void)!send(w->fd, b->data + b->start, b->len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void feed(struct ws *w, struct cyg_str data)
{
	struct wsbuf *answer = NULL;
	int code = CODE_ABNORMAL;
	bool open = ws_reader_feed(w->reader, data, &answer, &code);

	if (!w->ending && open && !w->closing) {
		send_control(w, answer);
		return;
	}
	if (!w->ending && !open) {
		send_last(w, answer);
		ws_end(w, code);
	}
	wsbuf_unref(answer);
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
		w->heard_ms = cyg_clock_mono_ms(); /* it has read something */
		ws_flush(w);
	}
	if ((events & UV_READABLE) != 0 && !w->ending)
		ws_read(w);
}

static void on_timer(uv_timer_t *t)
{
	static const unsigned char ping[2] = { 0x89, 0 };
	struct ws *w = t->data;

	if (w->shut || cyg_clock_mono_ms() - w->heard_ms > WS_SILENCE_MS) {
		ws_end(w, CODE_ABNORMAL);
		return;
	}
	if (!w->closing)
		send_control(
		    w, wsbuf_copy(WSBUF_RAW, (struct cyg_str){ (const char *)ping, sizeof(ping) }));
}

static void on_reader_message(void *arg, bool binary, struct cyg_str message)
{
	struct ws *w = arg;

	if (!w->ending && !w->told)
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

void ws_finish(struct ws *w, int code, struct cyg_list *leaving)
{
	w->told = w->closing = true;
	if (w->ending)
		return;
	w->code = code;
	w->leaving = leaving;
	cyg_list_add(leaving, &w->link);
	ws_flush(w);
}

void ws_end_all(struct cyg_list *leaving)
{
	cyg_list_each_safe (it, leaving) {
		ws_end(CYG_CONTAINER_OF(it, struct ws, link), CODE_ABNORMAL);
	}
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

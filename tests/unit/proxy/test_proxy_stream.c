/* Connections over a stream that behaves as TLS does: it takes more off the socket than it gives,
 * so that bytes wait where the loop cannot see them, it wants to write in order to read and to read
 * in order to write, and it begins with a handshake. */
#include "base/mem.h"
#include "tests/unit/proxy/proxy_rig.h"

#include <check.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

enum { HELD_MAX = 256 * 1024, GIVEN_MAX = 1000, PIPELINE = 3000, TURNS_MAX = 100000 };

/* ---- the stream ---- */

struct withheld {
	char held[HELD_MAX]; /* off the socket, not given yet */
	size_t at, len;
	bool heard;          /* of the handshake: "hello" has come */
	unsigned refusals;   /* further times that the handshake's write finds no room */
	unsigned handshakes; /* calls */
};

static void take_all(struct stream *s)
{
	struct withheld *w = s->state;
	ssize_t n;

	while ((n = recv(s->fd, w->held + w->len, HELD_MAX - w->len, 0)) > 0)
		w->len += (size_t)n;
}

static ssize_t held_read(struct stream *s, void *data, size_t len)
{
	struct withheld *w = s->state;
	size_t n;

	if (w->at == w->len) {
		char byte;

		w->at = w->len = 0;
		take_all(s);
		if (w->len == 0)
			return recv(s->fd, &byte, 1, MSG_PEEK) == 0 ? 0 : -EAGAIN;
	}
	n = w->len - w->at < GIVEN_MAX ? w->len - w->at : GIVEN_MAX;
	n = n < len ? n : len;
	memcpy(data, w->held + w->at, n);
	w->at += n;
	return (ssize_t)n;
}

static size_t held_pending(const struct stream *s)
{
	const struct withheld *w = s->state;

	return w->len - w->at;
}

/* Hears "hello", and has to say "olleh" before it may read on. */
static int held_handshake(struct stream *s)
{
	struct withheld *w = s->state;
	char text[5];

	w->handshakes++;
	if (!w->heard) {
		if (recv(s->fd, text, sizeof(text), 0) != (ssize_t)sizeof(text))
			return -EAGAIN;
		if (memcmp(text, "hello", sizeof(text)) != 0)
			return -EPROTO;
		w->heard = true;
	}
	if (w->refusals > 0) {
		w->refusals--;
		s->read_wants = STREAM_WRITABLE;
		return -EAGAIN;
	}
	s->read_wants = STREAM_READABLE;
	return send(s->fd, "olleh", sizeof(text), MSG_NOSIGNAL) == (ssize_t)sizeof(text) ? 0
											 : -EPIPE;
}

static ssize_t held_write(struct stream *s, const void *data, size_t len)
{
	ssize_t n = send(s->fd, data, len, MSG_NOSIGNAL);

	return n < 0 ? -errno : n;
}

static int held_shut(struct stream *s)
{
	return shutdown(s->fd, SHUT_WR);
}

static void held_close(struct stream *s, int abrupt)
{
	(void)abrupt;
	(void)close(s->fd);
	free(s->state);
}

static const struct stream_ops withholding = {
	.read = held_read,
	.write = held_write,
	.shut = held_shut,
	.close = held_close,
	.pending = held_pending,
};
static const struct stream_ops shaking = {
	.handshake = held_handshake,
	.read = held_read,
	.write = held_write,
	.shut = held_shut,
	.close = held_close,
	.pending = held_pending,
};

static struct withheld *newest;

static void *held_open(struct listener *l)
{
	(void)l;
	newest = cyg_xcalloc(1, sizeof(*newest));
	newest->refusals = 3;
	return newest;
}

/* ---- a proxy with this stream ---- */

static struct proxy_rig rig;

static void start(void)
{
	proxy_rig_start(&rig, &withholding, "https");
	rig.listener.stream_open = held_open;
}

static void stop(void)
{
	proxy_rig_stop(&rig);
}

static int dial(void)
{
	return proxy_rig_dial(&rig, HELD_MAX);
}

static void say(int fd, const char *text)
{
	ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

START_TEST(test_bytes_that_a_stream_holds_behind_a_full_buffer_are_read)
{
	static char many[PIPELINE * sizeof(REQUEST)];
	size_t len = 0;
	int fd = dial();
	unsigned n = 0;

	for (unsigned i = 0; i < PIPELINE; i++) {
		memcpy(many + len, REQUEST, sizeof(REQUEST) - 1);
		len += sizeof(REQUEST) - 1;
	}
	ck_assert_uint_gt(len, 2 * (size_t)PEER_IN_MAX);
	ck_assert_int_eq(send(fd, many, len, MSG_NOSIGNAL), (ssize_t)len);
	/* All of it leaves the socket with the first read: a loop that waited for the socket would
	 * sleep for ever. */
	for (unsigned turn = 0; turn < TURNS_MAX && n < PIPELINE; turn++) {
		(void)uv_run(&rig.loop, UV_RUN_NOWAIT);
		n += proxy_rig_take(fd);
	}
	ck_assert_uint_eq(n, PIPELINE);
	ck_assert_uint_eq(held_pending(&(struct stream){ .state = newest }), 0);
	cyg_close(fd);
}
END_TEST

START_TEST(test_a_handshake_may_want_to_write_before_it_reads_on)
{
	char text[5];
	int fd;

	rig.listener.stream = &shaking;
	fd = dial();
	say(fd, "hel");
	(void)uv_run(&rig.loop, UV_RUN_NOWAIT);
	ck_assert_uint_eq(rig.proxy.lists[CLIENT_HEAD].n, 1);
	ck_assert_uint_eq(newest->heard, false);
	cyg_close(fd);

	fd = dial();
	say(fd, "hello" REQUEST);
	for (unsigned turn = 0; turn < 10; turn++)
		(void)uv_run(&rig.loop, UV_RUN_NOWAIT);
	ck_assert_uint_eq(newest->handshakes, 4); /* three times there was no room */
	ck_assert_int_eq(recv(fd, text, sizeof(text), 0), (ssize_t)sizeof(text));
	ck_assert_int_eq(memcmp(text, "olleh", sizeof(text)), 0);
	ck_assert_uint_eq(proxy_rig_take(fd), 1);
	cyg_close(fd);
}
END_TEST

START_TEST(test_a_handshake_that_fails_ends_the_connection)
{
	char byte;
	int fd;

	rig.listener.stream = &shaking;
	fd = dial();
	say(fd, "howdy");
	for (unsigned turn = 0; turn < 3; turn++)
		(void)uv_run(&rig.loop, UV_RUN_NOWAIT);
	ck_assert_int_eq(recv(fd, &byte, 1, 0), 0);
	ck_assert_uint_eq(rig.listener.n_open, 0);
	cyg_close(fd);
}
END_TEST

/* ---- one peer alone ---- */

static struct peer peer;

static void on_closed(uv_handle_t *handle)
{
	(void)handle;
}

static int peer_pair(const struct stream_ops *ops, void *state)
{
	struct stream stream;
	int ends[2];

	proxy_rig_pair(ends, HELD_MAX);
	stream_init(&stream, ops, ends[1], state);
	ck_assert_int_eq(peer_init(&peer, &rig.loop, &stream, &rig.proxy.spares, NULL), 0);
	return ends[0];
}

static void peer_end(int fd)
{
	peer_close(&peer, false, on_closed);
	cyg_close(fd);
}

START_TEST(test_a_full_buffer_is_filled_again_once_it_was_used)
{
	static char data[3 * PEER_IN_MAX];
	int fd = peer_pair(&withholding, held_open(NULL));
	size_t got = 0;

	memset(data, 'x', sizeof(data));
	ck_assert_int_eq(send(fd, data, sizeof(data), MSG_NOSIGNAL), (ssize_t)sizeof(data));
	ck_assert(peer_event(&peer, UV_READABLE));
	ck_assert_uint_eq(peer.in.len, PEER_IN_MAX);
	ck_assert_int_eq(peer_wanted(&peer), 0);
	ck_assert(!peer_refill(&peer));
	while (peer.in.len > 0) {
		got += peer.in.len;
		cyg_buf_reset(&peer.in);
		(void)peer_refill(&peer);
	}
	ck_assert_uint_eq(got, sizeof(data));
	ck_assert_int_eq(peer_wanted(&peer), UV_READABLE);
	peer_end(fd);
}
END_TEST

START_TEST(test_each_wish_waits_for_the_direction_that_the_stream_needs)
{
	int fd = peer_pair(&withholding, held_open(NULL));
	char byte;

	ck_assert_int_eq(peer_wanted(&peer), UV_READABLE);
	peer.stream.read_wants = STREAM_WRITABLE;
	ck_assert_int_eq(peer_wanted(&peer), UV_WRITABLE);
	say(fd, "x");
	ck_assert(peer_event(&peer, UV_WRITABLE));
	ck_assert_uint_eq(peer.in.len, 1);
	peer.stream.read_wants = STREAM_READABLE;
	peer.stream.write_wants = STREAM_READABLE;
	(void)cyg_buf_add_str(peer_out(&peer), "y", NULL);
	ck_assert_int_eq(peer_wanted(&peer), UV_READABLE);
	ck_assert(peer_event(&peer, UV_READABLE));
	ck_assert_int_eq(recv(fd, &byte, 1, 0), 1);
	peer_end(fd);
}
END_TEST

START_TEST(test_nothing_is_written_before_the_handshake_is_done)
{
	int fd = peer_pair(&shaking, held_open(NULL));
	char text[16];

	newest->refusals = 0;
	peer_put(&peer, CYG_STR("behind"));
	ck_assert(!peer_flush(&peer) && !peer_fill(&peer) && !peer.failed);
	ck_assert_int_eq(recv(fd, text, sizeof(text), 0), -1);
	ck_assert_int_eq(peer_wanted(&peer), UV_READABLE);
	say(fd, "hello");
	ck_assert(peer_event(&peer, UV_READABLE));
	ck_assert_int_eq(recv(fd, text, sizeof(text), 0), 11);
	ck_assert_int_eq(memcmp(text, "ollehbehind", 11), 0);
	peer_end(fd);
}
END_TEST

int main(void)
{
	SRunner *runner;
	Suite *suite = suite_create("proxy_stream");
	TCase *tc = tcase_create("withholding");
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, start, stop);
	tcase_add_test(tc, test_bytes_that_a_stream_holds_behind_a_full_buffer_are_read);
	tcase_add_test(tc, test_a_handshake_may_want_to_write_before_it_reads_on);
	tcase_add_test(tc, test_a_handshake_that_fails_ends_the_connection);
	tcase_add_test(tc, test_a_full_buffer_is_filled_again_once_it_was_used);
	tcase_add_test(tc, test_each_wish_waits_for_the_direction_that_the_stream_needs);
	tcase_add_test(tc, test_nothing_is_written_before_the_handshake_is_done);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}

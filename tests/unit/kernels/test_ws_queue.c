/* The queue of a client (memory, then a file) and the reader of its WebSocket frames. */
#include "base/mem.h"
#include "kernels/base/outq.h"
#include "kernels/base/ws.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static void put(struct outq *q, unsigned number, size_t size)
{
	struct wsbuf *b = wsbuf_new(WSBUF_RAW, size);

	ck_assert_ptr_nonnull(b);
	memset(wsbuf_payload(b), (int)(number & 0xff), size);
	ck_assert_int_eq(outq_put(q, b, NULL), 0);
	wsbuf_unref(b);
}

/* Takes step bytes at a time and checks that frame i is size bytes of value i. */
static void take_all(struct outq *q, unsigned from, unsigned to, size_t size, size_t step)
{
	size_t done = 0;

	while (!outq_is_empty(q)) {
		struct iovec iov[4];
		int n = outq_peek(q, iov, 4);
		const unsigned char *p = iov[0].iov_base;
		size_t len = iov[0].iov_len < step ? iov[0].iov_len : step;

		ck_assert_int_gt(n, 0);
		for (size_t i = 0; i < len; i++)
			ck_assert_uint_eq(p[i], (from + (done + i) / size) & 0xff);
		ck_assert_int_eq(outq_advance(q, len, NULL), 0);
		done += len;
	}
	ck_assert_uint_eq(done, (to - from) * size);
}

START_TEST(test_frames_beyond_the_memory_wait_in_a_file_in_order)
{
	const struct outq_limits limits = { 10000, 1 << 30, "/tmp" };
	struct outq *q = outq_new(&limits);

	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 200; i++)
			put(q, i, 1000);
		ck_assert_uint_ge(outq_bytes(q), 200 * 1000);
		take_all(q, 0, 200, 1000, 333);
		ck_assert_uint_eq(outq_bytes(q), 0);
	}
	outq_free(q);
}
END_TEST

START_TEST(test_file_of_a_client_that_is_always_behind_holds_no_more_than_what_waits)
{
	const struct outq_limits limits = { 100000, 1 << 30, "/tmp" };
	struct outq *q = outq_new(&limits);
	int fd = dup(0); /* the number that the queue's file will have */
	struct stat st;

	cyg_close(fd);
	for (unsigned i = 0; i < 8000; i++) {
		put(q, i, 10000);
		if (i >= 1000)
			ck_assert_int_eq(outq_advance(q, 10000, NULL), 0);
	}
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_gt(st.st_size, 60 * 1000 * 1000);
	ck_assert_int_lt(st.st_blocks * 512, 15 * 1000 * 1000);
	outq_free(q);
}
END_TEST

START_TEST(test_queue_without_a_file_is_bounded)
{
	const struct outq_limits limits = { 2500, 0, NULL };
	struct outq *q = outq_new(&limits);
	struct wsbuf *b = wsbuf_new(WSBUF_RAW, 1000);

	ck_assert_ptr_nonnull(b);
	memset(wsbuf_payload(b), 0, 1000);
	ck_assert_int_eq(outq_put(q, b, NULL), 0);
	ck_assert_int_eq(outq_put(q, b, NULL), 0);
	ck_assert_int_eq(outq_put(q, b, NULL), -CYG_ELIMIT);
	wsbuf_unref(b);
	outq_free(q);
}
END_TEST

START_TEST(test_frames_are_counted_until_they_are_cleared)
{
	const struct outq_limits limits = { 2000, 1 << 20, "/tmp" };
	struct outq *q = outq_new(&limits);

	for (unsigned i = 0; i < 20; i++)
		put(q, i, 100);
	outq_set_memory(q, 100);
	for (unsigned i = 20; i < 30; i++)
		put(q, i, 100);
	ck_assert_uint_eq(outq_frames(q), 30);
	ck_assert_uint_ge(outq_bytes(q), 30 * 100);
	outq_clear(q);
	ck_assert_uint_eq(outq_frames(q), 0);
	ck_assert_uint_eq(outq_bytes(q), 0);
	outq_set_memory(q, 2000);
	for (unsigned i = 0; i < 30; i++)
		put(q, i, 100);
	take_all(q, 0, 30, 100, 70);
	ck_assert_uint_eq(outq_frames(q), 0);
	outq_free(q);
}
END_TEST

START_TEST(test_file_is_bounded)
{
	const struct outq_limits limits = { 1000, 3000, "/tmp" };
	struct outq *q = outq_new(&limits);
	struct wsbuf *b = wsbuf_new(WSBUF_RAW, 900);

	ck_assert_ptr_nonnull(b);
	memset(wsbuf_payload(b), 0, 900);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(outq_put(q, b, NULL), 0);
	ck_assert_int_eq(outq_put(q, b, NULL), -CYG_ELIMIT);
	wsbuf_unref(b);
	outq_free(q);
}
END_TEST

START_TEST(test_frame_written_in_part_is_sent_anew_to_the_next_connection)
{
	const struct outq_limits limits = { 10000, 0, NULL };
	struct outq *q = outq_new(&limits);

	put(q, 7, 100);
	ck_assert_int_eq(outq_advance(q, 40, NULL), 0);
	outq_rewind(q);
	take_all(q, 7, 8, 100, 100);
	outq_free(q);
}
END_TEST

START_TEST(test_head_of_a_frame_has_the_shortest_length)
{
	static const struct {
		size_t len;
		unsigned char head[10];
		size_t n;
	} cases[] = { { 125, { 0x82, 125 }, 2 }, { 126, { 0x82, 126, 0, 126 }, 4 },
		{ 65535, { 0x82, 126, 0xff, 0xff }, 4 },
		{ 65536, { 0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0 }, 10 } };

	for (size_t i = 0; i < CYG_N(cases); i++) {
		struct wsbuf *b = wsbuf_new(WSBUF_BINARY, cases[i].len);

		ck_assert_ptr_nonnull(b);
		ck_assert_uint_eq(b->len, cases[i].len + cases[i].n);
		ck_assert_mem_eq(b->data + b->start, cases[i].head, cases[i].n);
		wsbuf_unref(b);
	}
}
END_TEST

/* ---- the reader ---- */

struct heard {
	char text[4096];
	int n;
	bool binary;
};

static void on_message(void *arg, bool binary, struct cyg_str message)
{
	struct heard *h = arg;

	ck_assert_uint_lt(message.len, sizeof(h->text));
	memcpy(h->text, message.p, message.len);
	h->text[message.len] = '\0';
	h->binary = binary;
	h->n++;
}

/* A client's frame with mask 1 2 3 4. */
static size_t frame(unsigned char *out, unsigned first, const char *text)
{
	static const unsigned char mask[4] = { 1, 2, 3, 4 };
	size_t len = strlen(text);

	out[0] = (unsigned char)first;
	out[1] = (unsigned char)(0x80 | len);
	memcpy(out + 2, mask, 4);
	for (size_t i = 0; i < len; i++)
		out[6 + i] = (unsigned char)((unsigned char)text[i] ^ mask[i % 4]);
	return 6 + len;
}

static bool feed(
    struct ws_reader *r, const unsigned char *p, size_t n, struct wsbuf **out, int *code)
{
	return ws_reader_feed(r, (struct cyg_str){ (const char *)p, n }, out, code);
}

START_TEST(test_fragments_and_a_ping_between_them_byte_by_byte)
{
	struct heard h = { .n = 0 };
	struct ws_reader *r = ws_reader_new(1000, on_message, &h);
	unsigned char in[64];
	size_t n = frame(in, 0x01, "hel"), pongs = 0;
	int code = 0;

	n += frame(in + n, 0x89, "p");
	n += frame(in + n, 0x80, "lo");
	for (size_t i = 0; i < n; i++) {
		struct wsbuf *out = NULL;

		ck_assert(feed(r, in + i, 1, &out, &code));
		if (out != NULL) {
			ck_assert_uint_eq(out->len, 3);
			ck_assert_mem_eq(out->data + out->start, "\x8a\x01p", 3);
			pongs++;
		}
		wsbuf_unref(out);
	}
	ck_assert_uint_eq(pongs, 1);
	ck_assert_int_eq(h.n, 1);
	ck_assert_str_eq(h.text, "hello");
	ck_assert(!h.binary);
	ws_reader_free(r);
}
END_TEST

START_TEST(test_close_is_answered_and_its_code_is_told)
{
	struct heard h = { .n = 0 };
	struct ws_reader *r = ws_reader_new(1000, on_message, &h);
	unsigned char in[16];
	size_t n = frame(in, 0x88, "\x03\xe9"); /* 1001 */
	struct wsbuf *out = NULL;
	int code = 0;

	ck_assert(!feed(r, in, n, &out, &code));
	ck_assert_int_eq(code, 1001);
	ck_assert_ptr_nonnull(out);
	ck_assert_uint_eq(out->data[out->start], 0x88);
	wsbuf_unref(out);
	ws_reader_free(r);
}
END_TEST

START_TEST(test_what_breaks_the_protocol_ends_the_connection)
{
	static const struct {
		const char *bytes;
		size_t n;
	} bad[] = { { "\x81\x01x", 3 },             /* not masked */
		{ "\xc1\x81\1\2\3\4y", 7 },         /* RSV1 without an extension */
		{ "\x83\x80\1\2\3\4", 6 },          /* unknown opcode */
		{ "\x09\x80\1\2\3\4", 6 },          /* fragmented ping */
		{ "\x80\x80\1\2\3\4", 6 },          /* continuation of nothing */
		{ "\x82\xfe\xff\xff\1\2\3\4z", 9 }, /* larger than allowed */
		{ "\x81\x81\1\2\3\4\xfe", 7 } };    /* text that is not UTF-8 */

	for (size_t i = 0; i < CYG_N(bad); i++) {
		struct heard h = { .n = 0 };
		struct ws_reader *r = ws_reader_new(1000, on_message, &h);
		struct wsbuf *out = NULL;
		int code = 0;

		ck_assert_msg(
		    !ws_reader_feed(r, (struct cyg_str){ bad[i].bytes, bad[i].n }, &out, &code),
		    "case %zu", i);
		ck_assert_int_eq(h.n, 0);
		wsbuf_unref(out);
		ws_reader_free(r);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ws_queue");
	TCase *t = tcase_create("all");

	tcase_add_test(t, test_frames_beyond_the_memory_wait_in_a_file_in_order);
	tcase_add_test(
	    t, test_file_of_a_client_that_is_always_behind_holds_no_more_than_what_waits);
	tcase_add_test(t, test_queue_without_a_file_is_bounded);
	tcase_add_test(t, test_frames_are_counted_until_they_are_cleared);
	tcase_add_test(t, test_file_is_bounded);
	tcase_add_test(t, test_frame_written_in_part_is_sent_anew_to_the_next_connection);
	tcase_add_test(t, test_head_of_a_frame_has_the_shortest_length);
	tcase_add_test(t, test_fragments_and_a_ping_between_them_byte_by_byte);
	tcase_add_test(t, test_close_is_answered_and_its_code_is_told);
	tcase_add_test(t, test_what_breaks_the_protocol_ends_the_connection);
	suite_add_tcase(suite, t);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}

/* Bodies, paths, queries, cookies and the WebSocket handshake: the codec's smaller parts. */
#include "base/mem.h"
#include "http/body.h"
#include "http/cookie.h"
#include "http/sha1.h"
#include "http/url.h"
#include "http/ws.h"

#include "base/enc.h"

#include <check.h>
#include <string.h>

static struct http_head head;
static struct cyg_err err;

static void parse(const char *text)
{
	int status;

	ck_assert_msg(
	    http_head_parse_request(text, strlen(text), &head, &status, &err) > 0, "%s", err.msg);
}

/* Decodes chunked text given in steps; the payload is appended to out. */
static int decode(const char *text, size_t step, struct cyg_buf *out, bool *done)
{
	static const struct http_head chunked = { .framing = HTTP_BODY_CHUNKED };
	struct http_body body;
	struct cyg_str rest = cyg_str_of(text);

	http_body_init(&body, &chunked);
	while (rest.len > 0 && !body.done) {
		struct cyg_str payload;
		size_t used;
		size_t n = rest.len < step ? rest.len : step;
		int rc = http_body_step(&body, rest.p, n, &used, &payload, &err);

		if (rc < 0)
			return rc;
		ck_assert_int_eq(cyg_buf_add(out, payload.p, payload.len, NULL), 0);
		rest = cyg_str_skip(rest, used);
	}
	*done = body.done;
	return (int)rest.len;
}

START_TEST(test_chunks_decode_in_any_pieces)
{
	const char *text = "5\r\nhello\r\nA;x=\"y\"\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\nNEXT";

	for (size_t step = 1; step <= strlen(text); step++) {
		cyg_autobuf struct cyg_buf out;
		bool done = false;

		cyg_buf_init(&out, 100);
		ck_assert_int_eq(decode(text, step, &out, &done), 4);
		ck_assert(done);
		ck_assert_str_eq(out.data, "hello0123456789");
	}
}
END_TEST

START_TEST(test_written_chunks_decode_to_the_same)
{
	cyg_autobuf struct cyg_buf out, back;
	bool done = false;

	cyg_buf_init(&out, 1000);
	cyg_buf_init(&back, 1000);
	ck_assert_int_eq(http_chunk_write(&out, "hello world!!!!!", 16, &err), 0);
	ck_assert_int_eq(http_chunk_write(&out, "x", 1, &err), 0);
	ck_assert_int_eq(http_chunk_write(&out, "", 0, &err), -CYG_EINVAL);
	ck_assert_int_eq(http_chunk_end(&out, &err), 0);
	ck_assert_str_eq(out.data, "10\r\nhello world!!!!!\r\n1\r\nx\r\n0\r\n\r\n");
	ck_assert_int_eq(decode(out.data, SIZE_MAX, &back, &done), 0);
	ck_assert_str_eq(back.data, "hello world!!!!!x");
	ck_assert(done);
}
END_TEST

START_TEST(test_a_body_of_a_length_ends_there)
{
	static const struct http_head five = { .framing = HTTP_BODY_LENGTH, .content_length = 5 };
	struct cyg_str payload;
	struct http_body body;
	size_t used;

	http_body_init(&body, &five);
	ck_assert_int_eq(http_body_step(&body, "hel", 3, &used, &payload, &err), 0);
	ck_assert(!body.done && used == 3 && cyg_str_eq(payload, "hel"));
	ck_assert_int_eq(http_body_end(&body, &err), -CYG_EPROTO);
	ck_assert_int_eq(http_body_step(&body, "loNEXT", 6, &used, &payload, &err), 0);
	ck_assert(body.done && used == 2 && cyg_str_eq(payload, "lo"));
	ck_assert_int_eq(http_body_end(&body, &err), 0);
}
END_TEST

START_TEST(test_a_body_without_length_ends_with_the_connection)
{
	static const struct http_head open_end = { .framing = HTTP_BODY_CLOSE };
	static const struct http_head none = { .framing = HTTP_BODY_NONE };
	static const struct http_head zero = { .framing = HTTP_BODY_LENGTH };
	struct cyg_str payload;
	struct http_body body;
	size_t used;

	http_body_init(&body, &open_end);
	ck_assert_int_eq(http_body_step(&body, "hello", 5, &used, &payload, &err), 0);
	ck_assert(!body.done && used == 5 && payload.len == 5);
	ck_assert_int_eq(http_body_end(&body, &err), 0);
	ck_assert(body.done);
	http_body_init(&body, &none);
	ck_assert(body.done);
	http_body_init(&body, &zero);
	ck_assert(body.done);
}
END_TEST

START_TEST(test_good_paths_decode)
{
	static const char *const cases[][2] = { { "/", "/" }, { "/a/b%20c/", "/a/b c/" },
		{ "/caf%C3%A9", "/caf\xc3\xa9" }, { "/a%252fb", "/a%2fb" }, { "/a+b", "/a+b" },
		{ "/...", "/..." }, { "/.a", "/.a" } };
	struct cyg_arena arena;

	cyg_arena_init(&arena);
	for (size_t i = 0; i < CYG_N(cases); i++) {
		struct cyg_str path;

		ck_assert_msg(url_path_decode(&arena, cyg_str_of(cases[i][0]), &path, &err) == 0,
		    "%s: %s", cases[i][0], err.msg);
		ck_assert(cyg_str_eq(path, cases[i][1]));
	}
	cyg_arena_free(&arena);
}
END_TEST

START_TEST(test_bad_paths_are_refused)
{
	static const char *const cases[] = { "", "a", "/%", "/%4", "/%zz", "/%00", "/a%2fb",
		"/a%2Fb", "/a%5cb", "/a\\b", "/..", "/a/..", "/a/../b", "/./a", "/%2e",
		"/a/%2E%2e/b", "/.%2e", "//", "//a", "/a//b", "/%ff", "/%c0%af", "/%0a", "/a%7f",
		"/%ed%a0%80" };
	struct cyg_arena arena;

	cyg_arena_init(&arena);
	for (size_t i = 0; i < CYG_N(cases); i++) {
		struct cyg_str path;

		ck_assert_msg(
		    url_path_decode(&arena, cyg_str_of(cases[i]), &path, &err) == -CYG_EINVAL, "%s",
		    cases[i]);
	}
	cyg_arena_free(&arena);
}
END_TEST

START_TEST(test_encode_and_decode_agree_on_every_byte)
{
	cyg_autobuf struct cyg_buf out;
	struct cyg_arena arena;
	struct cyg_str back;
	char all[255];

	for (int c = 1; c < 256; c++)
		all[c - 1] = (char)c;
	cyg_buf_init(&out, 1000);
	cyg_arena_init(&arena);
	ck_assert_int_eq(url_encode(&out, (struct cyg_str){ all, 255 }, "/", &err), 0);
	ck_assert_ptr_nonnull(strchr(out.data, '/'));
	ck_assert_ptr_null(strchr(out.data, '+'));
	ck_assert_int_eq(url_decode(&arena, cyg_buf_str(&out), &back, &err), 0);
	ck_assert(cyg_str_same(back, (struct cyg_str){ all, 255 }));
	cyg_buf_reset(&out);
	ck_assert_int_eq(url_encode(&out, CYG_STR("a/b\0c d~"), "", &err), 0);
	ck_assert_str_eq(out.data, "a%2Fb%00c%20d~");
	cyg_arena_free(&arena);
}
END_TEST

START_TEST(test_query_values)
{
	const struct cyg_str query = CYG_STR("a=1&b=x+y%2B&a=2&c&%64=e=f&&g=");
	struct cyg_arena arena;
	struct cyg_str value;
	bool found;

	cyg_arena_init(&arena);
	ck_assert_int_eq(url_query_get(&arena, query, "a", &value, &found, &err), 0);
	ck_assert(found && cyg_str_eq(value, "1"));
	ck_assert_int_eq(url_query_get(&arena, query, "b", &value, &found, &err), 0);
	ck_assert(found && cyg_str_eq(value, "x y+"));
	ck_assert_int_eq(url_query_get(&arena, query, "c", &value, &found, &err), 0);
	ck_assert(found && value.len == 0);
	ck_assert_int_eq(url_query_get(&arena, query, "d", &value, &found, &err), 0);
	ck_assert(found && cyg_str_eq(value, "e=f"));
	ck_assert_int_eq(url_query_get(&arena, query, "z", &value, &found, &err), 0);
	ck_assert(!found);
	ck_assert_int_eq(
	    url_query_get(&arena, (struct cyg_str){ NULL, 0 }, "z", &value, &found, &err), 0);
	ck_assert(!found);
	ck_assert_int_eq(
	    url_query_get(&arena, CYG_STR("a=%4"), "a", &value, &found, &err), -CYG_EINVAL);
	ck_assert(!found);
	cyg_arena_free(&arena);
}
END_TEST

START_TEST(test_local_targets)
{
	ck_assert(url_is_local(CYG_STR("/")));
	ck_assert(url_is_local(CYG_STR("/hub/home?x=http://y")));
	ck_assert(!url_is_local(CYG_STR("")));
	ck_assert(!url_is_local(CYG_STR("//evil.test")));
	ck_assert(!url_is_local(CYG_STR("/\\evil.test")));
	ck_assert(!url_is_local(CYG_STR("/\t/evil.test")));
	ck_assert(!url_is_local(CYG_STR("https://evil.test/")));
	ck_assert(!url_is_local(CYG_STR("javascript:alert(1)")));
	ck_assert(!url_is_local(CYG_STR("/a\r\nX: y")));
	ck_assert(!url_is_local(CYG_STR("/caf\xc3\xa9")));
}
END_TEST

#define COOKIES(text) "GET / HTTP/1.1\r\nHost: a\r\n" text "\r\n"

START_TEST(test_cookie_values)
{
	struct cyg_str value;

	parse(COOKIES("Cookie: a=1; b = 2 ;c=x=y; d=\r\nCookie: e=5\r\n"));
	ck_assert(http_cookie_get(&head, "a", &value) && cyg_str_eq(value, "1"));
	ck_assert(http_cookie_get(&head, "b", &value) && cyg_str_eq(value, "2"));
	ck_assert(http_cookie_get(&head, "c", &value) && cyg_str_eq(value, "x=y"));
	ck_assert(http_cookie_get(&head, "d", &value) && value.len == 0);
	ck_assert(http_cookie_get(&head, "e", &value) && cyg_str_eq(value, "5"));
	ck_assert(!http_cookie_get(&head, "A", &value));
	parse(COOKIES(""));
	ck_assert(!http_cookie_get(&head, "a", &value));
}
END_TEST

START_TEST(test_tossed_cookies_are_not_believed)
{
	struct cyg_str value;

	parse(COOKIES("Cookie: s=good; s=evil\r\n"));
	ck_assert(!http_cookie_get(&head, "s", &value));
	parse(COOKIES("Cookie: s=good\r\nCookie: s=evil\r\n"));
	ck_assert(!http_cookie_get(&head, "s", &value));
	parse(COOKIES("Cookie: s=good; s=good\r\n"));
	ck_assert(http_cookie_get(&head, "s", &value) && cyg_str_eq(value, "good"));
}
END_TEST

START_TEST(test_too_many_cookies_are_none)
{
	cyg_autobuf struct cyg_buf text, out;
	struct cyg_str value;

	cyg_buf_init(&text, 4096);
	cyg_buf_init(&out, 4096);
	(void)cyg_buf_add_str(&text, "GET / HTTP/1.1\r\nHost: a\r\nCookie: s=1", NULL);
	for (int i = 1; i < HTTP_COOKIES_MAX; i++)
		(void)cyg_buf_printf(&text, NULL, "; c%d=x", i);
	(void)cyg_buf_add_str(&text, "\r\n\r\n", NULL);
	parse(text.data);
	ck_assert(http_cookie_get(&head, "s", &value));
	ck_assert_int_eq(http_cookie_without(&head, "__", &out, &err), 0);
	cyg_buf_reset(&text);
	(void)cyg_buf_add_str(&text, "GET / HTTP/1.1\r\nHost: a\r\nCookie: s=1", NULL);
	for (int i = 0; i < HTTP_COOKIES_MAX; i++)
		(void)cyg_buf_printf(&text, NULL, "; c%d=x", i);
	(void)cyg_buf_add_str(&text, "\r\n\r\n", NULL);
	parse(text.data);
	ck_assert(!http_cookie_get(&head, "s", &value));
	ck_assert_int_eq(http_cookie_without(&head, "__", &out, &err), -CYG_ELIMIT);
}
END_TEST

START_TEST(test_own_cookies_are_taken_out)
{
	cyg_autobuf struct cyg_buf out;

	cyg_buf_init(&out, 4096);
	parse(COOKIES(
	    "Cookie: a=1; __Host-cygnet=x; __host-cygnet =y; =__Host-cygnet=z; b=2;; a=3\r\n"
	    "Cookie: __Host-cygnet-x=y\r\nCookie: c=4\r\n"));
	ck_assert_int_eq(http_cookie_without(&head, "__Host-cygnet", &out, &err), 0);
	ck_assert_str_eq(out.data, "a=1; b=2; a=3; c=4");
}
END_TEST

START_TEST(test_set_cookie)
{
	cyg_autobuf struct cyg_buf out;

	cyg_buf_init(&out, 4096);
	ck_assert_int_eq(http_cookie_set(&out, "__Host-a", "v", -1, &err), 0);
	ck_assert_str_eq(out.data, "__Host-a=v; Path=/; Secure; HttpOnly; SameSite=Lax");
	cyg_buf_reset(&out);
	ck_assert_int_eq(http_cookie_set(&out, "__Host-a", "", 0, &err), 0);
	ck_assert_str_eq(out.data, "__Host-a=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0");
	ck_assert_int_eq(http_cookie_set(&out, "a", "v", -1, &err), -CYG_EINVAL);
	ck_assert_int_eq(http_cookie_set(&out, "__Host-a", "v;x", -1, &err), -CYG_EINVAL);
	ck_assert_int_eq(http_cookie_set(&out, "__Host-a", "v\r\nx", -1, &err), -CYG_EINVAL);
	ck_assert_int_eq(http_cookie_set(&out, "__Host-a=", "v", -1, &err), -CYG_EINVAL);
}
END_TEST

#define WS(fields) "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n" fields "\r\n"
#define KEY        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define V13        "Sec-WebSocket-Version: 13\r\n"
#define UP         "Upgrade: WebSocket\r\n"

START_TEST(test_handshakes)
{
	static const struct {
		const char *text;
		int status;
	} cases[] = {
		{ WS(UP V13 KEY), 0 },
		{ WS(V13 KEY), 400 },
		{ WS("Upgrade: h2c\r\n" V13 KEY), 400 },
		{ WS(UP KEY), 426 },
		{ WS(UP V13 V13 KEY), 426 },
		{ WS(UP "Sec-WebSocket-Version: 8\r\n" KEY), 426 },
		{ WS(UP V13), 400 },
		{ WS(UP V13 KEY KEY), 400 },
		{ WS(UP V13 "Sec-WebSocket-Key: short\r\n"), 400 },
		{ WS(UP V13 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQAA\r\n"), 400 },
		{ WS(UP V13 KEY "Content-Length: 1\r\n"), 400 },
		{ "POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n" UP V13 KEY "\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: a\r\n" UP V13 KEY "\r\n", 400 },
	};

	for (size_t i = 0; i < CYG_N(cases); i++) {
		int status = 0;

		parse(cases[i].text);
		ck_assert_int_eq(ws_request_check(&head, &status, &err) < 0, cases[i].status != 0);
		ck_assert_int_eq(status, cases[i].status);
	}
}
END_TEST

START_TEST(test_accept_is_that_of_rfc_6455)
{
	char accept[WS_ACCEPT_SIZE];

	ws_accept_of(CYG_STR("dGhlIHNhbXBsZSBub25jZQ=="), accept);
	ck_assert_str_eq(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}
END_TEST

/* The vectors of RFC 3174 7.3, and lengths around the padding's edges (from sha1sum). */
START_TEST(test_sha1_vectors)
{
	static const struct {
		size_t n; /* this many 'a', or text */
		const char *text, *hex;
	} cases[] = {
		{ 0, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d" },
		{ 0, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		    "84983e441c3bd26ebaae4aa1f95129e5e54670f1" },
		{ 0, "", "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
		{ 55, NULL, "c1c8bbdc22796e28c0e15163d20899b65621d65a" },
		{ 56, NULL, "c2db330f6083854c99d4b5bfb6e8f29f201be699" },
		{ 64, NULL, "0098ba824b5c16427bd7a1122a5a442a25ec644d" },
		{ 119, NULL, "ee971065aaa017e0632a8ca6c77bb3bf8b1dfc56" },
	};
	char many[128];

	memset(many, 'a', sizeof(many));
	for (size_t i = 0; i < CYG_N(cases); i++) {
		uint8_t digest[HTTP_SHA1_LEN];
		char hex[2 * HTTP_SHA1_LEN + 1];

		if (cases[i].text != NULL)
			http_sha1(cases[i].text, strlen(cases[i].text), digest);
		else
			http_sha1(many, cases[i].n, digest);
		cyg_hex_write(digest, sizeof(digest), hex);
		ck_assert_str_eq(hex, cases[i].hex);
	}
}
END_TEST

int main(void)
{
	SRunner *runner;
	Suite *suite = suite_create("http_url");
	TCase *tc = tcase_create("codec");
	int failed;

	tcase_add_test(tc, test_chunks_decode_in_any_pieces);
	tcase_add_test(tc, test_written_chunks_decode_to_the_same);
	tcase_add_test(tc, test_a_body_of_a_length_ends_there);
	tcase_add_test(tc, test_a_body_without_length_ends_with_the_connection);
	tcase_add_test(tc, test_good_paths_decode);
	tcase_add_test(tc, test_bad_paths_are_refused);
	tcase_add_test(tc, test_encode_and_decode_agree_on_every_byte);
	tcase_add_test(tc, test_query_values);
	tcase_add_test(tc, test_local_targets);
	tcase_add_test(tc, test_cookie_values);
	tcase_add_test(tc, test_tossed_cookies_are_not_believed);
	tcase_add_test(tc, test_too_many_cookies_are_none);
	tcase_add_test(tc, test_own_cookies_are_taken_out);
	tcase_add_test(tc, test_set_cookie);
	tcase_add_test(tc, test_handshakes);
	tcase_add_test(tc, test_accept_is_that_of_rfc_6455);
	tcase_add_test(tc, test_sha1_vectors);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}

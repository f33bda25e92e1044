/* The hostile requests, through the real server: each file of tests/fuzz/http1_head.corpus is a
 * request, and the end of its name the status it must get. A refused one never reaches a handler,
 * ends its connection, so that bytes after it are not read as a request. */
#include "base/file.h"
#include "base/mem.h"
#include "base/num.h"
#include "tests/unit/http/http_rig.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define CORPUS "tests/fuzz/http1_head.corpus"
#define GOOD   "GET / HTTP/1.1\r\nHost: hub.test\r\n\r\n"
#define UPGRADED                                                                                   \
	"GET / HTTP/1.1\r\nHost: hub.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"

enum { FILES_MAX = 200, READ_EDGE = 16 * 1024, EDGE_BYTES_MAX = 300 };

struct sample {
	char name[64];
	int status;
	struct cyg_buf text;
};

static struct sample samples[FILES_MAX];
static size_t n_samples;

static void load_samples(void)
{
	DIR *dir = opendir(CORPUS);
	struct dirent *e;

	ck_assert_msg(dir != NULL, "run from the top folder: %s", CORPUS);
	while ((e = readdir(dir)) != NULL) {
		struct sample *s = &samples[n_samples];
		struct cyg_str name = cyg_str_of(e->d_name);
		uint64_t status;

		if (e->d_name[0] == '.')
			continue;
		ck_assert_uint_lt(n_samples, FILES_MAX);
		ck_assert(cyg_str_copy(s->name, sizeof(s->name), name));
		ck_assert_int_eq(
		    cyg_num_parse_u64(cyg_str_skip(name, name.len - 3), 100, 599, &status, NULL),
		    0);
		s->status = (int)status;
		cyg_buf_init(&s->text, 1 << 20);
		ck_assert_int_eq(cyg_file_read(dirfd(dir), e->d_name, false, &s->text, NULL), 0);
		n_samples++;
	}
	(void)closedir(dir);
}

static void free_samples(void)
{
	while (n_samples > 0)
		cyg_buf_free(&samples[--n_samples].text);
}

/* Sends before (whose n_good requests get a 200) and the sample in steps. */
static void try_sample(const struct sample *s, struct cyg_str before, size_t n_good, size_t step)
{
	cyg_autobuf struct cyg_buf text, answer;
	int statuses[8] = { 0 };
	struct rig rig;
	size_t n;
	bool eof;
	int fd;

	cyg_buf_init(&text, 1 << 20);
	cyg_buf_init(&answer, 1 << 20);
	(void)cyg_buf_add(&text, before.p, before.len, NULL);
	(void)cyg_buf_add(&text, s->text.data, s->text.len, NULL);
	rig_start(&rig, NULL);
	fd = rig_connect(&rig);
	rig_send(&rig, fd, cyg_buf_str(&text), step);
	eof = rig_receive(&rig, fd, &answer);
	n = rig_statuses(cyg_buf_str(&answer), statuses, CYG_N(statuses));
	ck_assert_msg(n == n_good + 1, "%s: %zu answers", s->name, n);
	for (size_t i = 0; i < n_good; i++)
		ck_assert_int_eq(statuses[i], 200);
	ck_assert_msg(statuses[n_good] == s->status, "%s: %d", s->name, statuses[n_good]);
	ck_assert_msg(
	    rig.handled == n_good + (s->status == 200), "%s: %u handled", s->name, rig.handled);
	ck_assert_msg(eof || s->status < 400 || s->status == 404, "%s: still open", s->name);
	cyg_close(fd);
	rig_stop(&rig);
}

START_TEST(test_list_is_whole)
{
	static const struct {
		const char *prefix;
		size_t n;
	} groups[] = { { "framing-", 24 }, { "chunk-", 11 }, { "field-", 14 }, { "line-", 15 },
		{ "other-", 12 } };

	for (size_t g = 0; g < CYG_N(groups); g++) {
		size_t n = 0;

		for (size_t i = 0; i < n_samples; i++)
			n += cyg_str_starts(cyg_str_of(samples[i].name), groups[g].prefix);
		ck_assert_uint_eq(n, groups[g].n);
	}
}
END_TEST

START_TEST(test_whole_requests_get_their_status)
{
	for (size_t i = 0; i < n_samples; i++)
		try_sample(&samples[i], CYG_STR(""), 0, SIZE_MAX);
}
END_TEST

START_TEST(test_requests_byte_by_byte_get_the_same)
{
	for (size_t i = 0; i < n_samples; i++)
		try_sample(&samples[i], CYG_STR(""), 0, 1);
}
END_TEST

START_TEST(test_requests_behind_a_good_one_get_the_same)
{
	for (size_t i = 0; i < n_samples; i++) {
		try_sample(&samples[i], CYG_STR(GOOD), 1, SIZE_MAX);
		try_sample(&samples[i], CYG_STR(GOOD GOOD), 2, 1);
	}
}
END_TEST

START_TEST(test_requests_behind_an_upgrade_that_was_not_taken_get_the_same)
{
	for (size_t i = 0; i < n_samples; i++)
		try_sample(&samples[i], CYG_STR(UPGRADED), 1, SIZE_MAX);
}
END_TEST

/* The edge of one read falls between each two bytes of the sample. */
START_TEST(test_requests_across_the_edge_of_a_read_get_the_same)
{
	static char before[READ_EDGE + 128];

	for (size_t i = 0; i < n_samples; i++) {
		for (size_t k = 1; k < samples[i].text.len && k < EDGE_BYTES_MAX; k += 3) {
			int head = snprintf(before, sizeof(before),
			    "POST / HTTP/1.1\r\nHost: hub.test\r\nContent-Length: %zu\r\n\r\n",
			    (size_t)READ_EDGE - k - 80);
			size_t fill = READ_EDGE - k - (size_t)head;

			(void)snprintf(before, sizeof(before),
			    "POST / HTTP/1.1\r\nHost: hub.test\r\nContent-Length: %zu\r\n\r\n",
			    fill);
			memset(before + head, 'x', fill);
			try_sample(&samples[i], (struct cyg_str){ before, (size_t)head + fill }, 1,
			    SIZE_MAX);
		}
	}
}
END_TEST

static void try_hidden(const struct sample *s)
{
	cyg_autobuf struct cyg_buf text, answer;
	struct rig rig;

	cyg_buf_init(&text, 1 << 20);
	cyg_buf_init(&answer, 1 << 20);
	(void)cyg_buf_add(&text, s->text.data, s->text.len, NULL);
	(void)cyg_buf_add_str(&text, GOOD GOOD, NULL);
	rig_start(&rig, NULL);
	(void)rig_exchange(&rig, cyg_buf_str(&text), &answer);
	ck_assert_msg(rig.handled == 0, "%s let %u through", s->name, rig.handled);
	rig_stop(&rig);
}

START_TEST(test_what_hides_behind_a_refused_request_is_never_run)
{
	for (size_t i = 0; i < n_samples; i++) {
		if (samples[i].status >= 400 && samples[i].status != 404)
			try_hidden(&samples[i]);
	}
}
END_TEST

START_TEST(test_a_refusal_of_head_has_no_body)
{
	static const char *const cases[] = { "HEAD / HTTP/1.1\r\n\r\n",
		"HEAD /%zz HTTP/1.1\r\nHost: hub.test\r\n\r\n", "HEAD /\n",
		"HEAD  / HTTP/1.1\r\n" };

	for (size_t i = 0; i < CYG_N(cases); i++) {
		cyg_autobuf struct cyg_buf answer;
		struct rig rig;

		cyg_buf_init(&answer, 1 << 20);
		rig_start(&rig, NULL);
		ck_assert(rig_exchange(&rig, cyg_str_of(cases[i]), &answer));
		ck_assert(cyg_str_starts(cyg_buf_str(&answer), "HTTP/1.1 400 "));
		ck_assert(cyg_str_ends(cyg_buf_str(&answer), "\r\n\r\n"));
		rig_stop(&rig);
	}
}
END_TEST

int main(void)
{
	SRunner *runner;
	Suite *suite = suite_create("http_refused");
	TCase *tc = tcase_create("battery");
	int failed;

	tcase_set_timeout(tc, 100);
	tcase_add_checked_fixture(tc, load_samples, free_samples);
	tcase_add_test(tc, test_list_is_whole);
	tcase_add_test(tc, test_whole_requests_get_their_status);
	tcase_add_test(tc, test_requests_byte_by_byte_get_the_same);
	tcase_add_test(tc, test_requests_behind_a_good_one_get_the_same);
	tcase_add_test(tc, test_requests_behind_an_upgrade_that_was_not_taken_get_the_same);
	tcase_add_test(tc, test_requests_across_the_edge_of_a_read_get_the_same);
	tcase_add_test(tc, test_what_hides_behind_a_refused_request_is_never_run);
	tcase_add_test(tc, test_a_refusal_of_head_has_no_body);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}

/* Parts of the contents API: names, types, the hash cache, uploads in pieces. */
#include "base/clock.h"
#include "base/mem.h"
#include "kernels/contents/path.h"
#include "kernels/contents/state_priv.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static struct contents_ctx ctx = { .root_dir = "/nonexistent-root" };

/* A job without a server: enough for what works on names. */
static struct cyg_arena arena;
static struct http_req req = { .arena = &arena };
static struct job *job;

static void set_up(void)
{
	cyg_arena_init(&arena);
	job = job_new(&req, &ctx, CYG_STR("/a/b/"));
}

static void tear_down(void)
{
	cyg_buf_free(&job->out);
	free(job);
	cyg_arena_free(&arena);
}

START_TEST(test_paths_outside_the_root_are_404)
{
	static const char *const outside[] = { "..", "../x", "a/../b", "a/.", "." };
	ck_assert_str_eq(job->path, "a/b");
	ck_assert_str_eq(path_to_disk(job, "a/b"), "/nonexistent-root/a/b");
	ck_assert_str_eq(path_to_disk(job, ""), "/nonexistent-root");
	ck_assert_ptr_null(path_to_disk(job, outside[_i]));
	ck_assert_int_eq(job->status, 404);
	ck_assert_ptr_nonnull(strstr(job->out.data, "outside root contents directory"));
}
END_TEST

START_TEST(test_dotted_segments_are_hidden)
{
	ck_assert(path_is_hidden(&ctx, ".a"));
	ck_assert(path_is_hidden(&ctx, "a/.b/c"));
	ck_assert(!path_is_hidden(&ctx, "a/b.c"));
	ck_assert(!path_is_hidden(&ctx, ""));
}
END_TEST

START_TEST(test_copy_marks_are_cut_from_names)
{
	ck_assert_str_eq(path_without_copy(job, "a-Copy1.txt"), "a.txt");
	ck_assert_str_eq(path_without_copy(job, "a-Copy.txt"), "a.txt");
	ck_assert_str_eq(path_without_copy(job, "a-Copy1-Copy12.tar.gz"), "a-Copy1.tar.gz");
	ck_assert_str_eq(path_without_copy(job, "dir-Copy1"), "dir-Copy1");
}
END_TEST

static const struct {
	const char *name, *type;
} types[] = { { "a.txt", "text/plain" }, { "a.TXT", "text/plain" },
	{ "a.tar.gz", "application/x-tar" }, { "a.tgz", "application/x-tar" }, { "a.gz", NULL },
	{ "a", NULL }, { ".png", NULL }, { "dir.png/a", NULL }, { "x/a.png", "image/png" },
	{ "a.svgz", "image/svg+xml" }, { "a.zip", "application/zip" }, { "a.3gp", "audio/3gpp" },
	{ "a.unknown", NULL }, { "a.", NULL }, { "a.htm", "text/html" }, { "a.html", "text/html" },
	{ "a.json", "application/json" } };

START_TEST(test_types_are_told_by_name)
{
	const char *type = contents_mime_of(types[_i].name);
	if (types[_i].type == NULL)
		ck_assert_ptr_null(type);
	else
		ck_assert_str_eq(type, types[_i].type);
}
END_TEST

START_TEST(test_hash_is_known_only_for_the_very_same_file)
{
	struct contents_state *s = state_new();
	struct stat st = {
		.st_dev = 1, .st_ino = 2, .st_size = 3, .st_mtim.tv_sec = 4, .st_ctim.tv_sec = 5
	};
	char hex[DIGEST_HEX], got[DIGEST_HEX];
	digest_sha256(CYG_STR("abc"), hex);
	ck_assert_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	ck_assert(!state_hash_get(s, &st, got));
	state_hash_set(s, &st, cyg_clock_wall_us(), hex);
	ck_assert(state_hash_get(s, &st, got));
	ck_assert_str_eq(got, hex);
	st.st_mtim.tv_nsec = 1;
	ck_assert(!state_hash_get(s, &st, got));
	state_free(s);
}
END_TEST

/* What counts is when reading began, however long it took. */
START_TEST(test_hash_of_a_file_that_had_just_changed_is_not_kept)
{
	struct contents_state *s = state_new();
	struct stat st = { .st_ino = 2, .st_ctim.tv_sec = 1000 };
	char hex[DIGEST_HEX];
	digest_sha256(CYG_STR(""), hex);
	state_hash_set(s, &st, 1000 * 1000000LL + 1000, hex);
	ck_assert(!state_hash_get(s, &st, hex));
	state_hash_set(s, &st, 1001 * 1000000LL, hex);
	ck_assert(state_hash_get(s, &st, hex));
	state_free(s);
}
END_TEST

START_TEST(test_pieces_of_an_upload_come_in_order_or_again)
{
	struct contents_state *s = state_new();
	uint64_t off;
	ck_assert(state_upload_begin(s, "p", 1, &off));
	state_upload_done(s, "p", 1, 10);
	ck_assert(state_upload_begin(s, "p", 2, &off));
	ck_assert_uint_eq(off, 10);
	state_upload_done(s, "p", 2, 25);
	ck_assert(state_upload_begin(s, "p", 2, &off));
	ck_assert_uint_eq(off, 10);
	state_upload_done(s, "p", 2, 25);
	ck_assert(!state_upload_begin(s, "p", 5, &off));
	ck_assert(state_upload_begin(s, "p", -1, &off));
	ck_assert_uint_eq(off, 25);
	state_upload_done(s, "p", -1, 30);
	ck_assert(state_upload_begin(s, "p", -1, &off));
	ck_assert_uint_eq(off, 25);
	ck_assert(!state_upload_begin(s, "p", 0, &off));
	state_upload_forget(s, "p");
	ck_assert(!state_upload_begin(s, "p", 3, &off));
	ck_assert(!state_upload_begin(s, "p", -1, &off));
	state_free(s);
}
END_TEST

START_TEST(test_many_uploads_push_out_the_longest_idle_one)
{
	struct contents_state *s = state_new();
	uint64_t off;
	char name[16];
	for (int i = 0; i <= STATE_UPLOADS; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		state_upload_done(s, name, 1, 1);
	}
	ck_assert(state_upload_begin(s, name, 2, &off));
	ck_assert(state_upload_begin(s, "500", 2, &off));
	ck_assert(!state_upload_begin(s, "0", 2, &off));
	state_free(s);
}
END_TEST

static const struct {
	const char *value;
	bool takes;
} accepts[] = { { "gzip", true }, { "gzip, deflate, br", true }, { "br;q=1, GZIP;q=0.8", true },
	{ "gzip;q=0", false }, { "gzip; q=0.000", false }, { "identity", false },
	{ "xgzip", false }, { "", false } };

START_TEST(test_compressed_answers_go_to_those_who_take_them)
{
	static struct http_head head = { .n_fields = 1 };
	head.fields[0] =
	    (struct http_field){ CYG_STR("Accept-Encoding"), cyg_str_of(accepts[_i].value) };
	req.head = &head;
	ck_assert(job_takes_gzip(job) == accepts[_i].takes);
	req.head = NULL;
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("contents");
	TCase *tc = tcase_create("contents");
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, test_paths_outside_the_root_are_404, 0, 5);
	tcase_add_test(tc, test_dotted_segments_are_hidden);
	tcase_add_test(tc, test_copy_marks_are_cut_from_names);
	tcase_add_loop_test(tc, test_types_are_told_by_name, 0, CYG_N(types));
	tcase_add_test(tc, test_hash_is_known_only_for_the_very_same_file);
	tcase_add_test(tc, test_hash_of_a_file_that_had_just_changed_is_not_kept);
	tcase_add_test(tc, test_pieces_of_an_upload_come_in_order_or_again);
	tcase_add_test(tc, test_many_uploads_push_out_the_longest_idle_one);
	tcase_add_loop_test(
	    tc, test_compressed_answers_go_to_those_who_take_them, 0, CYG_N(accepts));
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}

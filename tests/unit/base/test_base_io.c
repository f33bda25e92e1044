/* Encodings, times and files of src/base. */
#include "base/clock.h"
#include "base/enc.h"
#include "base/file.h"
#include "base/mem.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static char folder[64];

static void setup(void)
{
	(void)strncpy(folder, "/tmp/cygnet-test-XXXXXX", sizeof(folder) - 1);
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void teardown(void)
{
	ck_assert_int_eq(cyg_file_remove_tree(AT_FDCWD, folder, NULL), 0);
	ck_assert_int_ne(access(folder, F_OK), 0);
}

START_TEST(test_base64_matches_rfc_4648_vectors)
{
	static const char *const vectors[][2] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" },
		{ "foo", "Zm9v" }, { "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" } };

	for (size_t i = 0; i < CYG_N(vectors); i++) {
		cyg_autobuf struct cyg_buf text;
		cyg_autobuf struct cyg_buf back;

		cyg_buf_init(&text, 100);
		cyg_buf_init(&back, 100);
		ck_assert_int_eq(
		    cyg_base64_write(&text, vectors[i][0], strlen(vectors[i][0]), NULL), 0);
		ck_assert_str_eq(text.data, vectors[i][1]);
		ck_assert_int_eq(cyg_base64_read(&back, cyg_buf_str(&text), NULL), 0);
		ck_assert_str_eq(back.data, vectors[i][0]);
	}
}
END_TEST

START_TEST(test_base64_reading_is_strict)
{
	static const char *const bad[] = { "Zg", "Zg=", "Zh==", "Zg==\n", "Z===", "Z g=", "-_-_" };

	for (size_t i = 0; i < CYG_N(bad); i++) {
		cyg_autobuf struct cyg_buf out;

		cyg_buf_init(&out, 100);
		ck_assert_int_lt(cyg_base64_read(&out, cyg_str_of(bad[i]), NULL), 0);
	}
}
END_TEST

START_TEST(test_base64_takes_its_own_64_characters_alone)
{
	static const char common[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

	for (int c = 0; c < 256; c++) {
		/* In the middle of whole groups, and in the last that is not whole. */
		const char text[] = { 'A', (char)c, 'A', 'A', 'A', (char)c, 'A' };
		bool is_common = c != 0 && strchr(common, c) != NULL;
		cyg_autobuf struct cyg_buf out;

		cyg_buf_init(&out, 100);
		ck_assert_int_eq(cyg_base64_read(&out, (struct cyg_str){ text, 4 }, NULL) == 0,
		    is_common || c == '+' || c == '/');
		ck_assert_int_eq(cyg_base64url_read(&out, (struct cyg_str){ text, 7 }, NULL) == 0,
		    is_common || c == '-' || c == '_');
	}
}
END_TEST

START_TEST(test_base64url_has_no_padding)
{
	cyg_autobuf struct cyg_buf text;
	cyg_autobuf struct cyg_buf back;

	cyg_buf_init(&text, 100);
	cyg_buf_init(&back, 100);
	ck_assert_int_eq(cyg_base64url_write(&text, "\xfb\xff\xfe\x01", 4, NULL), 0);
	ck_assert_str_eq(text.data, "-__-AQ");
	ck_assert_int_eq(cyg_base64url_read(&back, cyg_buf_str(&text), NULL), 0);
	ck_assert_mem_eq(back.data, "\xfb\xff\xfe\x01", 4);
	ck_assert_int_lt(cyg_base64url_read(&back, CYG_STR("-__-AQ=="), NULL), 0);
}
END_TEST

START_TEST(test_hex_goes_both_ways)
{
	unsigned char raw[4] = { 0 };
	char text[9];

	cyg_hex_write("\x00\x7f\x80\xff", 4, text);
	ck_assert_str_eq(text, "007f80ff");
	ck_assert_int_eq(cyg_hex_read(CYG_STR("007F80ff"), raw, 4, NULL), 0);
	ck_assert_mem_eq(raw, "\x00\x7f\x80\xff", 4);
	ck_assert_int_lt(cyg_hex_read(CYG_STR("007F80f"), raw, 4, NULL), 0);
	ck_assert_int_lt(cyg_hex_read(CYG_STR("007F80fg"), raw, 4, NULL), 0);
}
END_TEST

START_TEST(test_times_are_written_and_read_back)
{
	char text[CYG_ISO8601_SIZE];
	int64_t us = 0;

	cyg_clock_format(1769860800123456, text);
	ck_assert_str_eq(text, "2026-01-31T12:00:00.123456Z");
	ck_assert_int_eq(cyg_clock_parse(cyg_str_of(text), &us, NULL), 0);
	ck_assert_int_eq(us, 1769860800123456);
	ck_assert_int_eq(cyg_clock_parse(CYG_STR("2026-01-31T13:00:00+01:00"), &us, NULL), 0);
	ck_assert_int_eq(us, 1769860800000000);
	cyg_clock_format_http(1769860800123456, text);
	ck_assert_str_eq(text, "Sat, 31 Jan 2026 12:00:00 GMT");
}
END_TEST

START_TEST(test_bad_times_are_refused)
{
	static const char *const bad[] = { "", "2026", "2026-13-01T00:00:00Z",
		"2026-01-01T00:00:00", "2026-01-01T25:00:00Z", "2026-01-01T00:00:00.Z",
		"2026-01-01T00:00:00Zx" };
	int64_t us;

	for (size_t i = 0; i < CYG_N(bad); i++)
		ck_assert_int_lt(cyg_clock_parse(cyg_str_of(bad[i]), &us, NULL), 0);
}
END_TEST

START_TEST(test_file_is_replaced_whole_and_read_back)
{
	cyg_autofree char *path = cyg_xasprintf("%s/a", folder);
	cyg_autobuf struct cyg_buf out;
	struct stat st;

	cyg_buf_init(&out, 10);
	ck_assert_int_eq(cyg_file_write(AT_FDCWD, path, CYG_STR("old"), 0600, NULL), 0);
	ck_assert_int_eq(cyg_file_write(AT_FDCWD, path, CYG_STR("0123456789"), 0640, NULL), 0);
	ck_assert_int_eq(cyg_file_read(AT_FDCWD, path, false, &out, NULL), 0);
	ck_assert_str_eq(out.data, "0123456789");
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0640);
	cyg_buf_free(&out);
	cyg_buf_init(&out, 9);
	ck_assert_int_eq(cyg_file_read(AT_FDCWD, path, false, &out, NULL), -CYG_ELIMIT);
}
END_TEST

START_TEST(test_a_file_is_copied_from_where_it_is_read)
{
	cyg_autofree char *from_path = cyg_xasprintf("%s/from", folder);
	cyg_autofree char *to_path = cyg_xasprintf("%s/to", folder);
	cyg_autobuf struct cyg_buf out;
	struct cyg_err err;

	cyg_buf_init(&out, 64);
	ck_assert_int_eq(cyg_file_write(AT_FDCWD, from_path, CYG_STR("0123456789"), 0600, NULL), 0);
	cyg_autoclose int from = open(from_path, O_RDONLY | O_CLOEXEC);
	cyg_autoclose int to = open(to_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_eq(lseek(from, 4, SEEK_SET), 4);
	ck_assert_int_eq(cyg_file_copy(from, to, &err), 0);
	ck_assert_int_eq(cyg_file_read(AT_FDCWD, to_path, false, &out, NULL), 0);
	ck_assert_str_eq(out.data, "456789");
	/* A file of the kernel's own cannot be copied inside it. */
	cyg_autoclose int made = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(lseek(to, 0, SEEK_SET), 0);
	ck_assert_int_eq(cyg_file_copy(made, to, &err), 0);
	ck_assert_int_gt(lseek(to, 0, SEEK_CUR), 100);
	ck_assert_int_lt(cyg_file_copy(to, made, &err), 0);
	ck_assert_int_eq(err.sys, EBADF);
}
END_TEST

START_TEST(test_secret_must_be_private_and_no_link)
{
	cyg_autofree char *path = cyg_xasprintf("%s/s", folder);
	cyg_autofree char *link = cyg_xasprintf("%s/l", folder);
	cyg_autofree char *secret = NULL;

	ck_assert_int_eq(cyg_file_write(AT_FDCWD, path, CYG_STR("abc\n"), 0640, NULL), 0);
	ck_assert_int_eq(cyg_file_read_secret(AT_FDCWD, path, &secret, NULL), -CYG_EDENIED);
	ck_assert_int_eq(chmod(path, 0600), 0);
	ck_assert_int_eq(symlink(path, link), 0);
	ck_assert_int_lt(cyg_file_read_secret(AT_FDCWD, link, &secret, NULL), 0);
	ck_assert_int_eq(cyg_file_read_secret(AT_FDCWD, path, &secret, NULL), 0);
	ck_assert_str_eq(secret, "abc");
}
END_TEST

START_TEST(test_tree_is_removed_without_following_links)
{
	cyg_autofree char *deep = cyg_xasprintf("%s/t/a/b/c", folder);
	cyg_autofree char *keep = cyg_xasprintf("%s/keep", folder);
	cyg_autofree char *link = cyg_xasprintf("%s/t/a/link", folder);
	cyg_autofree char *tree = cyg_xasprintf("%s/t", folder);

	ck_assert_int_eq(cyg_file_mkdirs(deep, 0700, NULL), 0);
	ck_assert_int_eq(cyg_file_mkdirs(deep, 0700, NULL), 0);
	ck_assert_int_eq(cyg_file_write(AT_FDCWD, keep, CYG_STR("x"), 0600, NULL), 0);
	ck_assert_int_eq(symlink(folder, link), 0);
	ck_assert_int_eq(cyg_file_remove_tree(AT_FDCWD, tree, NULL), 0);
	ck_assert_int_ne(access(tree, F_OK), 0);
	ck_assert_int_eq(access(keep, F_OK), 0);
	ck_assert_int_eq(cyg_file_remove_tree(AT_FDCWD, tree, NULL), 0);
}
END_TEST

/* Makes folders below path, each in the one before, and goes back. */
static void make_deep(const char *path, int depth)
{
	cyg_autoclose int back = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	ck_assert_int_eq(chdir(path), 0);
	for (int i = 0; i < depth; i++) {
		ck_assert_int_eq(mkdir("a-folder-with-a-name-of-some-length", 0700), 0);
		ck_assert_int_eq(chdir("a-folder-with-a-name-of-some-length"), 0);
	}
	ck_assert_int_eq(fchdir(back), 0);
}

START_TEST(test_tree_is_removed_however_deep_it_is)
{
	cyg_autofree char *tree = cyg_xasprintf("%s/t", folder);
	cyg_autofree char *taken = cyg_xasprintf("%s/t/.cygnet-removed-0", folder);
	cyg_autofree char *held = cyg_xasprintf("%s/x", taken);
	struct cyg_err err = { 0 };

	ck_assert_int_eq(mkdir(tree, 0700), 0);
	make_deep(tree, 1000);
	ck_assert_int_eq(cyg_file_mkdirs(held, 0700, NULL), 0);
	ck_assert_msg(cyg_file_remove_tree(AT_FDCWD, tree, &err) == 0, "%s", err.msg);
	ck_assert_int_ne(access(tree, F_OK), 0);
}
END_TEST

START_TEST(test_folders_that_their_owner_locked_are_removed_when_asked)
{
	static const mode_t modes[] = { 0, 0300, 0500 };
	cyg_autofree char *tree = cyg_xasprintf("%s/t", folder);
	struct cyg_err err = { 0 };
	bool is_root = geteuid() == 0, more;

	/* Root may enter any folder, so become a user who may not. */
	if (is_root) {
		ck_assert_int_eq(chown(folder, 4321, 4321), 0);
		ck_assert_int_eq(setresuid(4321, 4321, 0), 0);
	}
	for (size_t i = 0; i < CYG_N(modes); i++) {
		cyg_autofree char *locked = cyg_xasprintf("%s/t/%zu", folder, i);
		cyg_autofree char *inside = cyg_xasprintf("%s/in/side", locked);

		ck_assert_int_eq(cyg_file_mkdirs(inside, 0700, NULL), 0);
		ck_assert_int_eq(chmod(locked, modes[i]), 0);
	}
	ck_assert_int_lt(cyg_file_remove_tree(AT_FDCWD, tree, &err), 0);
	ck_assert_msg(
	    cyg_file_remove_some(AT_FDCWD, tree, 1000, &more, &err) == 0 && !more, "%s", err.msg);
	ck_assert_int_ne(access(tree, F_OK), 0);
	ck_assert(!is_root || setresuid(0, 0, 0) == 0);
}
END_TEST

START_TEST(test_many_files_are_removed_in_bounded_steps)
{
	cyg_autofree char *tree = cyg_xasprintf("%s/t", folder);
	unsigned steps = 0;
	bool more = true;

	ck_assert_int_eq(mkdir(tree, 0700), 0);
	make_deep(tree, 300);
	for (unsigned i = 0; i < 3500; i++) {
		cyg_autofree char *path = cyg_xasprintf("%s/%u", tree, i);
		cyg_autoclose int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		ck_assert_int_ge(fd, 0);
	}
	for (; more; steps++) {
		ck_assert_int_eq(access(tree, F_OK), 0);
		ck_assert_int_eq(cyg_file_remove_some(AT_FDCWD, tree, 1000, &more, NULL), 0);
	}
	ck_assert_int_ne(access(tree, F_OK), 0);
	ck_assert_uint_ge(steps, 4);
}
END_TEST

START_TEST(test_random_text_differs)
{
	char a[33];
	char b[33];
	char uuid[37];

	cyg_random_hex(a, 16);
	cyg_random_hex(b, 16);
	ck_assert_str_ne(a, b);
	cyg_random_uuid(uuid);
	ck_assert_uint_eq(strlen(uuid), 36);
	ck_assert_int_eq(uuid[14], '4');
}
END_TEST

int main(void)
{
	Suite *s = suite_create("base_io");
	TCase *tc = tcase_create("base_io");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_base64_matches_rfc_4648_vectors);
	tcase_add_test(tc, test_base64_reading_is_strict);
	tcase_add_test(tc, test_base64_takes_its_own_64_characters_alone);
	tcase_add_test(tc, test_base64url_has_no_padding);
	tcase_add_test(tc, test_hex_goes_both_ways);
	tcase_add_test(tc, test_times_are_written_and_read_back);
	tcase_add_test(tc, test_bad_times_are_refused);
	tcase_add_test(tc, test_file_is_replaced_whole_and_read_back);
	tcase_add_test(tc, test_a_file_is_copied_from_where_it_is_read);
	tcase_add_test(tc, test_secret_must_be_private_and_no_link);
	tcase_add_test(tc, test_tree_is_removed_without_following_links);
	tcase_add_test(tc, test_tree_is_removed_however_deep_it_is);
	tcase_add_test(tc, test_folders_that_their_owner_locked_are_removed_when_asked);
	tcase_add_test(tc, test_many_files_are_removed_in_bounded_steps);
	tcase_add_test(tc, test_random_text_differs);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}

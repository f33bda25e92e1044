/* The class-data archive: which one fits a made-up stack, what JVMs are told, and whether there is
 * memory to make one. */
#include "base/mem.h"
#include "kernels/spark/archive.h"
#include "kernels/spark/archive_key.h"
#include "kernels/spark/archive_room.h"
#include "tests/unit/base/tmp_folder.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static struct tmp_folder folder;
static struct spark_stack stack;
static struct cyg_err err;
static uv_loop_t loop;

static const char jvm[] = "jdk/lib/server/libjvm.so";
static const char jar[] = "jars/a.jar";

static void set_up(void)
{
	static const char *const folders[] = { "jars", "jdk", "jdk/bin", "jdk/lib",
		"jdk/lib/server", "cache" };
	static const char *const files[] = { "jdk/bin/java", jvm, jar, "jars/b.jar" };

	tmp_folder_make(&folder);
	for (size_t i = 0; i < CYG_N(folders); i++)
		ck_assert_int_eq(mkdirat(folder.fd, folders[i], 0700), 0);
	for (size_t i = 0; i < CYG_N(files); i++)
		tmp_folder_put(&folder, files[i], "x");
	stack.version = cyg_xstrdup("4.2.0");
	stack.java = cyg_xasprintf("%s/jdk/bin/java", folder.path);
	stack.class_path = cyg_xasprintf("%s/jars/a.jar:%s/jars/b.jar", folder.path, folder.path);
	ck_assert_int_eq(uv_loop_init(&loop), 0);
}

static void tear_down(void)
{
	ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
	spark_stack_free(&stack);
	tmp_folder_remove(&folder);
}

static char *key(void)
{
	char *found = archive_key(&stack, &err);

	ck_assert_msg(found != NULL, "%s", err.msg);
	return found;
}

static void set_mtime(const char *name, time_t s)
{
	const struct timespec times[2] = { { .tv_sec = s }, { .tv_sec = s } };

	ck_assert_int_eq(utimensat(folder.fd, name, times, 0), 0);
}

START_TEST(test_key_is_the_same_for_the_same_stack)
{
	cyg_autofree char *first = key();
	cyg_autofree char *second = key();

	ck_assert_str_eq(first, second);
	ck_assert_ptr_eq(strstr(first, "spark-4.2.0-"), first);
	ck_assert_uint_eq(strlen(first), strlen("spark-4.2.0-") + 32);
}
END_TEST

START_TEST(test_key_differs_with_jvm_and_jars)
{
	char *keys[6];

	set_mtime(jar, 1000);
	keys[0] = key();
	set_mtime(jar, 1001);
	keys[1] = key();
	tmp_folder_put(&folder, jar, "longer");
	set_mtime(jar, 1001);
	keys[2] = key();
	set_mtime(jvm, 1000);
	keys[3] = key();
	ck_assert_int_eq(renameat(folder.fd, "jars/b.jar", folder.fd, "jars/c.jar"), 0);
	strrchr(stack.class_path, 'b')[0] = 'c';
	keys[4] = key();
	free(stack.version);
	stack.version = cyg_xstrdup("4.2.1");
	keys[5] = key();
	for (size_t i = 0; i < CYG_N(keys); i++)
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(keys[i], keys[j]);
	for (size_t i = 0; i < CYG_N(keys); i++)
		free(keys[i]);
}
END_TEST

START_TEST(test_java_by_a_link_has_the_key_of_its_jdk)
{
	cyg_autofree char *first = key();
	cyg_autofree char *second = NULL;

	ck_assert_int_eq(symlinkat("jdk/bin/java", folder.fd, "java"), 0);
	free(stack.java);
	stack.java = cyg_xasprintf("%s/java", folder.path);
	second = key();
	ck_assert_str_eq(first, second);
}
END_TEST

START_TEST(test_stack_without_jvm_or_jar_has_no_archive)
{
	const struct archive_opts opts = {
		.loop = &loop, .stack = &stack, .cache_dir = "/no", .run_dir = "/no"
	};

	ck_assert_int_eq(unlinkat(folder.fd, jar, 0), 0);
	ck_assert_ptr_null(archive_key(&stack, &err));
	ck_assert_msg(strstr(err.msg, "/jars/a.jar") != NULL, "%s", err.msg);
	ck_assert_int_eq(unlinkat(folder.fd, jvm, 0), 0);
	ck_assert_ptr_null(archive_key(&stack, &err));
	ck_assert_msg(strstr(err.msg, "/libjvm.so") != NULL, "%s", err.msg);
	ck_assert_ptr_null(archive_new(&opts));
	ck_assert_ptr_null(archive_words(NULL, true)[0]);
	archive_build_soon(NULL);
	archive_close(NULL);
}
END_TEST

START_TEST(test_first_driver_records_until_the_archive_is_there)
{
	cyg_autofree char *cache = cyg_xasprintf("%s/cache", folder.path);
	cyg_autofree char *name = key();
	cyg_autofree char *file = cyg_xasprintf("cache/%s.jsa", name);
	cyg_autofree char *record =
	    cyg_xasprintf("-XX:DumpLoadedClassList=%s/runtime/spark/classes", folder.path);
	cyg_autofree char *use = cyg_xasprintf("-XX:SharedArchiveFile=%s/%s", folder.path, file);
	const struct archive_opts opts = {
		.loop = &loop, .stack = &stack, .cache_dir = cache, .run_dir = folder.path
	};
	struct archive *a = archive_new(&opts);
	struct stat st;

	ck_assert_ptr_nonnull(a);
	ck_assert_ptr_null(archive_words(a, false)[0]);
	ck_assert_str_eq(archive_words(a, true)[0], record);
	ck_assert_ptr_null(archive_words(a, true)[0]);
	tmp_folder_put(&folder, file, "archive");
	set_mtime(file, 1000);
	ck_assert_str_eq(archive_words(a, false)[0], use);
	ck_assert_str_eq(archive_words(a, true)[0], use);
	ck_assert_str_eq(archive_words(a, true)[1], "-Xshare:auto");
	ck_assert_str_eq(archive_words(a, true)[2], "-XX:+VerifySharedSpaces");
	ck_assert_int_eq(fstatat(folder.fd, file, &st, 0), 0);
	ck_assert_int_gt(st.st_mtim.tv_sec, 1000);
	archive_close(a);
}
END_TEST

static void put_figures(const char *limit, const char *stat)
{
	tmp_folder_put(&folder, "memory.max", limit);
	tmp_folder_put(&folder, "memory.stat", stat);
}

START_TEST(test_room_is_what_processes_do_not_hold)
{
	ck_assert(archive_has_room(folder.path)); /* no figures */
	put_figures("max\n", "anon 99999999999\n");
	ck_assert(archive_has_room(folder.path));
	put_figures("4294967296\n", "anon 1073741824\nfile 3000000000\n");
	ck_assert(archive_has_room(folder.path));
	put_figures("4294967296\n", "file 1\nanon 3221225472\n");
	ck_assert(!archive_has_room(folder.path));
	put_figures("1073741824\n", "anon 2147483648\n");
	ck_assert(!archive_has_room(folder.path));
	put_figures("1073741824\n", "anon x\n");
	ck_assert(archive_has_room(folder.path));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("spark archive");
	TCase *tc = tcase_create("archive");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, test_key_is_the_same_for_the_same_stack);
	tcase_add_test(tc, test_key_differs_with_jvm_and_jars);
	tcase_add_test(tc, test_java_by_a_link_has_the_key_of_its_jdk);
	tcase_add_test(tc, test_stack_without_jvm_or_jar_has_no_archive);
	tcase_add_test(tc, test_first_driver_records_until_the_archive_is_there);
	tcase_add_test(tc, test_room_is_what_processes_do_not_hold);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}

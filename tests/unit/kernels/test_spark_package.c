/* The Python package that the agent writes is what kernels/python/cygnet_spark holds. */
#include "base/file.h"
#include "base/mem.h"
#include "kernels/spark/package.h"
#include "tests/unit/base/tmp_folder.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static const char source[] = "kernels/python/cygnet_spark";
static struct tmp_folder folder;
static struct cyg_err err;

static void set_up(void)
{
	tmp_folder_make(&folder);
}

static void tear_down(void)
{
	tmp_folder_remove(&folder);
}

static int is_file_of_ours(const struct dirent *e)
{
	return e->d_name[0] != '.' && strcmp(e->d_name, "__pycache__") != 0;
}

static char *read_file(const char *dir, const char *name, size_t *len)
{
	cyg_autofree char *path = cyg_xasprintf("%s/%s", dir, name);
	cyg_autobuf struct cyg_buf text;

	cyg_buf_init(&text, 1024 * 1024);
	ck_assert_msg(cyg_file_read(AT_FDCWD, path, false, &text, &err) == 0, "%s", err.msg);
	return cyg_buf_take(&text, len);
}

static void check_same(const char *dir, const char *name)
{
	size_t len = 0;
	size_t source_len = 0;
	cyg_autofree char *text = read_file(dir, name, &len);
	cyg_autofree char *source_text = read_file(source, name, &source_len);

	ck_assert_uint_eq(len, source_len);
	ck_assert_msg(memcmp(text, source_text, len) == 0, "%s differs", name);
}

static unsigned mode_of(const char *name)
{
	struct stat st;

	ck_assert_int_eq(fstatat(folder.fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode;
}

/* The same names in both, and the same bytes in each. */
static void check_package(void)
{
	cyg_autofree char *dir = cyg_xasprintf("%s/cygnet_spark", folder.path);
	struct dirent **written;
	struct dirent **sources;
	int n = scandir(dir, &written, is_file_of_ours, alphasort);
	int n_sources = scandir(source, &sources, is_file_of_ours, alphasort);

	ck_assert_int_gt(n_sources, 1);
	ck_assert_int_eq(n, n_sources);
	for (int i = 0; i < n; i++) {
		ck_assert_str_eq(written[i]->d_name, sources[i]->d_name);
		check_same(dir, written[i]->d_name);
		free(written[i]);
		free(sources[i]);
	}
	free(written);
	free(sources);
}

START_TEST(test_package_is_the_source_folder_byte_for_byte)
{
	ck_assert_msg(spark_package_write(folder.path, &err) == 0, "%s", err.msg);
	check_package();
	ck_assert_uint_eq(mode_of("cygnet_spark"), S_IFDIR | 0700);
	ck_assert_uint_eq(mode_of("cygnet_spark/__init__.py"), S_IFREG | 0600);
}
END_TEST

START_TEST(test_package_replaces_what_was_there)
{
	tmp_folder_put(&folder, "cygnet_spark.py", "old");
	ck_assert_int_eq(mkdirat(folder.fd, "cygnet_spark", 0700), 0);
	tmp_folder_put(&folder, "cygnet_spark/__init__.py", "old");
	tmp_folder_put(&folder, "cygnet_spark/agent.py.tmp", "half of it");
	ck_assert_int_eq(symlinkat("/dev/null", folder.fd, "cygnet_spark/agent.py"), 0);
	ck_assert_msg(spark_package_write(folder.path, &err) == 0, "%s", err.msg);
	check_package();
	ck_assert_int_ne(faccessat(folder.fd, "cygnet_spark.py", F_OK, 0), 0);
}
END_TEST

START_TEST(test_file_in_the_place_of_the_folder_is_refused)
{
	tmp_folder_put(&folder, "cygnet_spark", "a file");
	ck_assert_int_lt(spark_package_write(folder.path, &err), 0);
	ck_assert_msg(strstr(err.msg, "the Python package of Spark: ") == err.msg, "%s", err.msg);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("spark package");
	TCase *tc = tcase_create("package");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, test_package_is_the_source_folder_byte_for_byte);
	tcase_add_test(tc, test_package_replaces_what_was_there);
	tcase_add_test(tc, test_file_in_the_place_of_the_folder_is_refused);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}

/* Spark in the software of a server: what is found in a made-up SPARK_HOME, and what is said of one
 * that is not whole. */
#include "base/mem.h"
#include "kernels/spark/stack.h"
#include "tests/unit/base/tmp_folder.h"

#include <check.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static struct tmp_folder folder;
static struct spark_stack stack;
static struct cyg_err err;
static char *spark_home, *java_home; /* "NAME=value" */
static char user[] = "USER=alice";
static char longer_name[] = "SPARK_HOMES=/no";

static void put_empty(const char *name)
{
	int fd = openat(folder.fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	cyg_close(fd);
}

static void set_up(void)
{
	tmp_folder_make(&folder);
	ck_assert_int_eq(mkdirat(folder.fd, "jars", 0700), 0);
	ck_assert_int_eq(mkdirat(folder.fd, "bin", 0700), 0);
	put_empty("bin/java");
	ck_assert_int_eq(fchmodat(folder.fd, "bin/java", 0700, 0), 0);
	spark_home = cyg_xasprintf("SPARK_HOME=%s", folder.path);
	java_home = cyg_xasprintf("JAVA_HOME=%s", folder.path);
}

static void tear_down(void)
{
	spark_stack_free(&stack);
	free(spark_home);
	free(java_home);
	tmp_folder_remove(&folder);
}

static int find(void)
{
	char *const setup[] = { longer_name, spark_home, java_home, user, NULL };

	return spark_stack_find(setup, &stack, &err);
}

/* Nothing of the stack is left behind, and the sentence names the cause. */
static void check_refused(int rc, enum cyg_code code, const char *part)
{
	static const struct spark_stack nothing;

	ck_assert_int_eq(rc, -(int)code);
	ck_assert_msg(strstr(err.msg, part) != NULL, "%s", err.msg);
	ck_assert_int_eq(memcmp(&stack, &nothing, sizeof(stack)), 0);
}

START_TEST(test_versions_java_and_jars_are_found)
{
	cyg_autofree char *java = cyg_xasprintf("%s/bin/java", folder.path);
	cyg_autofree char *jars =
	    cyg_xasprintf("%s/jars/JTransforms-3.1.jar:%s/jars/avro-1.12.0.jar:"
			  "%s/jars/spark-core_2.13-4.2.0-SNAPSHOT.jar",
		folder.path, folder.path, folder.path);

	put_empty("jars/spark-core_2.13-4.2.0-SNAPSHOT.jar");
	put_empty("jars/avro-1.12.0.jar");
	put_empty("jars/JTransforms-3.1.jar");
	put_empty("jars/README");
	ck_assert_msg(find() == 0, "%s", err.msg);
	ck_assert_str_eq(stack.home, folder.path);
	ck_assert_str_eq(stack.java, java);
	ck_assert_str_eq(stack.scala, "2.13");
	ck_assert_str_eq(stack.version, "4.2.0-SNAPSHOT");
	ck_assert_str_eq(stack.class_path, jars);
}
END_TEST

START_TEST(test_setup_variable_has_its_value_or_the_other)
{
	char pair[] = "NAME=a=b";
	char empty[] = "EMPTY=";
	char *const setup[] = { longer_name, pair, empty, NULL };
	const struct spark_stack s = { .setup = setup };
	const struct spark_stack none = { .setup = NULL };

	ck_assert_str_eq(spark_stack_setup(&s, "NAME", "other"), "a=b");
	ck_assert_str_eq(spark_stack_setup(&s, "EMPTY", "other"), "");
	ck_assert_str_eq(spark_stack_setup(&s, "NAM", "other"), "other");
	ck_assert_str_eq(spark_stack_setup(&s, "SPARK_HOME", "other"), "other");
	ck_assert_ptr_null(spark_stack_setup(&s, "NO", NULL));
	ck_assert_str_eq(spark_stack_setup(&none, "NAME", "other"), "other");
}
END_TEST

START_TEST(test_environment_without_spark_home_is_refused)
{
	char *const setup[] = { user, NULL };

	check_refused(spark_stack_find(setup, &stack, &err), CYG_ENOENT, "SPARK_HOME");
	check_refused(spark_stack_find(NULL, &stack, &err), CYG_ENOENT, "SPARK_HOME");
}
END_TEST

START_TEST(test_home_without_jars_is_refused)
{
	ck_assert_int_eq(unlinkat(folder.fd, "jars", AT_REMOVEDIR), 0);
	check_refused(find(), CYG_ENOENT, "/jars: No such file");
}
END_TEST

START_TEST(test_jars_without_spark_are_refused)
{
	put_empty("jars/spark-core_2.13.jar");
	put_empty("jars/spark-core_.jar");
	put_empty("jars/spark-core-2.13-4.2.0.jar");
	put_empty("jars/spark-core_2.13-4.2.0.txt");
	check_refused(find(), CYG_ENOENT, "/jars holds no Spark");
}
END_TEST

START_TEST(test_java_that_is_not_there_is_refused)
{
	put_empty("jars/spark-core_2.13-4.2.0.jar");
	ck_assert_int_eq(unlinkat(folder.fd, "bin/java", 0), 0);
	check_refused(find(), CYG_ENOENT, "/bin/java cannot be run");
}
END_TEST

START_TEST(test_class_path_over_the_limit_is_refused)
{
	put_empty("jars/spark-core_2.13-4.2.0.jar");
	for (int i = 0; i < 600; i++) {
		cyg_autofree char *name = cyg_xasprintf("jars/%0230d.jar", i);

		put_empty(name);
	}
	check_refused(find(), CYG_ELIMIT, "the jars in ");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("spark stack");
	TCase *tc = tcase_create("stack");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, test_versions_java_and_jars_are_found);
	tcase_add_test(tc, test_setup_variable_has_its_value_or_the_other);
	tcase_add_test(tc, test_environment_without_spark_home_is_refused);
	tcase_add_test(tc, test_home_without_jars_is_refused);
	tcase_add_test(tc, test_jars_without_spark_are_refused);
	tcase_add_test(tc, test_java_that_is_not_there_is_refused);
	tcase_add_test(tc, test_class_path_over_the_limit_is_refused);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}

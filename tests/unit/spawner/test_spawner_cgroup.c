/* Control groups of either version, on a tree of plain files. */
#include "base/file.h"
#include "base/mem.h"
#include "spawner/local/cgroup.h"
#include "tests/unit/base/tmp_folder.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ID "0123456789abcdef"

static struct tmp_folder tmp;

static void setup(void)
{
	tmp_folder_make(&tmp);
}

static void teardown(void)
{
	tmp_folder_remove(&tmp);
}

static char fake[128], own_dir[128];

static void make(const char *path)
{
	char full[256];

	(void)snprintf(full, sizeof(full), "%s/%s", tmp.path, path);
	ck_assert_int_eq(cyg_file_mkdirs(full, 0755, NULL), 0);
}

START_TEST(test_version_2_at_the_root_enables_what_it_needs)
{
	struct cgroups c;

	make("v2/cygnet-x");
	tmp_folder_put(&tmp, "v2/cgroup.subtree_control", "");
	tmp_folder_put(&tmp, "v2/cygnet-x/cgroup.subtree_control", "");
	(void)snprintf(fake, sizeof(fake), "cgroup2 %s/v2 cgroup2 rw,nosuid 0 0\n", tmp.path);
	cgroups_open(&c, "x", fake, "0::/\n");
	ck_assert_int_eq(c.version, 2);
	ck_assert_uint_eq(cgroups_enforced(&c), 7);
	(void)snprintf(own_dir, sizeof(own_dir), "%s/v2/cygnet-x", tmp.path);
	ck_assert_str_eq(c.dirs[CGROUP_MEMORY], own_dir);
	ck_assert_str_eq(c.why, "");
}
END_TEST

START_TEST(test_version_2_in_a_unit_moves_the_spawner_into_a_leaf)
{
	cyg_autobuf struct cyg_buf text;
	struct cgroups c;

	make("v2/a.slice/x.service/cygnet-x");
	make("v2/a.slice/x.service/cygnet-spawner");
	tmp_folder_put(&tmp, "v2/a.slice/x.service/cgroup.subtree_control", "");
	tmp_folder_put(&tmp, "v2/a.slice/x.service/cygnet-x/cgroup.subtree_control", "");
	tmp_folder_put(&tmp, "v2/a.slice/x.service/cygnet-spawner/cgroup.procs", "");
	(void)snprintf(fake, sizeof(fake), "cgroup2 %s/v2 cgroup2 rw 0 0\n", tmp.path);
	cgroups_open(&c, "x", fake, "0::/a.slice/x.service\n");
	ck_assert_int_eq(c.version, 2);
	cyg_buf_init(&text, 100);
	ck_assert_int_eq(cyg_file_read(tmp.fd, "v2/a.slice/x.service/cygnet-spawner/cgroup.procs",
			     false, &text, NULL),
	    0);
	ck_assert_str_eq(text.data, "0");
}
END_TEST

START_TEST(test_version_2_in_a_shared_group_makes_limits_at_the_top)
{
	struct cgroups c;

	/* Other processes live in the scope: the kernel refuses to enable controllers there. */
	make("v2/a.slice/x.scope");
	make("v2/cygnet-x");
	make("v2/a.slice/x.scope/cygnet-spawner");
	tmp_folder_put(&tmp, "v2/a.slice/x.scope/cygnet-spawner/cgroup.procs", "");
	tmp_folder_put(&tmp, "v2/cgroup.subtree_control", "");
	tmp_folder_put(&tmp, "v2/cygnet-x/cgroup.subtree_control", "");
	(void)snprintf(fake, sizeof(fake), "cgroup2 %s/v2 cgroup2 rw 0 0\n", tmp.path);
	cgroups_open(&c, "x", fake, "0::/a.slice/x.scope\n");
	ck_assert_int_eq(c.version, 2);
	ck_assert_uint_eq(cgroups_enforced(&c), 7);
	(void)snprintf(own_dir, sizeof(own_dir), "%s/v2/cygnet-x", tmp.path);
	ck_assert_str_eq(c.dirs[CGROUP_MEMORY], own_dir);
	ck_assert_int_lt(faccessat(tmp.fd, "v2/a.slice/x.scope/cygnet-x", F_OK, 0), 0);
}
END_TEST

START_TEST(test_without_control_groups_it_says_why_and_all_calls_do_nothing)
{
	const struct cgroup_limits limits = { 1 << 20, 10, 500 };
	struct cgroup_figures f;
	struct cgroups c;

	cgroups_open(&c, "x", "tmpfs / tmpfs rw 0 0\n", "0::/\n");
	ck_assert_uint_eq(cgroups_enforced(&c), 0);
	ck_assert_str_ne(c.why, "");
	ck_assert_int_eq(cgroup_make(&c, ID, &limits, NULL), 0);
	cgroup_read(&c, ID, &f);
	ck_assert_uint_eq(f.memory_used, 0);
	ck_assert_uint_eq(cgroup_kill(&c, ID), 0);
	ck_assert(cgroup_remove(&c, ID));
	cgroups_close(&c);
}
END_TEST

START_TEST(test_version_1_figures_are_read_in_our_units)
{
	struct cgroup_figures f;
	struct cgroups c;

	make("m/cygnet-x/" ID);
	make("a/cygnet-x/" ID);
	tmp_folder_put(&tmp, "m/cygnet-x/" ID "/memory.usage_in_bytes", "4096\n");
	tmp_folder_put(&tmp, "m/cygnet-x/" ID "/memory.limit_in_bytes", "9223372036854771712\n");
	tmp_folder_put(&tmp, "m/cygnet-x/" ID "/memory.oom_control",
	    "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n");
	tmp_folder_put(&tmp, "a/cygnet-x/" ID "/cpuacct.usage", "5000000\n");
	(void)snprintf(fake, sizeof(fake),
	    "c %s/m cgroup rw,memory 0 0\nc %s/a cgroup rw,cpuacct 0 0\n", tmp.path, tmp.path);
	cgroups_open(&c, "x", fake, "");
	ck_assert_int_eq(c.version, 1);
	ck_assert_uint_eq(cgroups_enforced(&c), 1);
	ck_assert_str_ne(c.why, "");
	cgroup_read(&c, ID, &f);
	ck_assert_uint_eq(f.memory_used, 4096);
	ck_assert_uint_eq(f.memory_limit, 0);
	ck_assert_uint_eq(f.oom_kills, 3);
	ck_assert_uint_eq(f.cpu_us, 5000);
}
END_TEST

START_TEST(test_a_group_that_cannot_be_entered_is_an_error)
{
	struct cyg_err err;
	struct cgroups c;
	int fds[CGROUP_PARTS];
	size_t n = 99;

	make("m/cygnet-x/" ID);
	make("p/cygnet-x/" ID);
	tmp_folder_put(&tmp, "m/cygnet-x/" ID "/cgroup.procs", "");
	(void)snprintf(fake, sizeof(fake),
	    "c %s/m cgroup rw,memory 0 0\nc %s/p cgroup rw,pids 0 0\n", tmp.path, tmp.path);
	cgroups_open(&c, "x", fake, "");
	ck_assert_int_lt(cgroup_open_procs(&c, ID, fds, &n, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.msg, "/p/cygnet-x/" ID));
	tmp_folder_put(&tmp, "p/cygnet-x/" ID "/cgroup.procs", "");
	ck_assert_int_eq(cgroup_open_procs(&c, ID, fds, &n, &err), 0);
	ck_assert_uint_eq(n, 2);
	while (n > 0)
		cyg_close(fds[--n]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("spawner control groups");
	TCase *c = tcase_create("files");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, test_version_2_at_the_root_enables_what_it_needs);
	tcase_add_test(c, test_version_2_in_a_unit_moves_the_spawner_into_a_leaf);
	tcase_add_test(c, test_version_2_in_a_shared_group_makes_limits_at_the_top);
	tcase_add_test(c, test_without_control_groups_it_says_why_and_all_calls_do_nothing);
	tcase_add_test(c, test_version_1_figures_are_read_in_our_units);
	tcase_add_test(c, test_a_group_that_cannot_be_entered_is_an_error);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}

/* The file of uids and homes: who gets which, what stays through renames, deletions and crashes. */
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "spawner/local/uids.h"
#include "tests/unit/base/tmp_folder.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static struct tmp_folder tmp;

static void setup(void)
{
	tmp_folder_make(&tmp);
}

static void teardown(void)
{
	tmp_folder_remove(&tmp);
}

static struct uids_place place_of(struct uids *u, uint64_t id, const char *name, const char *before)
{
	const struct uids_user user = {
		.id = id, .made_us = 7, .name = name, .name_before = before
	};
	struct uids_place place = { .uid = 0 };
	struct cyg_err err = { 0 };

	ck_assert_msg(uids_get(u, tmp.fd, &user, &place, &err) == 0, "%s", err.msg);
	return place;
}

static struct uids *open_range(uint32_t count)
{
	struct cyg_err err = { 0 };
	struct uids *u = NULL;

	ck_assert_msg(uids_open(tmp.fd, 200000, count, &u, &err) == 0, "%s", err.msg);
	return u;
}

static struct uids *reopen(struct uids *u)
{
	uids_close(u);
	return open_range(9);
}

static void check_place(struct uids_place place, uid_t uid, const char *home)
{
	ck_assert_uint_eq(place.uid, uid);
	ck_assert_str_eq(place.home, home);
}

START_TEST(test_a_uid_is_given_once_and_kept)
{
	const struct uids_user carol = { .id = 3, .name = "carol", .name_before = "" };
	struct uids *u = open_range(2);
	struct uids_place place;

	check_place(place_of(u, 1, "alice", ""), 200000, "alice");
	check_place(place_of(u, 2, "bob", ""), 200001, "bob");
	check_place(place_of(u, 1, "alice", ""), 200000, "alice");
	ck_assert_int_eq(uids_get(u, tmp.fd, &carol, &place, NULL), -CYG_ELIMIT);
	u = reopen(u);
	check_place(place_of(u, 2, "bob", ""), 200001, "bob");
	uids_close(u);
}
END_TEST

START_TEST(test_a_rename_keeps_uid_and_home)
{
	struct uids *u = open_range(9);

	check_place(place_of(u, 1, "alice", ""), 200000, "alice");
	check_place(place_of(u, 1, "alicia", ""), 200000, "alice");
	u = reopen(u);
	check_place(place_of(u, 1, "alicia", ""), 200000, "alice");
	uids_close(u);
}
END_TEST

START_TEST(test_a_name_that_is_made_again_gets_neither_uid_nor_home)
{
	struct uids *u = open_range(9);

	check_place(place_of(u, 1, "alice", ""), 200000, "alice");
	check_place(place_of(u, 2, "alice", ""), 200001, "alice~2");
	u = reopen(u);
	check_place(place_of(u, 2, "alice", ""), 200001, "alice~2");
	/* A folder that no line names does not become a new home either. */
	ck_assert_int_eq(mkdirat(tmp.fd, "bob", 0700), 0);
	check_place(place_of(u, 3, "bob", ""), 200002, "bob~3");
	uids_close(u);
}
END_TEST

START_TEST(test_a_record_of_a_name_is_taken_over_by_the_account_of_that_time_alone)
{
	struct uids *u;

	tmp_folder_put(&tmp, "uids", "200000 alice\n200001 bob\n200002 carol\n");
	u = open_range(9);
	/* bob is called alice now, alice is called alicia, carol was deleted and made again */
	check_place(place_of(u, 2, "alice", "bob"), 200001, "bob");
	check_place(place_of(u, 1, "alicia", "alice"), 200000, "alice");
	check_place(place_of(u, 9, "carol", ""), 200003, "carol~9");
	u = reopen(u);
	check_place(place_of(u, 2, "alice", "bob"), 200001, "bob");
	check_place(place_of(u, 1, "alicia", "alice"), 200000, "alice");
	/* Once taken over it cannot be taken over again. */
	check_place(place_of(u, 10, "dave", "alice"), 200004, "dave");
	uids_close(u);
}
END_TEST

START_TEST(test_an_id_of_another_database_is_refused)
{
	struct uids *u = open_range(9);
	const struct uids_user stranger = {
		.id = 1, .made_us = 8, .name = "alice", .name_before = ""
	};
	struct uids_place place;

	check_place(place_of(u, 1, "alice", ""), 200000, "alice");
	ck_assert_int_eq(uids_get(u, tmp.fd, &stranger, &place, NULL), -CYG_EDENIED);
	u = reopen(u);
	ck_assert_int_eq(uids_get(u, tmp.fd, &stranger, &place, NULL), -CYG_EDENIED);
	uids_close(u);
}
END_TEST

START_TEST(test_uid_and_home_are_handed_over_once)
{
	const struct uids_user second = { .id = 2, .made_us = 7, .name = "alice" };
	const struct uids_user third = { .id = 3, .made_us = 7, .name = "eve" };
	struct uids *u = open_range(9);

	check_place(place_of(u, 1, "alice", ""), 200000, "alice");
	check_place(place_of(u, 2, "alice", ""), 200001, "alice~2");
	ck_assert_int_eq(uids_hand_over(u, 1, "", &second, NULL), 0);
	for (int turn = 0; turn < 2; turn++) {
		check_place(place_of(u, 2, "alice", ""), 200000, "alice");
		ck_assert_int_eq(uids_hand_over(u, 1, "", &third, NULL), -CYG_ENOENT);
		u = reopen(u);
	}
	/* The giver, if there is one, begins anew; the taker's old place is not used again. */
	check_place(place_of(u, 1, "alice", ""), 200002, "alice~1");
	ck_assert_int_eq(uids_hand_over(u, 2, "", &second, NULL), -CYG_EINVAL);
	uids_close(u);
}
END_TEST

START_TEST(test_what_an_old_name_had_can_be_handed_over)
{
	const struct uids_user to = { .id = 2, .made_us = 7, .name = "alice" };
	struct uids *u;

	tmp_folder_put(&tmp, "uids", "200000 alice\n");
	u = open_range(9);
	ck_assert_int_eq(uids_hand_over(u, 0, "bob", &to, NULL), -CYG_ENOENT);
	ck_assert_int_eq(uids_hand_over(u, 0, "alice", &to, NULL), 0);
	check_place(place_of(u, 2, "alice", ""), 200000, "alice");
	u = reopen(u);
	check_place(place_of(u, 2, "alice", ""), 200000, "alice");
	ck_assert_int_eq(uids_hand_over(u, 0, "alice", &to, NULL), -CYG_ENOENT);
	uids_close(u);
}
END_TEST

START_TEST(test_where_all_have_one_uid_homes_hang_on_ids_too)
{
	struct uids *u = open_range(0);

	ck_assert_int_eq(mkdirat(tmp.fd, "alice", 0700), 0);
	check_place(place_of(u, 1, "alicia", "alice"), 200000, "alice");
	check_place(place_of(u, 2, "alice", ""), 200000, "alice~2");
	check_place(place_of(u, 3, "bob", "bob"), 200000, "bob");
	uids_close(u);
	u = open_range(0);
	check_place(place_of(u, 1, "alicia", "alice"), 200000, "alice");
	check_place(place_of(u, 4, "dave", "alice"), 200000, "dave");
	uids_close(u);
}
END_TEST

START_TEST(test_half_a_line_of_a_crash_is_cut_off)
{
	struct uids *u;

	tmp_folder_put(&tmp, "uids", "200000 alice\n200001 bo");
	u = open_range(9);
	check_place(place_of(u, 5, "carol", ""), 200001, "carol");
	u = reopen(u);
	uids_close(u);
	tmp_folder_put(&tmp, "uids", "200000 alice 1 alice 7\n200001 bob 2 b");
	u = open_range(9);
	check_place(place_of(u, 2, "bob", ""), 200001, "bob");
	uids_close(u);
}
END_TEST

static const struct {
	const char *text, *line;
} damaged[] = {
	{ "200000 alice\n200001 alice\n", "uids:2:" },
	{ "0 root\n", "uids:1:" },
	{ "200000 alice\n200001 bob\n200000 carol\n", "uids:3:" },
	{ "200000 alice 1 alice 7\n200001 bob 1 bob 7\n", "uids:2:" },
	{ "200000 alice 1 alice 7\n200001 bob 2 alice 7\n", "uids:2:" },
	{ "200000 alice 1 alice 7\n200000 bob 2 alice 7\n", "uids:2:" },
	{ "200000 alice 1 alice 7\n200000 bob 2 alice 7 3\n", "uids:2:" },
	{ "200000 alice 1 alice 7\n200000 bob 2 bob 7 1\n", "uids:2:" },
	{ "200000 alice 1 alice\n", "uids:1:" },
	{ "200000 alice 0 alice 7\n", "uids:1:" },
	{ "200000 alice 1 alice 7 1 1\n", "uids:1:" },
	{ "200000  alice\n", "uids:1:" },
};

START_TEST(test_a_damaged_uid_file_is_refused_with_its_line)
{
	struct cyg_err err;
	struct uids *u;

	tmp_folder_put(&tmp, "uids", damaged[_i].text);
	ck_assert_int_eq(uids_open(tmp.fd, 200000, 9, &u, &err), -CYG_EINVAL);
	ck_assert_ptr_nonnull(strstr(err.msg, damaged[_i].line));
}
END_TEST

START_TEST(test_a_full_disk_leaves_no_half_line_and_no_uid_given_twice)
{
	const struct uids_user bob = { .id = 2, .made_us = 7, .name = "bob", .name_before = "" };
	struct rlimit limit = { 13 + 6, RLIM_INFINITY }; /* the first line and half of the next */
	struct uids_place place;
	struct uids *u;

	tmp_folder_put(&tmp, "uids", "200000 alice\n");
	u = open_range(9);
	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_int_lt(uids_get(u, tmp.fd, &bob, &place, NULL), 0);
	limit.rlim_cur = RLIM_INFINITY;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	check_place(place_of(u, 3, "carol", ""), 200001, "carol");
	check_place(place_of(u, 2, "bob", ""), 200002, "bob");
	u = reopen(u);
	check_place(place_of(u, 2, "bob", ""), 200002, "bob");
	check_place(place_of(u, 3, "carol", ""), 200001, "carol");
	uids_close(u);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("spawner uids");
	TCase *c = tcase_create("uids");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, test_a_uid_is_given_once_and_kept);
	tcase_add_test(c, test_a_rename_keeps_uid_and_home);
	tcase_add_test(c, test_a_name_that_is_made_again_gets_neither_uid_nor_home);
	tcase_add_test(c, test_a_record_of_a_name_is_taken_over_by_the_account_of_that_time_alone);
	tcase_add_test(c, test_an_id_of_another_database_is_refused);
	tcase_add_test(c, test_uid_and_home_are_handed_over_once);
	tcase_add_test(c, test_what_an_old_name_had_can_be_handed_over);
	tcase_add_test(c, test_where_all_have_one_uid_homes_hang_on_ids_too);
	tcase_add_test(c, test_half_a_line_of_a_crash_is_cut_off);
	tcase_add_loop_test(
	    c, test_a_damaged_uid_file_is_refused_with_its_line, 0, (int)CYG_N(damaged));
	tcase_add_test(c, test_a_full_disk_leaves_no_half_line_and_no_uid_given_twice);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}

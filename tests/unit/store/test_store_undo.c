/* A turn that cannot be written: the file, memory and effects are as if it had not been, and the
 * next turn works. */
#include "fault_vfs.h"
#include "store/undo.h"
#include "store_rig.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

static const int faults[] = { SQLITE_FULL, SQLITE_IOERR_WRITE, SQLITE_READONLY, SQLITE_CANTOPEN,
	SQLITE_BUSY };

static struct seen told;

static void set_up(void)
{
	fault_vfs_register();
	fault_vfs_set(SQLITE_OK);
	told = (struct seen){ 0 };
	rig_set_up();
	(void)rig_add_user("alice");
	ck_assert_int_eq(store_commit(st, &err), 0);
}

static void tear_down(void)
{
	fault_vfs_set(SQLITE_OK);
	rig_tear_down();
}

/* A word as an argument, which is a pointer to what may be changed. */
static void *word(const char *text)
{
	return (void *)(uintptr_t)text;
}

static void tell(const char *text)
{
	size_t len = strlen(told.text);

	(void)snprintf(told.text + len, sizeof(told.text) - len, "%s ", text);
}

static void on_commit(void *arg)
{
	tell(arg);
}

static void on_turn(void *arg, const struct cyg_err *why)
{
	tell(arg);
	tell(why != NULL ? "failed" : "saved");
}

static void on_undo(void *arg, bool failed)
{
	tell(arg);
	tell(failed ? "back" : "kept");
}

START_TEST(test_nothing_of_a_turn_that_cannot_be_written_is_there)
{
	fault_vfs_set(faults[_i]);
	rig_add_session("ab", 10);
	ck_assert_int_eq(store_commit(st, &err), -CYG_ESYS);
	fault_vfs_set(SQLITE_OK);
	ck_assert_int_eq(rig_number("SELECT count(*) FROM sessions"), 0);
	rig_add_session("cd", 10);
	ck_assert_int_eq(store_commit(st, &err), 0);
	ck_assert_int_eq(rig_number("SELECT count(*) FROM sessions WHERE sha256='cd'"), 1);
	rig_reopen();
	ck_assert_int_eq(rig_number("SELECT count(*) FROM sessions"), 1);
}
END_TEST

START_TEST(test_no_effect_of_a_failed_turn_leaves_and_who_waits_is_told)
{
	fault_vfs_set(faults[_i]);
	rig_add_session("ab", 10);
	store_after_commit(st, on_commit, word("commit"));
	store_after_turn(st, on_turn, word("turn"));
	ck_assert_int_lt(store_commit(st, &err), 0);
	ck_assert_str_eq(told.text, "turn failed ");
	fault_vfs_set(SQLITE_OK);
	store_after_commit(st, on_commit, word("commit"));
	store_after_turn(st, on_turn, word("turn"));
	rig_add_session("ab", 10);
	ck_assert_int_eq(store_commit(st, &err), 0);
	ck_assert_str_eq(told.text, "turn failed commit turn saved ");
}
END_TEST

START_TEST(test_a_big_turn_that_fails_half_way_is_undone)
{
	rig_add_session("before", 10);
	ck_assert_int_eq(store_commit(st, &err), 0);
	for (int i = 0; i < 5000; i++) {
		char sum[16];
		(void)snprintf(sum, sizeof(sum), "%d", i);
		if (i == 2500)
			fault_vfs_set(faults[_i]);
		rig_add_session(sum, 10);
	}
	ck_assert_int_lt(store_commit(st, &err), 0);
	fault_vfs_set(SQLITE_OK);
	rig_add_session("after", 10);
	ck_assert_int_eq(store_commit(st, &err), 0);
	ck_assert_int_eq(rig_number("SELECT count(*) FROM sessions"), 2);
}
END_TEST

START_TEST(test_undos_run_newest_first_and_only_once)
{
	fault_vfs_set(SQLITE_FULL);
	store_undo(st, on_undo, word("first"));
	store_undo(st, on_undo, word("second"));
	rig_add_session("ab", 10);
	ck_assert_int_lt(store_commit(st, &err), 0);
	ck_assert_str_eq(told.text, "second back first back ");
	ck_assert_int_eq(store_commit(st, &err), 0);
	ck_assert_str_eq(told.text, "second back first back ");
}
END_TEST

START_TEST(test_undos_are_told_of_success_before_any_effect)
{
	store_after_commit(st, on_commit, word("effect"));
	store_undo(st, on_undo, word("first"));
	store_undo(st, on_undo, word("second"));
	rig_add_session("ab", 10);
	ck_assert_int_eq(store_commit(st, &err), 0);
	ck_assert_str_eq(told.text, "first kept second kept effect ");
}
END_TEST

START_TEST(test_what_was_forgotten_is_not_taken_back)
{
	static char one[] = "one", other[] = "other";

	fault_vfs_set(SQLITE_FULL);
	store_undo(st, on_undo, one);
	store_undo(st, on_undo, other);
	store_after_turn(st, on_turn, one);
	store_forget(st, one);
	rig_add_session("ab", 10);
	ck_assert_int_lt(store_commit(st, &err), 0);
	ck_assert_str_eq(told.text, "other back ");
}
END_TEST

static void on_commit_that_fails(void *arg)
{
	tell(arg);
	fault_vfs_set(SQLITE_FULL);
	rig_add_session("late", 10);
	store_after_commit(st, on_commit, word("of the failed turn"));
}

/* What was queued before by a turn that is on disk has still to happen. */
START_TEST(test_a_failed_turn_drops_no_effect_of_the_turn_before)
{
	rig_add_session("ab", 10);
	store_after_commit(st, on_commit_that_fails, word("first"));
	store_after_commit(st, on_commit, word("second"));
	store_after_turn(st, on_turn, word("third"));
	ck_assert_int_lt(store_commit(st, &err), 0);
	ck_assert_str_eq(told.text, "first second third saved ");
	ck_assert_int_eq(rig_number("SELECT count(*) FROM sessions"), 1);
}
END_TEST

/* ---- the usual forms ---- */

struct thing {
	int number;
	char *text;
	struct cyg_hash *hash;
};

static struct thing thing_new(void)
{
	struct thing t = { 1, cyg_xstrdup("old"), cyg_hash_new() };

	(void)cyg_hash_set(t.hash, CYG_STR("there"), cyg_xstrdup("old"));
	(void)cyg_hash_set(t.hash, CYG_STR("goes"), cyg_xstrdup("old"));
	return t;
}

static void thing_free(struct thing *t)
{
	free(t->text);
	cyg_hash_free(t->hash, free);
}

/* Each thing twice, so that changes build on each other. */
static void thing_change(struct thing *t)
{
	for (int i = 0; i < 2; i++) {
		store_keep(st, &t->number, sizeof(t->number));
		t->number++;
		store_replace(st, &t->text, cyg_xstrdup("new"), free);
		store_hash_set(st, t->hash, CYG_STR("there"), cyg_xstrdup("new"), free);
		store_hash_set(st, t->hash, CYG_STR("comes"), cyg_xstrdup("new"), free);
	}
	store_hash_remove(st, t->hash, CYG_STR("goes"), free);
	store_hash_remove(st, t->hash, CYG_STR("never was"), free);
	rig_add_session("ab", 10);
}

START_TEST(test_memory_goes_back_with_the_turn)
{
	struct thing t = thing_new();

	fault_vfs_set(faults[_i]);
	thing_change(&t);
	ck_assert_int_lt(store_commit(st, &err), 0);
	ck_assert_int_eq(t.number, 1);
	ck_assert_str_eq(t.text, "old");
	ck_assert_str_eq(cyg_hash_find(t.hash, CYG_STR("there")), "old");
	ck_assert_str_eq(cyg_hash_find(t.hash, CYG_STR("goes")), "old");
	ck_assert_ptr_null(cyg_hash_find(t.hash, CYG_STR("comes")));
	ck_assert_uint_eq(cyg_hash_count(t.hash), 2);
	thing_free(&t);
}
END_TEST

START_TEST(test_memory_stays_when_the_turn_is_on_disk)
{
	struct thing t = thing_new();

	thing_change(&t);
	ck_assert_int_eq(store_commit(st, &err), 0);
	ck_assert_int_eq(t.number, 3);
	ck_assert_str_eq(t.text, "new");
	ck_assert_str_eq(cyg_hash_find(t.hash, CYG_STR("there")), "new");
	ck_assert_str_eq(cyg_hash_find(t.hash, CYG_STR("comes")), "new");
	ck_assert_ptr_null(cyg_hash_find(t.hash, CYG_STR("goes")));
	thing_free(&t);
}
END_TEST

static void lists_change(struct cyg_list *list, struct cyg_link *stays, struct cyg_link *comes)
{
	store_list_add(st, list, comes);
	store_list_remove(st, list, stays);
	store_list_remove(st, list, comes);
	store_list_add(st, list, comes);
	rig_add_session("ab", 10);
}

START_TEST(test_a_list_goes_back_with_the_turn)
{
	struct cyg_list list;
	struct cyg_link stays, comes;

	cyg_list_init(&list);
	cyg_list_add(&list, &stays);
	fault_vfs_set(SQLITE_FULL);
	lists_change(&list, &stays, &comes);
	ck_assert_int_lt(store_commit(st, &err), 0);
	ck_assert_ptr_eq(cyg_list_first(&list), &stays);
	ck_assert_uint_eq(list.n, 1);
	fault_vfs_set(SQLITE_OK);
	lists_change(&list, &stays, &comes);
	ck_assert_int_eq(store_commit(st, &err), 0);
	ck_assert_ptr_eq(cyg_list_first(&list), &comes);
	ck_assert_uint_eq(list.n, 1);
}
END_TEST

START_TEST(test_a_store_that_is_closed_in_a_turn_leaves_nothing_behind)
{
	struct thing t = thing_new();

	thing_change(&t);
	rig_reopen();
	ck_assert_str_eq(t.text, "new");
	thing_free(&t);
}
END_TEST

/* ---- whether it can be written ---- */

START_TEST(test_a_probe_tells_whether_the_disk_can_be_written)
{
	uint64_t commits = store_commits(st);

	fault_vfs_set(faults[_i]);
	store_probe(st);
	ck_assert_int_lt(store_commit(st, &err), 0);
	ck_assert_uint_eq(store_commits(st), commits);
	fault_vfs_set(SQLITE_OK);
	store_probe(st);
	ck_assert_int_eq(store_commit(st, &err), 0);
	ck_assert_uint_eq(store_commits(st), commits + 1);
	ck_assert_int_eq(rig_number("PRAGMA user_version"), store_schema_version());
}
END_TEST

START_TEST(test_a_turn_that_changed_nothing_tells_nothing_of_the_disk)
{
	uint64_t commits = store_commits(st);

	fault_vfs_set(SQLITE_FULL);
	store_sessions_expire(st, 1);
	ck_assert_int_eq(store_commit(st, &err), 0);
	ck_assert_uint_eq(store_commits(st), commits);
	fault_vfs_set(SQLITE_OK);
	rig_add_session("ab", 10);
	ck_assert_int_eq(store_commit(st, &err), 0);
	ck_assert_uint_eq(store_commits(st), commits + 1);
}
END_TEST

START_TEST(test_a_full_database_is_a_failed_turn)
{
	struct thing t = thing_new();

	fault_vfs_set(SQLITE_FULL);
	for (int i = 0; i < 100; i++) {
		thing_change(&t);
		ck_assert_int_lt(store_commit(st, &err), 0);
	}
	ck_assert_ptr_nonnull(strstr(err.msg, "full"));
	ck_assert_int_eq(t.number, 1);
	thing_free(&t);
}
END_TEST

int main(void)
{
	TCase *tc = rig_case("store undo", set_up, tear_down);
	int n = (int)CYG_N(faults);

	tcase_add_loop_test(tc, test_nothing_of_a_turn_that_cannot_be_written_is_there, 0, n);
	tcase_add_loop_test(tc, test_no_effect_of_a_failed_turn_leaves_and_who_waits_is_told, 0, n);
	tcase_add_loop_test(tc, test_a_big_turn_that_fails_half_way_is_undone, 0, n);
	tcase_add_loop_test(tc, test_memory_goes_back_with_the_turn, 0, n);
	tcase_add_loop_test(tc, test_a_probe_tells_whether_the_disk_can_be_written, 0, n);
	tcase_add_test(tc, test_undos_run_newest_first_and_only_once);
	tcase_add_test(tc, test_undos_are_told_of_success_before_any_effect);
	tcase_add_test(tc, test_what_was_forgotten_is_not_taken_back);
	tcase_add_test(tc, test_a_failed_turn_drops_no_effect_of_the_turn_before);
	tcase_add_test(tc, test_memory_stays_when_the_turn_is_on_disk);
	tcase_add_test(tc, test_a_list_goes_back_with_the_turn);
	tcase_add_test(tc, test_a_store_that_is_closed_in_a_turn_leaves_nothing_behind);
	tcase_add_test(tc, test_a_turn_that_changed_nothing_tells_nothing_of_the_disk);
	tcase_add_test(tc, test_a_full_database_is_a_failed_turn);
	return rig_run(tc);
}

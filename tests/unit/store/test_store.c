/* The store: turns and their effects, the schema, and that everything is there after a restart. */
#include "store_rig.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static void on_session(void *arg, const void *found)
{
	const struct store_session *row = found;
	struct seen *seen = arg;

	seen->n++;
	(void)snprintf(seen->text, sizeof(seen->text), "%s %s %s %lld %lld", row->sha256, row->user,
	    row->provider, (long long)row->created_us, (long long)row->expires_us);
}

START_TEST(test_the_file_is_private)
{
	struct stat s;

	ck_assert_int_eq(stat(rig_path, &s), 0);
	ck_assert_uint_eq(s.st_mode & 0777, 0600);
}
END_TEST

START_TEST(test_a_committed_session_is_there_after_a_restart)
{
	struct seen seen = { 0 };

	rig_put_session("ab", 10);
	ck_assert_int_eq(store_commit(st, &err), 0);
	rig_reopen();
	ck_assert_int_eq(store_read(st, &store_sessions, on_session, &seen, &err), 0);
	ck_assert_int_eq(seen.n, 1);
	ck_assert_str_eq(seen.text, "ab alice development 1 10");
}
END_TEST

START_TEST(test_what_was_not_committed_is_not_there)
{
	struct seen seen = { 0 };

	rig_put_session("ab", 10);
	rig_reopen();
	ck_assert_int_eq(store_read(st, &store_sessions, on_session, &seen, &err), 0);
	ck_assert_int_eq(seen.n, 0);
}
END_TEST

START_TEST(test_ended_and_expired_sessions_go)
{
	struct seen seen = { 0 };

	rig_put_session("aa", 10);
	rig_put_session("bb", 20);
	rig_put_session("cc", 30);
	store_remove(st, &store_sessions, &(struct store_session){ .sha256 = "cc" });
	store_sessions_expire(st, 10);
	ck_assert_int_eq(store_commit(st, &err), 0);
	ck_assert_int_eq(store_read(st, &store_sessions, on_session, &seen, &err), 0);
	ck_assert_int_eq(seen.n, 1);
	ck_assert(strncmp(seen.text, "bb ", 3) == 0);
}
END_TEST

/* An effect notes how many sessions another reader of the file sees when it runs. */
static int effects_seen[8];
static int n_effects;

static void effect(void *arg)
{
	(void)arg;
	effects_seen[n_effects++] = rig_number("SELECT count(*) FROM sessions");
}

static void effect_that_writes(void *arg)
{
	effect(arg);
	rig_put_session("second", 10);
	store_after_commit(st, effect, NULL);
}

START_TEST(test_an_effect_runs_when_its_row_is_on_disk)
{
	n_effects = 0;
	rig_put_session("first", 10);
	store_after_commit(st, effect, NULL);
	ck_assert_int_eq(n_effects, 0);
	ck_assert_int_eq(store_commit(st, &err), 0);
	ck_assert_int_eq(n_effects, 1);
	ck_assert_int_eq(effects_seen[0], 1);
}
END_TEST

START_TEST(test_what_an_effect_writes_is_on_disk_before_the_next_effect)
{
	n_effects = 0;
	rig_put_session("first", 10);
	store_after_commit(st, effect_that_writes, NULL);
	store_after_commit(st, effect, NULL);
	ck_assert_int_eq(store_commit(st, &err), 0);
	ck_assert_int_eq(n_effects, 3);
	ck_assert_int_eq(effects_seen[0], 1);
	ck_assert_int_eq(effects_seen[1], 2);
	ck_assert_int_eq(effects_seen[2], 2);
}
END_TEST

START_TEST(test_a_failed_turn_lets_nothing_leave)
{
	n_effects = 0;
	rig_put_session("same", 10);
	rig_put_session("same", 10);
	store_after_commit(st, effect, NULL);
	ck_assert_int_lt(store_commit(st, &err), 0);
	ck_assert_int_eq(n_effects, 0);
	ck_assert_int_eq(rig_number("SELECT count(*) FROM sessions"), 0);
	ck_assert_ptr_nonnull(strstr(err.msg, "UNIQUE"));
}
END_TEST

START_TEST(test_a_forgotten_effect_does_not_run)
{
	int object = 0;

	n_effects = 0;
	store_after_commit(st, effect, &object);
	store_after_commit(st, effect, NULL);
	store_forget(st, &object);
	ck_assert_int_eq(store_commit(st, &err), 0);
	ck_assert_int_eq(n_effects, 1);
}
END_TEST

static void effect_for_ever(void *arg)
{
	store_after_commit(st, effect_for_ever, arg);
}

START_TEST(test_effects_without_end_are_refused)
{
	store_after_commit(st, effect_for_ever, NULL);
	ck_assert_int_eq(store_commit(st, &err), -CYG_ELIMIT);
}
END_TEST

START_TEST(test_a_schema_of_a_newer_program_is_refused)
{
	store_close(st);
	st = NULL;
	rig_run_sql("PRAGMA user_version=999");
	ck_assert_int_eq(store_open(rig_path, &st, &err), -CYG_EPROTO);
	ck_assert_ptr_nonnull(strstr(err.msg, "newer"));
}
END_TEST

START_TEST(test_an_empty_file_gets_every_step_once)
{
	store_close(st);
	st = NULL;
	ck_assert_int_eq(rig_number("PRAGMA user_version"), store_schema_version());
	int tables = rig_number("SELECT count(*) FROM sqlite_master WHERE type='table'");
	rig_reopen();
	ck_assert_int_eq(
	    rig_number("SELECT count(*) FROM sqlite_master WHERE type='table'"), tables);
}
END_TEST

START_TEST(test_a_file_that_is_no_database_is_refused_and_kept)
{
	store_close(st);
	st = NULL;
	FILE *f = fopen(rig_path, "w");
	ck_assert_ptr_nonnull(f);
	(void)fputs("this is somebody's letter, not a database, and is longer than a header is", f);
	(void)fclose(f);
	ck_assert_int_lt(store_open(rig_path, &st, &err), 0);
	struct stat s;
	ck_assert_int_eq(stat(rig_path, &s), 0);
	ck_assert_int_eq((int)s.st_size, 73);
}
END_TEST

int main(void)
{
	TCase *tc = rig_case("store", rig_set_up, rig_tear_down);

	tcase_add_test(tc, test_the_file_is_private);
	tcase_add_test(tc, test_a_committed_session_is_there_after_a_restart);
	tcase_add_test(tc, test_what_was_not_committed_is_not_there);
	tcase_add_test(tc, test_ended_and_expired_sessions_go);
	tcase_add_test(tc, test_an_effect_runs_when_its_row_is_on_disk);
	tcase_add_test(tc, test_what_an_effect_writes_is_on_disk_before_the_next_effect);
	tcase_add_test(tc, test_a_failed_turn_lets_nothing_leave);
	tcase_add_test(tc, test_a_forgotten_effect_does_not_run);
	tcase_add_test(tc, test_effects_without_end_are_refused);
	tcase_add_test(tc, test_a_schema_of_a_newer_program_is_refused);
	tcase_add_test(tc, test_an_empty_file_gets_every_step_once);
	tcase_add_test(tc, test_a_file_that_is_no_database_is_refused_and_kept);
	return rig_run(tc);
}

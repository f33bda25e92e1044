/* The store: turns and their effects, the schema, and that everything is there after a restart. */
#include "base/mem.h"
#include "store/store.h"

#include <check.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static char folder[] = "/tmp/cyg-store-XXXXXX";
static char path[64];
static struct store *st;
static struct cyg_err err;

static void reopen(void)
{
	store_close(st);
	st = NULL;
	ck_assert_msg(store_open(path, &st, &err) == 0, "%s", err.msg);
}

static void set_up(void)
{
	memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/hub.db", folder);
	reopen();
}

static void tear_down(void)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	char name[80];

	store_close(st);
	st = NULL;
	for (size_t i = 0; i < CYG_N(suffixes); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
		(void)unlink(name);
	}
	ck_assert_int_eq(rmdir(folder), 0);
}

static void run_sql(const char *sql)
{
	sqlite3 *db = NULL;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	(void)sqlite3_close(db);
}

static int number_of(const char *sql)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *stmt = NULL;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
	int ret = sqlite3_column_int(stmt, 0);
	(void)sqlite3_finalize(stmt);
	(void)sqlite3_close(db);
	return ret;
}

static void put_session(const char *sum, int64_t expires_us)
{
	store_session_put(st, &(struct store_session){ .sha256 = sum,
				  .user = "alice",
				  .provider = "development",
				  .created_us = 1,
				  .expires_us = expires_us });
}

struct seen {
	int n;
	char text[256];
};

static void on_session(void *arg, const struct store_session *row)
{
	struct seen *seen = arg;

	seen->n++;
	(void)snprintf(seen->text, sizeof(seen->text), "%s %s %s %lld %lld", row->sha256, row->user,
	    row->provider, (long long)row->created_us, (long long)row->expires_us);
}

START_TEST(test_the_file_is_private)
{
	struct stat s;

	ck_assert_int_eq(stat(path, &s), 0);
	ck_assert_uint_eq(s.st_mode & 0777, 0600);
}
END_TEST

START_TEST(test_a_committed_session_is_there_after_a_restart)
{
	struct seen seen = { 0 };

	put_session("ab", 10);
	ck_assert_int_eq(store_commit(st, &err), 0);
	reopen();
	ck_assert_int_eq(store_sessions_read(st, on_session, &seen, &err), 0);
	ck_assert_int_eq(seen.n, 1);
	ck_assert_str_eq(seen.text, "ab alice development 1 10");
}
END_TEST

START_TEST(test_what_was_not_committed_is_not_there)
{
	struct seen seen = { 0 };

	put_session("ab", 10);
	reopen();
	ck_assert_int_eq(store_sessions_read(st, on_session, &seen, &err), 0);
	ck_assert_int_eq(seen.n, 0);
}
END_TEST

START_TEST(test_ended_and_expired_sessions_go)
{
	struct seen seen = { 0 };

	put_session("aa", 10);
	put_session("bb", 20);
	put_session("cc", 30);
	store_session_remove(st, "cc");
	store_sessions_expire(st, 10);
	ck_assert_int_eq(store_commit(st, &err), 0);
	ck_assert_int_eq(store_sessions_read(st, on_session, &seen, &err), 0);
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
	effects_seen[n_effects++] = number_of("SELECT count(*) FROM sessions");
}

static void effect_that_writes(void *arg)
{
	effect(arg);
	put_session("second", 10);
	store_after_commit(st, effect, NULL);
}

START_TEST(test_an_effect_runs_when_its_row_is_on_disk)
{
	n_effects = 0;
	put_session("first", 10);
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
	put_session("first", 10);
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
	put_session("same", 10);
	put_session("same", 10);
	store_after_commit(st, effect, NULL);
	ck_assert_int_lt(store_commit(st, &err), 0);
	ck_assert_int_eq(n_effects, 0);
	ck_assert_int_eq(number_of("SELECT count(*) FROM sessions"), 0);
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
	run_sql("PRAGMA user_version=999");
	ck_assert_int_eq(store_open(path, &st, &err), -CYG_EPROTO);
	ck_assert_ptr_nonnull(strstr(err.msg, "newer"));
}
END_TEST

START_TEST(test_an_empty_file_gets_every_step_once)
{
	store_close(st);
	st = NULL;
	ck_assert_int_eq(number_of("PRAGMA user_version"), store_schema_version());
	int tables = number_of("SELECT count(*) FROM sqlite_master WHERE type='table'");
	reopen();
	ck_assert_int_eq(
	    number_of("SELECT count(*) FROM sqlite_master WHERE type='table'"), tables);
}
END_TEST

START_TEST(test_a_file_that_is_no_database_is_refused_and_kept)
{
	store_close(st);
	st = NULL;
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	(void)fputs("this is somebody's letter, not a database, and is longer than a header is", f);
	(void)fclose(f);
	ck_assert_int_lt(store_open(path, &st, &err), 0);
	struct stat s;
	ck_assert_int_eq(stat(path, &s), 0);
	ck_assert_int_eq((int)s.st_size, 73);
}
END_TEST

static void on_server(void *arg, const struct store_server *row)
{
	struct seen *seen = arg;

	seen->n++;
	(void)snprintf(seen->text, sizeof(seen->text), "%s/%s %s %s %s %s %s %lld", row->user,
	    row->server, row->id, row->state, row->credential, row->options, row->isolation,
	    (long long)row->last_activity_us);
}

START_TEST(test_a_server_keeps_one_row_through_its_lives)
{
	struct seen seen = { 0 };
	struct store_server row = { .user = "alice",
		.server = "",
		.id = "1",
		.state = "queued",
		.credential = "",
		.options = "{}",
		.isolation = "",
		.last_activity_us = 5 };

	store_server_put(st, &row);
	row.id = "2";
	row.state = "running";
	row.credential = "sum";
	row.isolation = "sandbox";
	store_server_put(st, &row);
	store_server_active(st, "2", 9);
	store_server_active(st, "2", 7);
	ck_assert_int_eq(store_commit(st, &err), 0);
	reopen();
	ck_assert_int_eq(store_servers_read(st, on_server, &seen, &err), 0);
	ck_assert_int_eq(seen.n, 1);
	ck_assert_str_eq(seen.text, "alice/ 2 running sum {} sandbox 9");
}
END_TEST

static void on_intent(void *arg, const struct store_intent *row)
{
	struct seen *seen = arg;
	size_t len = strlen(seen->text);

	seen->n++;
	(void)snprintf(
	    seen->text + len, sizeof(seen->text) - len, "%s:%s ", row->server_id, row->kind);
}

START_TEST(test_open_intents_are_those_without_an_end)
{
	struct seen seen = { 0 };

	store_intent_begin(st, "1", "spawn", 1);
	store_intent_begin(st, "1", "stop", 2);
	store_intent_begin(st, "2", "spawn", 3);
	store_intent_end(st, "1", "spawn", "done", 4);
	ck_assert_int_eq(store_intents_read(st, on_intent, &seen, &err), 0);
	ck_assert_str_eq(seen.text, "1:stop 2:spawn ");
	store_intent_end(st, "1", "", "gone", 5);
	seen = (struct seen){ 0 };
	ck_assert_int_eq(store_intents_read(st, on_intent, &seen, &err), 0);
	ck_assert_str_eq(seen.text, "2:spawn ");
	store_intents_trim(st, 100);
	ck_assert_int_eq(store_commit(st, &err), 0);
	ck_assert_int_eq(number_of("SELECT count(*) FROM intents"), 1);
}
END_TEST

START_TEST(test_the_usual_time_is_the_median_of_the_newest)
{
	uint32_t ms = 0;

	ck_assert(!store_stage_usual(st, "2026a", "setup", &ms));
	for (uint32_t i = 0; i < 100; i++)
		store_stage_add(st, "2026a", "setup", 100000);
	for (uint32_t i = 1; i <= STORE_USUAL_OF; i++)
		store_stage_add(st, "2026a", "setup", i * 10);
	store_stage_add(st, "2025b", "setup", 7);
	ck_assert(store_stage_usual(st, "2026a", "setup", &ms));
	ck_assert_uint_eq(ms, (STORE_USUAL_OF / 2 + 1) * 10);
	ck_assert(store_stage_usual(st, "2025b", "setup", &ms));
	ck_assert_uint_eq(ms, 7);
	ck_assert_int_eq(store_commit(st, &err), 0);
	ck_assert_int_eq(number_of("SELECT count(*) FROM stage_times"), STORE_USUAL_OF + 1);
}
END_TEST

START_TEST(test_a_choice_is_replaced_by_the_next)
{
	ck_assert_ptr_null(store_choice_find(st, "alice"));
	store_choice_put(st, "alice", "{\"cores\": 1}");
	store_choice_put(st, "alice", "{\"cores\": 2}");
	char *text = store_choice_find(st, "alice");
	ck_assert_str_eq(text, "{\"cores\": 2}");
	free(text);
}
END_TEST

static void on_end(void *arg, const struct store_end *row)
{
	struct seen *seen = arg;

	seen->n++;
	(void)snprintf(
	    seen->text, sizeof(seen->text), "%s %s %s", row->server, row->cause, row->message);
}

START_TEST(test_an_end_is_told_until_it_is_dismissed)
{
	struct seen seen = { 0 };
	struct store_end end = { .user = "alice",
		.server = "",
		.cause = "oom",
		.message = "Out of memory.",
		.lines = "[]",
		.at_us = 1 };

	store_end_put(st, &end);
	ck_assert_int_eq(store_end_find(st, "alice", on_end, &seen, &err), 0);
	ck_assert_str_eq(seen.text, " oom Out of memory.");
	store_end_dismiss(st, "alice");
	seen = (struct seen){ 0 };
	ck_assert_int_eq(store_end_find(st, "alice", on_end, &seen, &err), 0);
	ck_assert_int_eq(seen.n, 0);
	end.cause = "exit";
	store_end_put(st, &end);
	ck_assert_int_eq(store_end_find(st, "alice", on_end, &seen, &err), 0);
	ck_assert_int_eq(seen.n, 1);
}
END_TEST

static void on_user(void *arg, const struct store_user *row)
{
	struct seen *seen = arg;

	seen->n++;
	(void)snprintf(seen->text, sizeof(seen->text), "%s %s %s %s %d %lld", row->name,
	    row->provider, row->subject, row->groups, (int)row->admin,
	    (long long)row->last_activity_us);
}

START_TEST(test_a_users_groups_follow_and_who_vouches_does_not)
{
	struct seen seen = { 0 };
	struct store_user user = { .name = "alice",
		.provider = "cern",
		.subject = "s1",
		.groups = "[]",
		.created_us = 1,
		.last_activity_us = 1 };

	store_user_put(st, &user);
	user.groups = "[\"physics\"]";
	user.provider = "other";
	store_user_put(st, &user);
	store_user_active(st, "alice", 7);
	ck_assert_int_eq(store_commit(st, &err), 0);
	reopen();
	ck_assert_int_eq(store_users_read(st, on_user, &seen, &err), 0);
	ck_assert_str_eq(seen.text, "alice cern s1 [\"physics\"] 0 7");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store");
	TCase *tc = tcase_create("store");

	tcase_add_checked_fixture(tc, set_up, tear_down);
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
	tcase_add_test(tc, test_a_server_keeps_one_row_through_its_lives);
	tcase_add_test(tc, test_open_intents_are_those_without_an_end);
	tcase_add_test(tc, test_the_usual_time_is_the_median_of_the_newest);
	tcase_add_test(tc, test_a_choice_is_replaced_by_the_next);
	tcase_add_test(tc, test_an_end_is_told_until_it_is_dismissed);
	tcase_add_test(tc, test_a_users_groups_follow_and_who_vouches_does_not);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}

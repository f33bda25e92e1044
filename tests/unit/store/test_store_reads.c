/* Reading the store: one row, pages, the audit; and that no statement reads more than it must. */
#include "store_rig.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

static void on_name(void *arg, const void *found)
{
	struct seen *seen = arg;
	const struct store_user *row = found;
	size_t len = strlen(seen->text);

	seen->n++;
	(void)snprintf(seen->text + len, sizeof(seen->text) - len, "%s ", row->name);
}

START_TEST(test_one_row_is_found_by_its_key)
{
	struct seen seen = { 0 };

	(void)rig_add_user("alice");
	int64_t id = rig_add_user("bob");
	const struct store_user key = { .id = id }, none = { .id = id + 1 };
	ck_assert_int_eq(store_find(st, &store_users, &key, on_name, &seen, &err), 0);
	ck_assert_int_eq(store_find(st, &store_users, &none, on_name, &seen, &err), 0);
	ck_assert_str_eq(seen.text, "bob ");
}
END_TEST

static void read_page(const void *after, struct seen *seen)
{
	const struct store_page page = { .after = after, .limit = 2 };

	*seen = (struct seen){ 0 };
	ck_assert_int_eq(store_read_page(st, &store_users, &page, on_name, seen, &err), 0);
}

START_TEST(test_pages_follow_each_other_by_key)
{
	struct seen seen;

	(void)rig_add_user("alice");
	int64_t bob = rig_add_user("bob"), carol = rig_add_user("carol");
	read_page(NULL, &seen);
	ck_assert_str_eq(seen.text, "alice bob ");
	read_page(&(struct store_user){ .id = bob }, &seen);
	ck_assert_str_eq(seen.text, "carol ");
	read_page(&(struct store_user){ .id = carol }, &seen);
	ck_assert_str_eq(seen.text, "");
}
END_TEST

static void on_server_name(void *arg, const void *found)
{
	struct seen *seen = arg;
	const struct store_server *row = found;
	size_t len = strlen(seen->text);

	(void)snprintf(
	    seen->text + len, sizeof(seen->text) - len, "%s/%s ", row->user, row->server);
}

START_TEST(test_pages_follow_each_other_by_keys_of_two_columns)
{
	static const struct store_server rows[] = { { .user = "alice", .server = "" },
		{ .user = "alice", .server = "gpu" }, { .user = "bob", .server = "" } };
	const struct store_page page = { .after = &rows[0], .limit = 9 };
	struct seen seen = { 0 };

	(void)rig_add_user("alice");
	(void)rig_add_user("bob");
	for (size_t i = 0; i < CYG_N(rows); i++)
		store_put(st, &store_servers, &rows[i]);
	ck_assert_int_eq(
	    store_read_page(st, &store_servers, &page, on_server_name, &seen, &err), 0);
	ck_assert_str_eq(seen.text, "alice/gpu bob/ ");
}
END_TEST

/* A callback that reads the same table, each deeper than the one before, and writes. */
static void on_name_deeper(void *arg, const void *found)
{
	int *depth = arg;
	const struct store_user *row = found;

	if (++*depth < 200)
		(void)store_find(st, &store_users, row, on_name_deeper, depth, &err);
	store_update(st, &store_users,
	    &(struct store_user){ .id = row->id, .last_activity_us = *depth }, "last_activity");
}

START_TEST(test_a_callback_may_read_and_write_however_deep)
{
	int depth = 0;
	const struct store_user key = { .id = rig_add_user("alice") };

	ck_assert_int_eq(store_find(st, &store_users, &key, on_name_deeper, &depth, &err), 0);
	ck_assert_int_eq(depth, 200);
	ck_assert_int_eq(store_commit(st, &err), 0);
	ck_assert_int_eq(rig_number("SELECT last_activity FROM users"), 200);
}
END_TEST

static void update_set(unsigned set)
{
	static const char *const names[] = { "provider", "subject", "groups", "admin", "created",
		"last_activity", "name" };
	char columns[128] = "";

	for (size_t i = 0; i < CYG_N(names); i++) {
		if ((set & 1U << i) == 0)
			continue;
		size_t len = strlen(columns);
		(void)snprintf(
		    columns + len, sizeof(columns) - len, "%s%s", len > 0 ? "," : "", names[i]);
	}
	store_update(st, &store_users, &(struct store_user){ .id = 1, .created_us = set }, columns);
}

START_TEST(test_more_statements_than_are_kept_only_make_room)
{
	(void)rig_add_user("alice");
	for (unsigned set = 1; set < 128; set++)
		update_set(set);
	ck_assert_int_eq(store_commit(st, &err), 0);
	ck_assert_int_eq(rig_number("SELECT created FROM users"), 127);
}
END_TEST

START_TEST(test_a_lock_of_another_process_is_told_at_once)
{
	sqlite3 *db = NULL;

	ck_assert_int_eq(sqlite3_open(rig_path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	rig_put_session("ab", 10);
	ck_assert_int_lt(store_commit(st, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.msg, "locked"));
	(void)sqlite3_close(db);
}
END_TEST

/* ---- every statement has a search ---- */

static bool is_scan(const char *detail)
{
	return strncmp(detail, "SCAN", 4) == 0 && strcmp(detail, "SCAN CONSTANT ROW") != 0;
}

static void check_plan(sqlite3 *db, const char *sql)
{
	char explain[2048];
	sqlite3_stmt *stmt = NULL;

	(void)snprintf(explain, sizeof(explain), "EXPLAIN QUERY PLAN %s", sql);
	ck_assert_msg(sqlite3_prepare_v2(db, explain, -1, &stmt, NULL) == SQLITE_OK, "%s: %s", sql,
	    sqlite3_errmsg(db));
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		const char *detail = (const char *)sqlite3_column_text(stmt, 3);
		ck_assert_msg(!is_scan(detail), "%s: %s", sql, detail);
	}
	(void)sqlite3_finalize(stmt);
}

START_TEST(test_no_statement_reads_a_whole_table)
{
	sqlite3 *db = NULL;
	char *sql;
	bool may_scan;
	int n = 0;

	ck_assert_int_eq(sqlite3_open(rig_path, &db), SQLITE_OK);
	for (size_t i = 0; (sql = store_statement(i, &may_scan)) != NULL; i++) {
		if (!may_scan)
			check_plan(db, sql);
		n++;
		free(sql);
	}
	ck_assert_int_gt(n, 50);
	(void)sqlite3_close(db);
}
END_TEST

/* What SQLite itself asks when a user is renamed or goes. */
START_TEST(test_what_hangs_on_a_user_is_found_by_an_index)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *stmt = NULL;
	int n = 0;

	ck_assert_int_eq(sqlite3_open(rig_path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(db,
			     "SELECT format('SELECT 1 FROM %s WHERE %s=?1', m.name, f.\"from\")"
			     " FROM sqlite_master m, pragma_foreign_key_list(m.name) f"
			     " WHERE m.type='table'",
			     -1, &stmt, NULL),
	    SQLITE_OK);
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		check_plan(db, (const char *)sqlite3_column_text(stmt, 0));
		n++;
	}
	ck_assert_int_ge(n, 4);
	(void)sqlite3_finalize(stmt);
	(void)sqlite3_close(db);
}
END_TEST

/* ---- the audit ---- */

static void on_audit(void *arg, const void *found)
{
	struct seen *seen = arg;
	const struct store_audit *row = found;
	size_t len = strlen(seen->text);

	seen->n++;
	(void)snprintf(seen->text + len, sizeof(seen->text) - len, "%lld:%s %s %s %s %lld; ",
	    (long long)row->id, row->actor, row->action, row->object, row->detail,
	    (long long)row->at_us);
}

static void read_audit(int64_t before, size_t limit, struct seen *seen)
{
	*seen = (struct seen){ 0 };
	ck_assert_int_eq(store_audit_read(st, before, limit, on_audit, seen, &err), 0);
}

static void add_audit(int64_t at_us)
{
	store_audit_add(st, &(struct store_audit){ .at_us = at_us,
				.actor = "user:a",
				.action = "user.delete",
				.object = "user:b",
				.detail = "{}" });
}

START_TEST(test_the_audit_is_read_in_pages_newest_first)
{
	struct seen seen;

	for (int64_t at_us = 1; at_us <= 3; at_us++)
		add_audit(at_us);
	ck_assert_int_eq(store_commit(st, &err), 0);
	read_audit(0, 2, &seen);
	ck_assert_str_eq(
	    seen.text, "3:user:a user.delete user:b {} 3; 2:user:a user.delete user:b {} 2; ");
	read_audit(2, 2, &seen);
	ck_assert_str_eq(seen.text, "1:user:a user.delete user:b {} 1; ");
}
END_TEST

START_TEST(test_the_audit_is_only_added_to)
{
	add_audit(1);
	ck_assert_int_eq(store_commit(st, &err), 0);
	store_remove(st, &store_audits, &(struct store_audit){ .id = 1 });
	ck_assert_int_lt(store_commit(st, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.msg, "keeps its last 30 days"));
	rig_reopen();
	store_update(st, &store_audits, &(struct store_audit){ .id = 1, .actor = "x" }, "actor");
	ck_assert_int_lt(store_commit(st, &err), 0);
	ck_assert_int_eq(rig_number("SELECT count(*) FROM audit WHERE actor='user:a'"), 1);
}
END_TEST

/* SQLite runs no trigger of the row that a REPLACE removes. */
START_TEST(test_a_row_of_the_audit_is_not_replaced)
{
	sqlite3 *db = NULL;

	add_audit(1);
	ck_assert_int_eq(store_commit(st, &err), 0);
	ck_assert_int_eq(sqlite3_open(rig_path, &db), SQLITE_OK);
	ck_assert_int_eq(
	    sqlite3_exec(db, "INSERT OR REPLACE INTO audit VALUES (1, 1, 'x', '', '', '')", NULL,
		NULL, NULL),
	    SQLITE_CONSTRAINT);
	(void)sqlite3_close(db);
	ck_assert_int_eq(rig_number("SELECT count(*) FROM audit WHERE actor='user:a'"), 1);
}
END_TEST

START_TEST(test_old_rows_of_the_audit_can_go_and_no_others)
{
	const int64_t day_us = 24LL * 3600 * 1000 * 1000;

	for (int64_t day = 1; day <= 50; day++)
		add_audit(day * day_us);
	ck_assert_int_eq(store_commit(st, &err), 0);
	store_audit_trim(st, 11 * day_us);
	ck_assert_int_eq(store_commit(st, &err), 0);
	ck_assert_int_eq(rig_number("SELECT count(*) FROM audit"), 40);
	/* The clock jumps, or nothing was written for long. */
	store_audit_trim(st, 1000 * day_us);
	ck_assert_int_eq(store_commit(st, &err), 0);
	ck_assert_int_eq(rig_number("SELECT count(*) FROM audit"), 30);
	ck_assert_int_eq(rig_number("SELECT min(id) FROM audit"), 21);
}
END_TEST

START_TEST(test_a_turn_removes_so_many_rows_of_the_audit)
{
	for (int64_t at_us = 1; at_us <= 700; at_us++)
		add_audit(at_us);
	add_audit(40LL * 24 * 3600 * 1000 * 1000);
	ck_assert_int_eq(store_commit(st, &err), 0);
	store_audit_trim(st, 1000);
	ck_assert_int_eq(store_commit(st, &err), 0);
	ck_assert_int_eq(rig_number("SELECT count(*) FROM audit"), 201);
	store_audit_trim(st, 1000);
	ck_assert_int_eq(store_commit(st, &err), 0);
	ck_assert_int_eq(rig_number("SELECT count(*) FROM audit"), 1);
}
END_TEST

START_TEST(test_a_page_of_the_audit_has_an_end)
{
	struct seen seen;

	for (int64_t at_us = 1; at_us <= STORE_PAGE_MAX + 1; at_us++)
		add_audit(at_us);
	read_audit(0, SIZE_MAX, &seen);
	ck_assert_int_eq(seen.n, STORE_PAGE_MAX);
}
END_TEST

int main(void)
{
	TCase *tc = rig_case("store reads", rig_set_up, rig_tear_down);

	tcase_add_test(tc, test_one_row_is_found_by_its_key);
	tcase_add_test(tc, test_pages_follow_each_other_by_key);
	tcase_add_test(tc, test_pages_follow_each_other_by_keys_of_two_columns);
	tcase_add_test(tc, test_a_callback_may_read_and_write_however_deep);
	tcase_add_test(tc, test_more_statements_than_are_kept_only_make_room);
	tcase_add_test(tc, test_a_lock_of_another_process_is_told_at_once);
	tcase_add_test(tc, test_no_statement_reads_a_whole_table);
	tcase_add_test(tc, test_what_hangs_on_a_user_is_found_by_an_index);
	tcase_add_test(tc, test_the_audit_is_read_in_pages_newest_first);
	tcase_add_test(tc, test_the_audit_is_only_added_to);
	tcase_add_test(tc, test_a_row_of_the_audit_is_not_replaced);
	tcase_add_test(tc, test_old_rows_of_the_audit_can_go_and_no_others);
	tcase_add_test(tc, test_a_turn_removes_so_many_rows_of_the_audit);
	tcase_add_test(tc, test_a_page_of_the_audit_has_an_end);
	return rig_run(tc);
}

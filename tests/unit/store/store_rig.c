/* See store_rig.h. */
#include "store_rig.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

static char folder[] = "/tmp/cyg-store-XXXXXX";
char rig_path[64];
struct store *st;
struct cyg_err err;

void rig_reopen(void)
{
	store_close(st);
	st = NULL;
	ck_assert_msg(store_open(rig_path, &st, &err) == 0, "%s", err.msg);
}

void rig_set_up(void)
{
	memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(rig_path, sizeof(rig_path), "%s/hub.db", folder);
	rig_reopen();
}

void rig_tear_down(void)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	char name[80];

	store_close(st);
	st = NULL;
	for (size_t i = 0; i < CYG_N(suffixes); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", rig_path, suffixes[i]);
		(void)unlink(name);
	}
	ck_assert_int_eq(rmdir(folder), 0);
}

void rig_run_sql(const char *sql)
{
	sqlite3 *db = NULL;

	ck_assert_int_eq(sqlite3_open(rig_path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	(void)sqlite3_close(db);
}

int rig_number(const char *sql)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *stmt = NULL;

	ck_assert_int_eq(sqlite3_open(rig_path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
	int ret = sqlite3_column_int(stmt, 0);
	(void)sqlite3_finalize(stmt);
	(void)sqlite3_close(db);
	return ret;
}

int64_t rig_add_user(const char *name)
{
	return store_add(st, &store_users,
	    &(struct store_user){ .name = name,
		.provider = "cern",
		.subject = name,
		.groups = "[]",
		.created_us = 1 });
}

void rig_add_session(const char *sum, int64_t expires_us)
{
	(void)store_add(st, &store_sessions,
	    &(struct store_session){ .sha256 = sum,
		.user = "alice",
		.provider = "development",
		.created_us = 1,
		.expires_us = expires_us });
}

void rig_put_session(const char *sum, int64_t expires_us)
{
	const struct store_user alice = {
		.id = 1, .name = "alice", .provider = "cern", .subject = "alice", .groups = "[]"
	};

	store_put(st, &store_users, &alice);
	rig_add_session(sum, expires_us);
}

static Suite *suite;

TCase *rig_case(const char *name, SFun set_up, SFun tear_down)
{
	TCase *tc = tcase_create(name);

	suite = suite_create(name);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	suite_add_tcase(suite, tc);
	return tc;
}

int rig_run(TCase *tc)
{
	SRunner *runner = srunner_create(suite);

	(void)tc;
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}

/* The schema, as numbered steps that are never changed once released: a new form of a table is a
 * new step. PRAGMA user_version says how many steps a file has seen. */
#include "base/mem.h"
#include "store/stmt.h"

#include <assert.h>
#include <stdio.h>

static const char *const steps[] = {
	"CREATE TABLE users ("
	" name TEXT NOT NULL PRIMARY KEY, provider TEXT NOT NULL, subject TEXT NOT NULL,"
	" groups TEXT NOT NULL, admin INTEGER NOT NULL, created INTEGER NOT NULL,"
	" last_activity INTEGER NOT NULL, UNIQUE (provider, subject)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE sessions ("
	" sha256 TEXT NOT NULL PRIMARY KEY, user TEXT NOT NULL, provider TEXT NOT NULL,"
	" created INTEGER NOT NULL, expires INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE servers ("
	" user TEXT NOT NULL, server TEXT NOT NULL, id TEXT NOT NULL, state TEXT NOT NULL,"
	" credential TEXT NOT NULL, options TEXT NOT NULL, isolation TEXT NOT NULL,"
	" since INTEGER NOT NULL, started INTEGER NOT NULL, last_activity INTEGER NOT NULL,"
	" PRIMARY KEY (user, server)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE intents ("
	" seq INTEGER PRIMARY KEY AUTOINCREMENT, server_id TEXT NOT NULL, kind TEXT NOT NULL,"
	" begun INTEGER NOT NULL, ended INTEGER, outcome TEXT) STRICT;"
	"CREATE INDEX intents_open ON intents (server_id) WHERE ended IS NULL;"
	"CREATE TABLE stage_times ("
	" seq INTEGER PRIMARY KEY AUTOINCREMENT, stack TEXT NOT NULL, stage TEXT NOT NULL,"
	" ms INTEGER NOT NULL) STRICT;"
	"CREATE INDEX stage_times_of ON stage_times (stack, stage, seq);"
	"CREATE TABLE choices ("
	" user TEXT NOT NULL PRIMARY KEY, options TEXT NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE ends ("
	" user TEXT NOT NULL, server TEXT NOT NULL, at INTEGER NOT NULL, cause TEXT NOT NULL,"
	" message TEXT NOT NULL, lines TEXT NOT NULL, dismissed INTEGER NOT NULL,"
	" PRIMARY KEY (user, server)) STRICT, WITHOUT ROWID;",
	"CREATE TABLE attempts ("
	" state TEXT NOT NULL PRIMARY KEY, cookie TEXT NOT NULL, provider TEXT NOT NULL,"
	" next TEXT NOT NULL, expires INTEGER NOT NULL) STRICT, WITHOUT ROWID;",
};

int store_schema_version(void)
{
	return (int)CYG_N(steps);
}

static int version_of(struct store *st, int *ret, struct cyg_err *err)
{
	sqlite3_stmt *stmt = NULL;

	if (sqlite3_prepare_v2(st->db, "PRAGMA user_version", -1, &stmt, NULL) != SQLITE_OK)
		return stmt_fail(st, err, "reading the version");
	int step = sqlite3_step(stmt);
	*ret = step == SQLITE_ROW ? sqlite3_column_int(stmt, 0) : -1;
	(void)sqlite3_finalize(stmt);
	return *ret < 0 ? stmt_fail(st, err, "reading the version") : 0;
}

/* One step is one transaction together with its number, so that a crash repeats it whole. */
static int run_step(struct store *st, int step, struct cyg_err *err)
{
	char number[64];

	(void)snprintf(number, sizeof(number), "PRAGMA user_version=%d", step + 1);
	if (stmt_exec(st, "BEGIN EXCLUSIVE", err) < 0)
		return -CYG_ESYS;
	if (stmt_exec(st, steps[step], err) < 0 || stmt_exec(st, number, err) < 0 ||
	    stmt_exec(st, "COMMIT", err) < 0) {
		(void)sqlite3_exec(st->db, "ROLLBACK", NULL, NULL, NULL);
		return cyg_wrap(err, "migration %d", step + 1);
	}
	return 0;
}

int store_migrate(struct store *st, struct cyg_err *err)
{
	int version = 0;

	if (version_of(st, &version, err) < 0)
		return -CYG_ESYS;
	assert(version >= 0);
	if (version > store_schema_version())
		return cyg_fail(err, CYG_EPROTO,
		    "store: the file has schema %d, this program knows %d: it was written by a newer "
		    "Cygnet",
		    version, store_schema_version());
	for (int step = version; step < store_schema_version(); step++) {
		if (run_step(st, step, err) < 0)
			return -CYG_ESYS;
	}
	return 0;
}

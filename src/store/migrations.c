/* The schema, as numbered steps that are never changed once released: a new form of a table is a
 * new step. PRAGMA user_version says how many steps a file has seen. */
#include "base/mem.h"
#include "store/stmt.h"

#include <assert.h>
#include <stdio.h>

#define OF_USER "REFERENCES users (name) ON UPDATE CASCADE ON DELETE CASCADE"

/* Tokens and roles of an owner that is renamed or goes. */
#define FOLLOWS(table, kind)                                                                       \
	"CREATE TRIGGER " table "_rename AFTER UPDATE OF name ON " table " BEGIN"                  \
	" UPDATE tokens SET owner=NEW.name WHERE kind='" kind "' AND owner=OLD.name;"              \
	" UPDATE holders SET name=NEW.name WHERE kind='" kind "' AND name=OLD.name; END;"          \
	"CREATE TRIGGER " table "_go AFTER DELETE ON " table " BEGIN"                              \
	" DELETE FROM tokens WHERE kind='" kind "' AND owner=OLD.name;"                            \
	" DELETE FROM holders WHERE kind='" kind "' AND name=OLD.name; END;"

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
	/* Users have an id that never returns. Rows that belong to a user follow its name and are
	 * removed with it. Rows of users that do not exist are not copied. */
	"CREATE TABLE users_new ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, provider TEXT NOT NULL,"
	" subject TEXT NOT NULL, groups TEXT NOT NULL, admin INTEGER NOT NULL,"
	" created INTEGER NOT NULL, last_activity INTEGER NOT NULL,"
	" UNIQUE (provider, subject)) STRICT;"
	"INSERT INTO users_new (name, provider, subject, groups, admin, created, last_activity)"
	" SELECT name, provider, subject, groups, admin, created, last_activity FROM users"
	" ORDER BY created, name;"
	"DROP TABLE users; ALTER TABLE users_new RENAME TO users;"
	"CREATE TABLE sessions_new ("
	" sha256 TEXT NOT NULL PRIMARY KEY, user TEXT NOT NULL " OF_USER ","
	" provider TEXT NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT NULL)"
	" STRICT, WITHOUT ROWID;"
	"INSERT INTO sessions_new SELECT sha256, user, provider, created, expires FROM sessions"
	" WHERE user IN (SELECT name FROM users);"
	"DROP TABLE sessions; ALTER TABLE sessions_new RENAME TO sessions;"
	"CREATE INDEX sessions_user ON sessions (user);"
	"CREATE INDEX sessions_expires ON sessions (expires);"
	"CREATE TABLE servers_new ("
	" user TEXT NOT NULL " OF_USER ", server TEXT NOT NULL,"
	" id TEXT NOT NULL, state TEXT NOT NULL, credential TEXT NOT NULL, options TEXT NOT NULL,"
	" isolation TEXT NOT NULL, since INTEGER NOT NULL, started INTEGER NOT NULL,"
	" last_activity INTEGER NOT NULL, PRIMARY KEY (user, server)) STRICT, WITHOUT ROWID;"
	"INSERT INTO servers_new SELECT user, server, id, state, credential, options, isolation,"
	" since, started, last_activity FROM servers WHERE user IN (SELECT name FROM users);"
	"DROP TABLE servers; ALTER TABLE servers_new RENAME TO servers;"
	"CREATE TABLE choices_new ("
	" user TEXT NOT NULL PRIMARY KEY " OF_USER ", options TEXT NOT NULL)"
	" STRICT, WITHOUT ROWID;"
	"INSERT INTO choices_new SELECT user, options FROM choices"
	" WHERE user IN (SELECT name FROM users);"
	"DROP TABLE choices; ALTER TABLE choices_new RENAME TO choices;"
	"CREATE TABLE ends_new ("
	" user TEXT NOT NULL " OF_USER ", server TEXT NOT NULL,"
	" at INTEGER NOT NULL, cause TEXT NOT NULL, message TEXT NOT NULL, lines TEXT NOT NULL,"
	" dismissed INTEGER NOT NULL, PRIMARY KEY (user, server)) STRICT, WITHOUT ROWID;"
	"INSERT INTO ends_new SELECT user, server, at, cause, message, lines, dismissed FROM ends"
	" WHERE user IN (SELECT name FROM users);"
	"DROP TABLE ends; ALTER TABLE ends_new RENAME TO ends;"
	"CREATE INDEX attempts_expires ON attempts (expires);"
	"CREATE INDEX intents_ended ON intents (ended) WHERE ended IS NOT NULL;",
	/* Rows can only be added. */
	"CREATE TABLE audit ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, actor TEXT NOT NULL,"
	" action TEXT NOT NULL, object TEXT NOT NULL, detail TEXT NOT NULL) STRICT;"
	"CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN"
	" SELECT RAISE(ABORT, 'the audit is only added to'); END;"
	"CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit BEGIN"
	" SELECT RAISE(ABORT, 'the audit is only added to'); END;",
	/* Identity: a token and a holder of a role name their owner by kind and name, so that what
	 * follows an owner is told by triggers. */
	"ALTER TABLE users ADD COLUMN admin_by_hand INTEGER NOT NULL DEFAULT 0;"
	"CREATE TABLE tokens ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, sha256 TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,"
	" owner TEXT NOT NULL, scopes TEXT NOT NULL, note TEXT NOT NULL, created INTEGER NOT NULL,"
	" expires INTEGER NOT NULL, last_activity INTEGER NOT NULL) STRICT;"
	"CREATE INDEX tokens_owner ON tokens (kind, owner);"
	"CREATE TABLE groups ("
	" name TEXT NOT NULL PRIMARY KEY, properties TEXT NOT NULL, created INTEGER NOT NULL)"
	" STRICT, WITHOUT ROWID;"
	"CREATE TABLE members ("
	" of_group TEXT NOT NULL REFERENCES groups (name) ON UPDATE CASCADE ON DELETE CASCADE,"
	" user TEXT NOT NULL " OF_USER ", created INTEGER NOT NULL,"
	" PRIMARY KEY (of_group, user)) STRICT, WITHOUT ROWID;"
	"CREATE INDEX members_user ON members (user);"
	"CREATE TABLE services ("
	" name TEXT NOT NULL PRIMARY KEY, admin INTEGER NOT NULL, created INTEGER NOT NULL)"
	" STRICT, WITHOUT ROWID;"
	"CREATE TABLE roles ("
	" name TEXT NOT NULL PRIMARY KEY, description TEXT NOT NULL, scopes TEXT NOT NULL)"
	" STRICT, WITHOUT ROWID;"
	"CREATE TABLE holders ("
	" role TEXT NOT NULL REFERENCES roles (name) ON UPDATE CASCADE ON DELETE CASCADE,"
	" kind TEXT NOT NULL, name TEXT NOT NULL, created INTEGER NOT NULL,"
	" PRIMARY KEY (role, kind, name))"
	" STRICT, WITHOUT ROWID;"
	"CREATE INDEX holders_name ON holders (kind, name);" FOLLOWS("users", "user")
	    FOLLOWS("services",
		"service") "CREATE TRIGGER groups_holders_go AFTER DELETE ON groups BEGIN"
			   " DELETE FROM holders WHERE kind='group' AND name=OLD.name; END;",
	/* The spawner uses the name to find the uids and homes that it kept by name. */
	("ALTER TABLE users ADD COLUMN name_before TEXT NOT NULL DEFAULT '';"
	 "UPDATE users SET name_before = name;"),
	/* Who had a name before: without a row nobody could say which id's uid and home are meant.
	 */
	("CREATE TABLE formers ("
	 " id INTEGER PRIMARY KEY, name TEXT NOT NULL, created INTEGER NOT NULL,"
	 " deleted INTEGER NOT NULL, handed_to INTEGER NOT NULL, handed INTEGER NOT NULL) STRICT;"
	 "CREATE INDEX formers_name ON formers (name);"),
	/* A site may let go of what is old, and of nothing else. INSERT OR REPLACE ran no trigger
	 * of what it deleted. */
	("DROP TRIGGER audit_is_kept;"
	 "CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit WHEN OLD.at>" AUDIT_KEPT_FROM
	 " BEGIN SELECT RAISE(ABORT, 'the audit keeps its last 30 days'); END;"
	 "CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit"
	 " WHEN NEW.id IN (SELECT id FROM audit)"
	 " BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END;"),
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

/* Table users: who may be somebody here, and who vouches for the name. */
#include "store/stmt.h"

void store_user_put(struct store *st, const struct store_user *user)
{
	stmt_write(st,
	    "INSERT INTO users (name, provider, subject, groups, admin, created, last_activity)"
	    " VALUES (?,?,?,?,?,?,?) ON CONFLICT (name) DO UPDATE SET groups=excluded.groups,"
	    " admin=excluded.admin, last_activity=excluded.last_activity",
	    "ttttiii", user->name, user->provider, user->subject, user->groups,
	    (int64_t)user->admin, user->created_us, user->last_activity_us);
}

void store_user_active(struct store *st, const char *name, int64_t at_us)
{
	stmt_write(st, "UPDATE users SET last_activity=max(last_activity,?) WHERE name=?", "it",
	    at_us, name);
}

int store_users_read(struct store *st, store_user_fn fn, void *arg, struct cyg_err *err)
{
	int code = 0;
	sqlite3_stmt *stmt = stmt_bind(st, err,
	    "SELECT name, provider, subject, groups, admin, created, last_activity FROM users", "");
	if (stmt == NULL)
		return -CYG_ESYS;
	while (stmt_row(st, stmt, &code, err)) {
		struct store_user row = {
			.name = stmt_text(stmt, 0),
			.provider = stmt_text(stmt, 1),
			.subject = stmt_text(stmt, 2),
			.groups = stmt_text(stmt, 3),
			.admin = sqlite3_column_int(stmt, 4) != 0,
			.created_us = sqlite3_column_int64(stmt, 5),
			.last_activity_us = sqlite3_column_int64(stmt, 6),
		};
		fn(arg, &row);
	}
	return code;
}

/* Table sessions: one sign-in of one browser, found by the SHA-256 of its cookie. */
#include "store/stmt.h"

void store_session_put(struct store *st, const struct store_session *session)
{
	stmt_write(st,
	    "INSERT INTO sessions (sha256, user, provider, created, expires) VALUES (?,?,?,?,?)",
	    "tttii", session->sha256, session->user, session->provider, session->created_us,
	    session->expires_us);
}

void store_session_remove(struct store *st, const char *sha256)
{
	stmt_write(st, "DELETE FROM sessions WHERE sha256=?", "t", sha256);
}

void store_sessions_expire(struct store *st, int64_t now_us)
{
	stmt_write(st, "DELETE FROM sessions WHERE expires<=?", "i", now_us);
}

int store_sessions_read(struct store *st, store_session_fn fn, void *arg, struct cyg_err *err)
{
	int code = 0;
	sqlite3_stmt *stmt =
	    stmt_bind(st, err, "SELECT sha256, user, provider, created, expires FROM sessions", "");
	if (stmt == NULL)
		return -CYG_ESYS;
	while (stmt_row(st, stmt, &code, err)) {
		struct store_session row = {
			.sha256 = stmt_text(stmt, 0),
			.user = stmt_text(stmt, 1),
			.provider = stmt_text(stmt, 2),
			.created_us = sqlite3_column_int64(stmt, 3),
			.expires_us = sqlite3_column_int64(stmt, 4),
		};
		fn(arg, &row);
	}
	return code;
}

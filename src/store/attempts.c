/* Table attempts: sign-ins begun at an OpenID provider and not ended, by sums of their secrets. */
#include "store/stmt.h"

void store_attempt_put(struct store *st, const struct store_attempt *attempt)
{
	stmt_write(st,
	    "INSERT OR REPLACE INTO attempts (state, cookie, provider, next, expires)"
	    " VALUES (?,?,?,?,?)",
	    "tttti", attempt->state, attempt->cookie, attempt->provider, attempt->next,
	    attempt->expires_us);
}

void store_attempt_remove(struct store *st, const char *state)
{
	stmt_write(st, "DELETE FROM attempts WHERE state=?", "t", state);
}

void store_attempts_expire(struct store *st, int64_t now_us)
{
	stmt_write(st, "DELETE FROM attempts WHERE expires<=?", "i", now_us);
}

int store_attempts_read(struct store *st, store_attempt_fn fn, void *arg, struct cyg_err *err)
{
	int code = 0;
	sqlite3_stmt *stmt =
	    stmt_bind(st, err, "SELECT state, cookie, provider, next, expires FROM attempts", "");
	if (stmt == NULL)
		return -CYG_ESYS;
	while (stmt_row(st, stmt, &code, err)) {
		struct store_attempt row = {
			.state = stmt_text(stmt, 0),
			.cookie = stmt_text(stmt, 1),
			.provider = stmt_text(stmt, 2),
			.next = stmt_text(stmt, 3),
			.expires_us = sqlite3_column_int64(stmt, 4),
		};
		fn(arg, &row);
	}
	return code;
}

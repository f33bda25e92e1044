/* Table ends: how each server last ended; shown at home until the person has seen it. */
#include "store/stmt.h"

void store_end_put(struct store *st, const struct store_end *end)
{
	stmt_write(st,
	    "INSERT INTO ends (user, server, at, cause, message, lines, dismissed)"
	    " VALUES (?,?,?,?,?,?,0) ON CONFLICT (user, server) DO UPDATE SET at=excluded.at,"
	    " cause=excluded.cause, message=excluded.message, lines=excluded.lines, dismissed=0",
	    "ttittt", end->user, end->server, end->at_us, end->cause, end->message, end->lines);
}

int store_end_find(
    struct store *st, const char *user, store_end_fn fn, void *arg, struct cyg_err *err)
{
	int code = 0;
	sqlite3_stmt *stmt = stmt_bind(st, err,
	    "SELECT user, server, at, cause, message, lines FROM ends"
	    " WHERE user=? AND dismissed=0 ORDER BY at DESC LIMIT 1",
	    "t", user);
	if (stmt == NULL)
		return -CYG_ESYS;
	while (stmt_row(st, stmt, &code, err)) {
		struct store_end row = {
			.user = stmt_text(stmt, 0),
			.server = stmt_text(stmt, 1),
			.at_us = sqlite3_column_int64(stmt, 2),
			.cause = stmt_text(stmt, 3),
			.message = stmt_text(stmt, 4),
			.lines = stmt_text(stmt, 5),
		};
		fn(arg, &row);
	}
	return code;
}

void store_end_dismiss(struct store *st, const char *user)
{
	stmt_write(st, "UPDATE ends SET dismissed=1 WHERE user=?", "t", user);
}

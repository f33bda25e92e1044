/* Prepared statements of the store: one per SQL literal, made on first use, bound from a format.
 * Beside it: store.c (turns), migrations.c (schema), one file per table. */
#include "store/stmt.h"

#include <stdarg.h>

int stmt_fail(struct store *st, struct cyg_err *err, const char *doing)
{
	return cyg_fail(err, CYG_ESYS, "store: %s: %s", doing, sqlite3_errmsg(st->db));
}

int stmt_exec(struct store *st, const char *sql, struct cyg_err *err)
{
	if (sqlite3_exec(st->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return stmt_fail(st, err, sql);
	return 0;
}

static sqlite3_stmt *find(struct store *st, const char *sql, struct cyg_err *err)
{
	for (size_t i = 0; i < st->n_stmts; i++) {
		if (st->stmts[i].sql == sql)
			return st->stmts[i].stmt;
	}
	if (st->n_stmts == STORE_STMTS_MAX) {
		(void)cyg_fail(err, CYG_ELIMIT, "store: too many statements");
		return NULL;
	}
	sqlite3_stmt *stmt = NULL;
	if (sqlite3_prepare_v3(st->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL) !=
	    SQLITE_OK) {
		(void)stmt_fail(st, err, sql);
		return NULL;
	}
	st->stmts[st->n_stmts].sql = sql;
	st->stmts[st->n_stmts++].stmt = stmt;
	return stmt;
}

static sqlite3_stmt *bind(
    struct store *st, struct cyg_err *err, const char *sql, const char *types, va_list ap)
{
	sqlite3_stmt *stmt = find(st, sql, err);
	if (stmt == NULL)
		return NULL;
	(void)sqlite3_reset(stmt);
	int code = SQLITE_OK;
	for (int i = 0; types[i] != '\0' && code == SQLITE_OK; i++) {
		if (types[i] == 'i') {
			code = sqlite3_bind_int64(stmt, i + 1, va_arg(ap, int64_t));
			continue;
		}
		const char *text = va_arg(ap, const char *);
		code =
		    sqlite3_bind_text(stmt, i + 1, text != NULL ? text : "", -1, SQLITE_TRANSIENT);
	}
	if (code == SQLITE_OK)
		return stmt;
	(void)stmt_fail(st, err, sql);
	return NULL;
}

sqlite3_stmt *stmt_bind(
    struct store *st, struct cyg_err *err, const char *sql, const char *types, ...)
{
	va_list ap;

	va_start(ap, types);
	sqlite3_stmt *stmt = bind(st, err, sql, types, ap);
	va_end(ap);
	return stmt;
}

static void remember(struct store *st, const struct cyg_err *err)
{
	if (st->failed)
		return;
	st->failed = true;
	st->why = *err;
}

void stmt_write(struct store *st, const char *sql, const char *types, ...)
{
	struct cyg_err err;
	va_list ap;

	if (st->failed)
		return;
	if (!st->in_turn) {
		if (stmt_exec(st, "BEGIN IMMEDIATE", &err) < 0) {
			remember(st, &err);
			return;
		}
		st->in_turn = true;
	}
	va_start(ap, types);
	sqlite3_stmt *stmt = bind(st, &err, sql, types, ap);
	va_end(ap);
	if (stmt == NULL) {
		remember(st, &err);
		return;
	}
	if (sqlite3_step(stmt) != SQLITE_DONE) {
		(void)stmt_fail(st, &err, sql);
		remember(st, &err);
	}
	(void)sqlite3_reset(stmt);
}

bool stmt_row(struct store *st, sqlite3_stmt *stmt, int *code, struct cyg_err *err)
{
	*code = 0;
	int step = sqlite3_step(stmt);
	if (step == SQLITE_ROW)
		return true;
	if (step != SQLITE_DONE)
		*code = stmt_fail(st, err, "reading");
	(void)sqlite3_reset(stmt);
	return false;
}

const char *stmt_text(sqlite3_stmt *stmt, int column)
{
	const unsigned char *text = sqlite3_column_text(stmt, column);

	return text != NULL ? (const char *)text : "";
}

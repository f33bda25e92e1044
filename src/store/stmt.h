/* For the files of src/store alone: prepared statements, and the failure a turn remembers. */
#ifndef STORE_STMT_H
#define STORE_STMT_H

#include "store/store.h"

#include <sqlite3.h>

enum { STORE_STMTS_MAX = 48 };

struct store_effect {
	void (*fn)(void *arg);
	void *arg;
};

struct store {
	sqlite3 *db;
	bool in_turn; /* a transaction is open */
	bool failed;  /* a write of this turn failed: why */
	struct cyg_err why;
	struct store_effect *effects;
	size_t n_effects, cap_effects;
	struct {
		const char *sql; /* a literal, compared by address */
		sqlite3_stmt *stmt;
	} stmts[STORE_STMTS_MAX];
	size_t n_stmts;
};

/* The prepared statement of a literal with its parameters bound: types holds 't' (const char *,
 * NULL is bound as "") or 'i' (int64_t) per argument. NULL when it cannot be had (*err says why).
 */
sqlite3_stmt *stmt_bind(
    struct store *st, struct cyg_err *err, const char *sql, const char *types, ...);
/* A write: opens the turn's transaction, binds, runs, resets; remembers a failure. */
void stmt_write(struct store *st, const char *sql, const char *types, ...);
/* True for a row, false at the end or on failure (then *code is set); resets at the end. */
bool stmt_row(struct store *st, sqlite3_stmt *stmt, int *code, struct cyg_err *err);
/* Text of a column, "" for NULL; valid until the next step. */
const char *stmt_text(sqlite3_stmt *stmt, int column);
/* Runs SQL without parameters. */
int stmt_exec(struct store *st, const char *sql, struct cyg_err *err);
int stmt_fail(struct store *st, struct cyg_err *err, const char *doing);
/* Brings the schema to the newest version. */
int store_migrate(struct store *st, struct cyg_err *err);

#endif

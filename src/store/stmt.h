/* For the files of src/store alone: prepared statements, and the failure a turn remembers. */
#ifndef STORE_STMT_H
#define STORE_STMT_H

#include "store/store.h"
#include "store/table.h"

#include <sqlite3.h>

/* Statements kept ready. Never more are in use at once than callbacks are nested; the one used
 * longest ago makes room, so the number bounds memory and nothing else. */
enum { STORE_STMTS_KEPT = 64 };

/* SQL: the time from which on no row of the audit can be removed, 30 days (in microseconds) before
 * its newest row. */
#define AUDIT_KEPT_FROM "(SELECT at FROM audit ORDER BY id DESC LIMIT 1)-2592000000000"

/* The statements that do not follow from a table's columns. */
enum query {
	QUERY_SESSIONS_EXPIRE,
	QUERY_ATTEMPTS_EXPIRE,
	QUERY_INTENT_END,
	QUERY_INTENTS_OPEN,
	QUERY_INTENTS_TRIM,
	QUERY_STAGES_TRIM,
	QUERY_STAGES_OF,
	QUERY_END_NEWEST,
	QUERY_END_DISMISS,
	QUERY_AUDIT_NEWEST,
	QUERY_AUDIT_TRIM,
	QUERY_FORMERS_OF,
	QUERIES,
};

/* What a prepared statement is made of: a query, or a table, what is done with it and a set. */
struct stmt_key {
	const struct store_table *table; /* NULL: a query */
	int what;                        /* enum table_op or enum query */
	uint64_t set;
};

struct stmt_kept {
	struct stmt_key key;
	sqlite3_stmt *stmt;
	uint64_t used; /* the higher, the later */
	bool busy;
};

struct store_effect {
	void (*fn)(void *arg); /* only after a commit */
	store_ended_fn ended;  /* or: however the turn ends */
	void *arg;
	uint64_t turn;
	bool failed;
};

struct store_undo {
	void (*fn)(void *arg, bool failed);
	void *arg;
};

struct store {
	sqlite3 *db;
	bool in_turn;       /* a transaction is open */
	bool failed;        /* a write of this turn failed: why */
	struct cyg_err why; /* also of the last turn that failed, while its effects are told */
	uint64_t turn;
	uint64_t commits;
	int changes; /* of rows, when the newest commit began or the store was opened */
	bool probed; /* the turn has written a page without changing a row */
	struct store_effect *effects;
	size_t n_effects, cap_effects;
	struct store_undo *undos;
	size_t n_undos, cap_undos;
	struct stmt_kept stmts[STORE_STMTS_KEPT];
	size_t n_stmts;
	uint64_t uses;
	void (*on_commit)(void *arg, uint64_t took_ns, bool kept); /* or NULL */
	void *on_commit_arg;
};

/* The statement, reset and without parameters. NULL when it cannot be had (*err says why). Every
 * one is given back by stmt_end. */
sqlite3_stmt *stmt_begin(struct store *st, const struct stmt_key *key, struct cyg_err *err);
void stmt_end(struct store *st, sqlite3_stmt *stmt);
/* Binds values to parameters from 1: types holds 't' (const char *, NULL is bound as "") or 'i'
 * (int64_t) for each. Text must live until stmt_end. */
void stmt_bind_all(sqlite3_stmt *stmt, const char *types, ...);
/* True for a row, false at the end or on failure (then *code is set). */
bool stmt_row(struct store *st, sqlite3_stmt *stmt, int *code, struct cyg_err *err);
/* Opens the turn's transaction; false when the turn has failed. */
bool stmt_may_write(struct store *st);
/* Keeps why a write failed, as stmt_begin said: the turn fails. */
void stmt_remember(struct store *st, const struct cyg_err *err);
/* Runs a write to its end and gives it back; false when it failed. */
bool stmt_run(struct store *st, sqlite3_stmt *stmt);
/* Runs SQL without parameters. */
int stmt_exec(struct store *st, const char *sql, struct cyg_err *err);
int stmt_fail(struct store *st, struct cyg_err *err, const char *doing);
/* The SQL of a key; the caller frees it. */
char *stmt_sql(const struct stmt_key *key);
/* The SQL of a query; the caller frees it. */
char *query_sql(enum query query, bool *may_scan);

/* Calls fn with every row of a statement whose columns are the table's, and gives it back. */
int table_rows(struct store *st, const struct store_table *table, sqlite3_stmt *stmt,
    store_row_fn fn, void *arg, struct cyg_err *err);

/* Frees what the turn has registered; memory stays as it is, effects are dropped. */
void turn_free(struct store *st);
/* Brings the schema to the newest version. */
int store_migrate(struct store *st, struct cyg_err *err);

#endif

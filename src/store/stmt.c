/* Prepared statements: made on first use, kept while they are used, one beside it where a callback
 * uses the same one again. Before it: table_sql.c and queries.c say what they are; after it:
 * table.c and queries.c run them. */
#include "store/stmt.h"

#include "base/mem.h"

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

char *stmt_sql(const struct stmt_key *key)
{
	bool may_scan = false;

	if (key->table == NULL)
		return query_sql((enum query)key->what, &may_scan);
	return table_sql(key->table, (enum table_op)key->what, key->set);
}

static sqlite3_stmt *prepare(
    struct store *st, const struct stmt_key *key, unsigned flags, struct cyg_err *err)
{
	cyg_autofree char *sql = stmt_sql(key);
	sqlite3_stmt *stmt = NULL;

	if (sqlite3_prepare_v3(st->db, sql, -1, flags, &stmt, NULL) == SQLITE_OK)
		return stmt;
	(void)stmt_fail(st, err, sql);
	return NULL;
}

/* An empty place, or that of the statement used longest ago; NULL when all are in use. */
static struct stmt_kept *place(struct store *st)
{
	struct stmt_kept *oldest = NULL;

	if (st->n_stmts < STORE_STMTS_KEPT)
		return &st->stmts[st->n_stmts++];
	for (size_t i = 0; i < st->n_stmts; i++) {
		struct stmt_kept *kept = &st->stmts[i];
		if (!kept->busy && (oldest == NULL || kept->used < oldest->used))
			oldest = kept;
	}
	if (oldest != NULL)
		(void)sqlite3_finalize(oldest->stmt);
	return oldest;
}

static struct stmt_kept *find(struct store *st, const struct stmt_key *key)
{
	for (size_t i = 0; i < st->n_stmts; i++) {
		const struct stmt_key *k = &st->stmts[i].key;
		if (k->table == key->table && k->what == key->what && k->set == key->set)
			return &st->stmts[i];
	}
	return NULL;
}

sqlite3_stmt *stmt_begin(struct store *st, const struct stmt_key *key, struct cyg_err *err)
{
	struct stmt_kept *kept = find(st, key);

	if (kept != NULL && kept->busy)
		return prepare(st, key, 0, err);
	if (kept == NULL) {
		sqlite3_stmt *stmt = prepare(st, key, SQLITE_PREPARE_PERSISTENT, err);
		kept = stmt != NULL ? place(st) : NULL;
		if (kept == NULL)
			return stmt;
		*kept = (struct stmt_kept){ .key = *key, .stmt = stmt };
	}
	kept->used = ++st->uses;
	kept->busy = true;
	return kept->stmt;
}

void stmt_end(struct store *st, sqlite3_stmt *stmt)
{
	for (size_t i = 0; i < st->n_stmts; i++) {
		if (st->stmts[i].stmt != stmt)
			continue;
		st->stmts[i].busy = false;
		(void)sqlite3_reset(stmt);
		/* Text is bound where the caller has it; no copy of a secret's sum is left behind.
		 */
		(void)sqlite3_clear_bindings(stmt);
		return;
	}
	(void)sqlite3_finalize(stmt);
}

void stmt_bind_all(sqlite3_stmt *stmt, const char *types, ...)
{
	va_list ap;

	va_start(ap, types);
	for (int i = 0; types[i] != '\0'; i++) {
		if (types[i] == 'i') {
			(void)sqlite3_bind_int64(stmt, i + 1, va_arg(ap, int64_t));
			continue;
		}
		const char *text = va_arg(ap, const char *);
		(void)sqlite3_bind_text(stmt, i + 1, text != NULL ? text : "", -1, SQLITE_STATIC);
	}
	va_end(ap);
}

bool stmt_row(struct store *st, sqlite3_stmt *stmt, int *code, struct cyg_err *err)
{
	*code = 0;
	int step = sqlite3_step(stmt);
	if (step == SQLITE_ROW)
		return true;
	if (step != SQLITE_DONE)
		*code = stmt_fail(st, err, "reading");
	return false;
}

void stmt_remember(struct store *st, const struct cyg_err *err)
{
	if (st->failed)
		return;
	st->failed = true;
	st->why = *err;
}

bool stmt_may_write(struct store *st)
{
	struct cyg_err err;

	if (st->failed)
		return false;
	if (st->in_turn)
		return true;
	if (stmt_exec(st, "BEGIN IMMEDIATE", &err) < 0) {
		stmt_remember(st, &err);
		return false;
	}
	st->in_turn = true;
	return true;
}

bool stmt_run(struct store *st, sqlite3_stmt *stmt)
{
	struct cyg_err err;
	bool ok = sqlite3_step(stmt) == SQLITE_DONE;

	if (!ok) {
		(void)stmt_fail(st, &err, sqlite3_sql(stmt));
		stmt_remember(st, &err);
	}
	stmt_end(st, stmt);
	return ok;
}

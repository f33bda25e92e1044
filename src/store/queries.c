/* The queries that concern one table only, and their statements. Each uses an index, or says why
 * not: the unit test looks at every plan. Before it: stmt.c, table.c. */
#include "store/queries.h"

#include "base/mem.h"
#include "store/stmt.h"

#include <string.h>

struct query_text {
	const struct store_table
	    *table; /* its columns are read; NULL: sql is the whole statement */
	const char *sql;
	bool may_scan;
};

static const struct query_text texts[QUERIES] = {
	[QUERY_SESSIONS_EXPIRE] = { NULL, "DELETE FROM sessions WHERE expires<=?1", false },
	[QUERY_ATTEMPTS_EXPIRE] = { NULL, "DELETE FROM attempts WHERE expires<=?1", false },
	[QUERY_INTENT_END] = { NULL,
	    "UPDATE intents SET ended=?1, outcome=?2 WHERE server_id=?3 AND ended IS NULL"
	    " AND (kind=?4 OR ?4='')",
	    false },
	/* Reads the whole index, which holds only the open ones. */
	[QUERY_INTENTS_OPEN] = { &store_intents,
	    "INDEXED BY intents_open WHERE ended IS NULL ORDER BY seq", true },
	[QUERY_INTENTS_TRIM] = { NULL, "DELETE FROM intents WHERE ended IS NOT NULL AND ended<?1",
	    false },
	[QUERY_STAGES_TRIM] = { NULL,
	    "DELETE FROM stage_times WHERE stack=?1 AND stage=?2 AND seq NOT IN"
	    " (SELECT seq FROM stage_times WHERE stack=?1 AND stage=?2 ORDER BY seq DESC LIMIT ?3)",
	    false },
	[QUERY_STAGES_OF] = { &store_stages, "WHERE stack=?1 AND stage=?2 ORDER BY ms LIMIT ?3",
	    false },
	/* Not by ORDER BY: making a sorter costs more than the search, and every look at a user
	   asks. */
	[QUERY_END_NEWEST] = { &store_ends,
	    "WHERE user=?1 AND dismissed=0 AND"
	    " at=(SELECT max(at) FROM ends WHERE user=?1 AND dismissed=0) LIMIT 1",
	    false },
	[QUERY_END_DISMISS] = { NULL, "UPDATE ends SET dismissed=1 WHERE user=?1", false },
	[QUERY_AUDIT_NEWEST] = { &store_audits, "WHERE id<?1 ORDER BY id DESC LIMIT ?2", false },
	/* It looks at the oldest rows only, so many as a turn may take. */
	[QUERY_AUDIT_TRIM] = { NULL,
	    "DELETE FROM audit WHERE id IN (SELECT id FROM"
	    " (SELECT id, at FROM audit ORDER BY id LIMIT 500)"
	    " WHERE at<?1 AND at<=" AUDIT_KEPT_FROM ")",
	    true },
	[QUERY_FORMERS_OF] = { &store_formers, "WHERE name=?1 ORDER BY id DESC LIMIT ?2", false },
};

char *query_sql(enum query query, bool *may_scan)
{
	const struct query_text *text = &texts[query];

	*may_scan = text->may_scan;
	return text->table != NULL ? table_select(text->table, text->sql) : cyg_xstrdup(text->sql);
}

/* ---- every statement there is, for a test ---- */

static char *table_statement(const struct store_table *table, enum table_op op, bool *may_scan)
{
	uint64_t set = 0;

	for (size_t i = 0; i < table->n_columns; i++)
		set |= (table->columns[i].flags & COLUMN_KEY) == 0 ? UINT64_C(1) << i : 0;
	*may_scan = op == TABLE_READ;
	return table_sql(table, op, set);
}

char *store_statement(size_t i, bool *may_scan)
{
	if (i < QUERIES)
		return query_sql((enum query)i, may_scan);
	i -= QUERIES;
	if (i >= store_n_tables * TABLE_OPS)
		return NULL;
	return table_statement(
	    store_tables[i / TABLE_OPS], (enum table_op)(i % TABLE_OPS), may_scan);
}

/* ---- running them ---- */

/* NULL: the turn has failed, or fails here. */
static sqlite3_stmt *begin_write(struct store *st, enum query query)
{
	const struct stmt_key key = { .what = (int)query };
	struct cyg_err err;

	if (!stmt_may_write(st))
		return NULL;
	sqlite3_stmt *stmt = stmt_begin(st, &key, &err);
	if (stmt == NULL)
		stmt_remember(st, &err);
	return stmt;
}

static sqlite3_stmt *begin_read(struct store *st, enum query query, struct cyg_err *err)
{
	return stmt_begin(st, &(struct stmt_key){ .what = (int)query }, err);
}

static void write_before(struct store *st, enum query query, int64_t us)
{
	sqlite3_stmt *stmt = begin_write(st, query);

	if (stmt == NULL)
		return;
	stmt_bind_all(stmt, "i", us);
	(void)stmt_run(st, stmt);
}

void store_sessions_expire(struct store *st, int64_t now_us)
{
	write_before(st, QUERY_SESSIONS_EXPIRE, now_us);
}

void store_attempts_expire(struct store *st, int64_t now_us)
{
	write_before(st, QUERY_ATTEMPTS_EXPIRE, now_us);
}

/* ---- intents ---- */

void store_intent_begin(struct store *st, const char *server_id, const char *kind, int64_t at_us)
{
	const struct store_intent row = { .server_id = server_id, .kind = kind, .begun_us = at_us };

	(void)store_add(st, &store_intents, &row);
}

void store_intent_end(
    struct store *st, const char *server_id, const char *kind, const char *outcome, int64_t at_us)
{
	sqlite3_stmt *stmt = begin_write(st, QUERY_INTENT_END);

	if (stmt == NULL)
		return;
	stmt_bind_all(stmt, "ittt", at_us, outcome, server_id, kind);
	(void)stmt_run(st, stmt);
}

int store_intents_open(struct store *st, store_row_fn fn, void *arg, struct cyg_err *err)
{
	sqlite3_stmt *stmt = begin_read(st, QUERY_INTENTS_OPEN, err);

	return stmt == NULL ? -CYG_ESYS : table_rows(st, &store_intents, stmt, fn, arg, err);
}

void store_intents_trim(struct store *st, int64_t before_us)
{
	write_before(st, QUERY_INTENTS_TRIM, before_us);
}

/* ---- stages ---- */

void store_stage_add(struct store *st, const char *stack, const char *stage, uint32_t ms)
{
	const struct store_stage row = { .stack = stack, .stage = stage, .ms = (int64_t)ms };

	(void)store_add(st, &store_stages, &row);
	sqlite3_stmt *stmt = begin_write(st, QUERY_STAGES_TRIM);
	if (stmt == NULL)
		return;
	stmt_bind_all(stmt, "tti", stack, stage, (int64_t)STORE_USUAL_OF);
	(void)stmt_run(st, stmt);
}

struct times {
	int64_t ms[STORE_USUAL_OF]; /* rising */
	size_t n;
};

static void on_stage(void *arg, const void *row)
{
	const struct store_stage *stage = row;
	struct times *times = arg;

	if (times->n < STORE_USUAL_OF)
		times->ms[times->n++] = stage->ms;
}

bool store_stage_usual(struct store *st, const char *stack, const char *stage, uint32_t *ms)
{
	struct times times = { .n = 0 };
	struct cyg_err err;
	sqlite3_stmt *stmt = begin_read(st, QUERY_STAGES_OF, &err);

	if (stmt == NULL)
		return false;
	stmt_bind_all(stmt, "tti", stack, stage, (int64_t)STORE_USUAL_OF);
	if (table_rows(st, &store_stages, stmt, on_stage, &times, &err) < 0 || times.n == 0)
		return false;
	*ms = (uint32_t)times.ms[times.n / 2];
	return true;
}

/* ---- choices and ends ---- */

static void on_choice(void *arg, const void *row)
{
	const struct store_choice *choice = row;
	char **ret = arg;

	*ret = cyg_xstrdup(choice->options);
}

char *store_choice_find(struct store *st, const char *user)
{
	const struct store_choice key = { .user = user };
	char *ret = NULL;

	(void)store_find(st, &store_choices, &key, on_choice, &ret, NULL);
	return ret;
}

int store_end_find(
    struct store *st, const char *user, store_row_fn fn, void *arg, struct cyg_err *err)
{
	sqlite3_stmt *stmt = begin_read(st, QUERY_END_NEWEST, err);

	if (stmt == NULL)
		return -CYG_ESYS;
	stmt_bind_all(stmt, "t", user);
	return table_rows(st, &store_ends, stmt, fn, arg, err);
}

void store_end_dismiss(struct store *st, const char *user)
{
	sqlite3_stmt *stmt = begin_write(st, QUERY_END_DISMISS);

	if (stmt == NULL)
		return;
	stmt_bind_all(stmt, "t", user);
	(void)stmt_run(st, stmt);
}

/* ---- former users ---- */

int store_formers_of(
    struct store *st, const char *name, store_row_fn fn, void *arg, struct cyg_err *err)
{
	sqlite3_stmt *stmt = begin_read(st, QUERY_FORMERS_OF, err);

	if (stmt == NULL)
		return -CYG_ESYS;
	stmt_bind_all(stmt, "ti", name, (int64_t)STORE_FORMERS_MAX);
	return table_rows(st, &store_formers, stmt, fn, arg, err);
}

/* ---- audit ---- */

void store_audit_add(struct store *st, const struct store_audit *row)
{
	struct store_audit copy = *row;

	copy.id = 0;
	(void)store_add(st, &store_audits, &copy);
}

void store_audit_trim(struct store *st, int64_t before_us)
{
	write_before(st, QUERY_AUDIT_TRIM, before_us);
}

int store_audit_read(
    struct store *st, int64_t before, size_t limit, store_row_fn fn, void *arg, struct cyg_err *err)
{
	sqlite3_stmt *stmt = begin_read(st, QUERY_AUDIT_NEWEST, err);

	if (stmt == NULL)
		return -CYG_ESYS;
	stmt_bind_all(stmt, "ii", before > 0 ? before : INT64_MAX,
	    (int64_t)(limit < STORE_PAGE_MAX ? limit : STORE_PAGE_MAX));
	return table_rows(st, &store_audits, stmt, fn, arg, err);
}

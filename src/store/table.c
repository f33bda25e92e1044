/* Reads and writes rows of any table: binds a row's fields, makes rows of columns. Before it:
 * table_sql.c, stmt.c. */
#include "store/table.h"

#include "base/mem.h"
#include "store/stmt.h"

#include <stdalign.h>

static const void *field_of(const void *row, const struct store_column *c)
{
	return (const char *)row + c->offset;
}

static void bind_column(
    sqlite3_stmt *stmt, const struct store_column *c, int number, const void *row)
{
	const void *field = field_of(row, c);

	switch (c->type) {
	case COLUMN_TEXT: {
		const char *text = *(const char *const *)field;
		(void)sqlite3_bind_text(stmt, number, text != NULL ? text : "", -1, SQLITE_STATIC);
		break;
	}
	case COLUMN_INT:
		(void)sqlite3_bind_int64(stmt, number, *(const int64_t *)field);
		break;
	case COLUMN_BOOL:
		(void)sqlite3_bind_int64(stmt, number, *(const bool *)field ? 1 : 0);
		break;
	}
}

/* Columns that have the flags (0: any) or are in the set. */
static void bind_row(
    sqlite3_stmt *stmt, const struct store_table *t, const void *row, unsigned flags, uint64_t set)
{
	for (size_t i = 0; i < t->n_columns; i++) {
		const struct store_column *c = &t->columns[i];
		if ((c->flags & flags) == flags || (set & (UINT64_C(1) << i)) != 0)
			bind_column(stmt, c, (int)i + 1, row);
	}
}

static void read_row(sqlite3_stmt *stmt, const struct store_table *t, void *row)
{
	for (size_t i = 0; i < t->n_columns; i++) {
		const struct store_column *c = &t->columns[i];
		void *field = (char *)row + c->offset;
		const unsigned char *text = NULL;
		switch (c->type) {
		case COLUMN_TEXT:
			text = sqlite3_column_text(stmt, (int)i);
			*(const char **)field = text != NULL ? (const char *)text : "";
			break;
		case COLUMN_INT:
			*(int64_t *)field = sqlite3_column_int64(stmt, (int)i);
			break;
		case COLUMN_BOOL:
			*(bool *)field = sqlite3_column_int64(stmt, (int)i) != 0;
			break;
		}
	}
}

int table_rows(struct store *st, const struct store_table *t, sqlite3_stmt *stmt, store_row_fn fn,
    void *arg, struct cyg_err *err)
{
	alignas(max_align_t) unsigned char row[TABLE_ROW_MAX] = { 0 };
	int code = 0;

	while (stmt_row(st, stmt, &code, err)) {
		read_row(stmt, t, row);
		fn(arg, row);
	}
	stmt_end(st, stmt);
	return code;
}

/* ---- writing ---- */

/* NULL in place of 0 asks SQLite for the next id. */
static void ask_for_id(sqlite3_stmt *stmt, const struct store_table *t, const void *row)
{
	for (size_t i = 0; i < t->n_columns; i++) {
		const struct store_column *c = &t->columns[i];
		if ((c->flags & COLUMN_AUTO) != 0 && *(const int64_t *)field_of(row, c) == 0)
			(void)sqlite3_bind_null(stmt, (int)i + 1);
	}
}

static bool write_row(
    struct store *st, const struct store_table *t, enum table_op op, uint64_t set, const void *row)
{
	const struct stmt_key key = { .table = t, .what = (int)op, .set = set };
	bool whole = op == TABLE_ADD || op == TABLE_PUT;
	struct cyg_err err;

	if (!stmt_may_write(st))
		return false;
	sqlite3_stmt *stmt = stmt_begin(st, &key, &err);
	if (stmt == NULL) {
		stmt_remember(st, &err);
		return false;
	}
	bind_row(stmt, t, row, whole ? 0 : COLUMN_KEY, set);
	if (whole)
		ask_for_id(stmt, t, row);
	return stmt_run(st, stmt);
}

int64_t store_add(struct store *st, const struct store_table *table, const void *row)
{
	return write_row(st, table, TABLE_ADD, 0, row) ? sqlite3_last_insert_rowid(st->db) : 0;
}

void store_put(struct store *st, const struct store_table *table, const void *row)
{
	(void)write_row(st, table, TABLE_PUT, 0, row);
}

void store_update(
    struct store *st, const struct store_table *table, const void *row, const char *columns)
{
	(void)write_row(st, table, TABLE_UPDATE, table_set(table, columns), row);
}

void store_remove(struct store *st, const struct store_table *table, const void *row)
{
	(void)write_row(st, table, TABLE_REMOVE, 0, row);
}

/* ---- reading ---- */

struct row_to {
	store_row_fn fn;
	void *arg;
};

static int read_rows(struct store *st, const struct stmt_key *key, const void *bound,
    const struct store_page *page, const struct row_to *to, struct cyg_err *err)
{
	sqlite3_stmt *stmt = stmt_begin(st, key, err);

	if (stmt == NULL)
		return -CYG_ESYS;
	if (bound != NULL)
		bind_row(stmt, key->table, bound, COLUMN_KEY, 0);
	if (page != NULL)
		(void)sqlite3_bind_int64(
		    stmt, (int)key->table->n_columns + 1, (int64_t)page->limit);
	return table_rows(st, key->table, stmt, to->fn, to->arg, err);
}

int store_find(struct store *st, const struct store_table *table, const void *key, store_row_fn fn,
    void *arg, struct cyg_err *err)
{
	const struct stmt_key find = { .table = table, .what = TABLE_FIND };

	return read_rows(st, &find, key, NULL, &(struct row_to){ fn, arg }, err);
}

int store_read(struct store *st, const struct store_table *table, store_row_fn fn, void *arg,
    struct cyg_err *err)
{
	const struct stmt_key read = { .table = table, .what = TABLE_READ };

	return read_rows(st, &read, NULL, NULL, &(struct row_to){ fn, arg }, err);
}

int store_read_page(struct store *st, const struct store_table *table,
    const struct store_page *page, store_row_fn fn, void *arg, struct cyg_err *err)
{
	/* Before every key: no text is less than "", and no id is 0. */
	static alignas(max_align_t) const unsigned char first[TABLE_ROW_MAX] = { 0 };
	const struct stmt_key read = { .table = table, .what = TABLE_PAGE };
	const void *after = page->after != NULL ? page->after : first;

	return read_rows(st, &read, after, page, &(struct row_to){ fn, arg }, err);
}

/* For the files of src/store alone: what a table is, and the SQL that follows from it. */
#ifndef STORE_TABLE_H
#define STORE_TABLE_H

#include "store/rows.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TABLE_COLUMNS_MAX = 16, TABLE_ROW_MAX = 192 };

enum column_type { COLUMN_TEXT, COLUMN_INT, COLUMN_BOOL };

enum column_flag {
	COLUMN_KEY = 1,
	COLUMN_AUTO = 2, /* an integer key that the table gives: 0 asks for the next one */
	COLUMN_KEEP = 4, /* store_put leaves it as it is in a row that is there */
};

struct store_column {
	const char *name;
	size_t offset; /* in the row's struct */
	enum column_type type;
	unsigned flags;
};

struct store_table {
	const char *name;
	const struct store_column *columns;
	size_t n_columns;
	size_t row_size;
};

/* What is made of a table. Of TABLE_UPDATE there is one for each set of columns. */
enum table_op {
	TABLE_ADD,
	TABLE_PUT,
	TABLE_UPDATE,
	TABLE_REMOVE,
	TABLE_FIND,
	TABLE_READ,
	TABLE_PAGE,
	TABLE_OPS,
};

extern const struct store_table *const store_tables[];
extern const size_t store_n_tables;

/* The statement; set says which columns an update changes (bit i: column i). Parameters are
 * numbered as the columns are; a page has its limit one behind the last. The caller frees it. */
char *table_sql(const struct store_table *table, enum table_op op, uint64_t set);
/* "SELECT every column FROM the table" and the rest. The caller frees it. */
char *table_select(const struct store_table *table, const char *rest);
/* The bits of columns named by "a,b"; a name that is none is our mistake. */
uint64_t table_set(const struct store_table *table, const char *columns);

#endif

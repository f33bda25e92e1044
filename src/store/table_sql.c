/* The SQL that follows from a table's columns. Pure. Before it: tables.c; after it: table.c. */
#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "store/table.h"

#include <assert.h>
#include <string.h>

enum { SQL_MAX = 4096 };

/* A list of columns: which of them, and how each is written. */
struct list {
	const char *form; /* @: the name, #: the parameter; other letters are themselves */
	const char *between;
	unsigned with, without;
	uint64_t set; /* 0: all */
};

static void add(struct cyg_buf *b, const char *text)
{
	int code = cyg_buf_add_str(b, text, NULL);

	assert(code == 0);
	(void)code;
}

static void add_one(struct cyg_buf *b, const char *form, const char *name, size_t number)
{
	for (const char *c = form; *c != '\0'; c++) {
		if (*c == '@')
			add(b, name);
		else if (*c == '#')
			(void)cyg_buf_printf(b, NULL, "?%zu", number);
		else
			(void)cyg_buf_add(b, c, 1, NULL);
	}
}

static void add_list(struct cyg_buf *b, const struct store_table *t, const struct list *list)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_columns; i++) {
		const struct store_column *c = &t->columns[i];
		if ((c->flags & list->with) != list->with || (c->flags & list->without) != 0)
			continue;
		if (list->set != 0 && (list->set & (UINT64_C(1) << i)) == 0)
			continue;
		if (n++ > 0)
			add(b, list->between);
		add_one(b, list->form, c->name, i + 1);
	}
}

static void add_where_key(struct cyg_buf *b, const struct store_table *t)
{
	add(b, " WHERE ");
	add_list(b, t, &(struct list){ .form = "@=#", .between = " AND ", .with = COLUMN_KEY });
}

static void add_insert(struct cyg_buf *b, const struct store_table *t)
{
	add(b, "INSERT INTO ");
	add(b, t->name);
	add(b, " (");
	add_list(b, t, &(struct list){ .form = "@", .between = ", " });
	add(b, ") VALUES (");
	add_list(b, t, &(struct list){ .form = "#", .between = ", " });
	add(b, ")");
}

static void add_conflict(struct cyg_buf *b, const struct store_table *t)
{
	const struct list changed = {
		.form = "@=excluded.@", .between = ", ", .without = COLUMN_KEY | COLUMN_KEEP
	};
	bool changes = false;

	for (size_t i = 0; i < t->n_columns; i++)
		changes = changes || (t->columns[i].flags & changed.without) == 0;
	add(b, " ON CONFLICT (");
	add_list(b, t, &(struct list){ .form = "@", .between = ", ", .with = COLUMN_KEY });
	add(b, changes ? ") DO UPDATE SET " : ") DO NOTHING");
	if (changes)
		add_list(b, t, &changed);
}

static void add_select(struct cyg_buf *b, const struct store_table *t)
{
	add(b, "SELECT ");
	add_list(b, t, &(struct list){ .form = "@", .between = ", " });
	add(b, " FROM ");
	add(b, t->name);
}

static void add_order(struct cyg_buf *b, const struct store_table *t)
{
	add(b, " ORDER BY ");
	add_list(b, t, &(struct list){ .form = "@", .between = ", ", .with = COLUMN_KEY });
}

/* Row values: (a, b) > (?1, ?2) is one search in the key's index. */
static void add_page(struct cyg_buf *b, const struct store_table *t)
{
	add_select(b, t);
	add(b, " WHERE (");
	add_list(b, t, &(struct list){ .form = "@", .between = ", ", .with = COLUMN_KEY });
	add(b, ") > (");
	add_list(b, t, &(struct list){ .form = "#", .between = ", ", .with = COLUMN_KEY });
	add(b, ")");
	add_order(b, t);
	(void)cyg_buf_printf(b, NULL, " LIMIT ?%zu", t->n_columns + 1);
}

static void add_update(struct cyg_buf *b, const struct store_table *t, uint64_t set)
{
	assert(set != 0);
	add(b, "UPDATE ");
	add(b, t->name);
	add(b, " SET ");
	add_list(b, t, &(struct list){ .form = "@=#", .between = ", ", .set = set });
	add_where_key(b, t);
}

char *table_sql(const struct store_table *t, enum table_op op, uint64_t set)
{
	cyg_autobuf struct cyg_buf b;

	cyg_buf_init(&b, SQL_MAX);
	switch (op) {
	case TABLE_ADD:
		add_insert(&b, t);
		break;
	case TABLE_PUT:
		add_insert(&b, t);
		add_conflict(&b, t);
		break;
	case TABLE_UPDATE:
		add_update(&b, t, set);
		break;
	case TABLE_REMOVE:
		add(&b, "DELETE FROM ");
		add(&b, t->name);
		add_where_key(&b, t);
		break;
	case TABLE_FIND:
		add_select(&b, t);
		add_where_key(&b, t);
		break;
	case TABLE_READ:
		add_select(&b, t);
		add_order(&b, t);
		break;
	case TABLE_PAGE:
		add_page(&b, t);
		break;
	case TABLE_OPS:
		break;
	}
	return cyg_buf_take(&b, NULL);
}

char *table_select(const struct store_table *t, const char *rest)
{
	cyg_autobuf struct cyg_buf b;

	cyg_buf_init(&b, SQL_MAX);
	add_select(&b, t);
	add(&b, " ");
	add(&b, rest);
	return cyg_buf_take(&b, NULL);
}

uint64_t table_set(const struct store_table *t, const char *columns)
{
	struct cyg_str rest = cyg_str_of(columns), name;
	uint64_t set = 0;

	while (cyg_str_next(&rest, ',', &name)) {
		size_t i = 0;
		while (i < t->n_columns && !cyg_str_eq(name, t->columns[i].name))
			i++;
		assert(i < t->n_columns && (t->columns[i].flags & COLUMN_KEY) == 0);
		set |= UINT64_C(1) << i;
	}
	return set;
}

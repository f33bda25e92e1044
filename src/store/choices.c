/* Table choices: what a person chose on the start form last; the next start begins with it. */
#include "base/mem.h"
#include "store/stmt.h"

void store_choice_put(struct store *st, const char *user, const char *options)
{
	stmt_write(st,
	    "INSERT INTO choices (user, options) VALUES (?,?)"
	    " ON CONFLICT (user) DO UPDATE SET options=excluded.options",
	    "tt", user, options);
}

char *store_choice_find(struct store *st, const char *user)
{
	int code = 0;
	char *ret = NULL;
	sqlite3_stmt *stmt =
	    stmt_bind(st, NULL, "SELECT options FROM choices WHERE user=?", "t", user);
	if (stmt == NULL)
		return NULL;
	while (stmt_row(st, stmt, &code, NULL)) {
		if (ret == NULL)
			ret = cyg_xstrdup(stmt_text(stmt, 0));
	}
	return ret;
}

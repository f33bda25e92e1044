/* Table intents: what the hub set out to do in the world, before it did it, and how that ended. An
 * open row after a crash says that the outside must be asked. */
#include "store/stmt.h"

void store_intent_begin(struct store *st, const char *server_id, const char *kind, int64_t at_us)
{
	stmt_write(st, "INSERT INTO intents (server_id, kind, begun) VALUES (?,?,?)", "tti",
	    server_id, kind, at_us);
}

void store_intent_end(
    struct store *st, const char *server_id, const char *kind, const char *outcome, int64_t at_us)
{
	stmt_write(st,
	    "UPDATE intents SET ended=?, outcome=? WHERE server_id=? AND ended IS NULL"
	    " AND (kind=?4 OR ?4='')",
	    "ittt", at_us, outcome, server_id, kind);
}

int store_intents_read(struct store *st, store_intent_fn fn, void *arg, struct cyg_err *err)
{
	int code = 0;
	sqlite3_stmt *stmt = stmt_bind(st, err,
	    "SELECT seq, server_id, kind, begun FROM intents WHERE ended IS NULL ORDER BY seq", "");
	if (stmt == NULL)
		return -CYG_ESYS;
	while (stmt_row(st, stmt, &code, err)) {
		struct store_intent row = {
			.seq = sqlite3_column_int64(stmt, 0),
			.server_id = stmt_text(stmt, 1),
			.kind = stmt_text(stmt, 2),
			.begun_us = sqlite3_column_int64(stmt, 3),
		};
		fn(arg, &row);
	}
	return code;
}

void store_intents_trim(struct store *st, int64_t before_us)
{
	stmt_write(st, "DELETE FROM intents WHERE ended IS NOT NULL AND ended<?", "i", before_us);
}

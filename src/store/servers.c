/* Table servers: the record of each server that a user has or had, keyed by user and server name.
 */
#include "store/stmt.h"

void store_server_put(struct store *st, const struct store_server *server)
{
	stmt_write(st,
	    "INSERT INTO servers (user, server, id, state, credential, options, isolation, since,"
	    " started, last_activity) VALUES (?,?,?,?,?,?,?,?,?,?)"
	    " ON CONFLICT (user, server) DO UPDATE SET id=excluded.id, state=excluded.state,"
	    " credential=excluded.credential, options=excluded.options,"
	    " isolation=excluded.isolation, since=excluded.since, started=excluded.started,"
	    " last_activity=excluded.last_activity",
	    "tttttttiii", server->user, server->server, server->id, server->state,
	    server->credential, server->options, server->isolation, server->since_us,
	    server->started_us, server->last_activity_us);
}

void store_server_active(struct store *st, const char *id, int64_t at_us)
{
	stmt_write(st, "UPDATE servers SET last_activity=max(last_activity,?) WHERE id=?", "it",
	    at_us, id);
}

int store_servers_read(struct store *st, store_server_fn fn, void *arg, struct cyg_err *err)
{
	int code = 0;
	sqlite3_stmt *stmt = stmt_bind(st, err,
	    "SELECT user, server, id, state, credential, options, isolation, since, started,"
	    " last_activity FROM servers",
	    "");
	if (stmt == NULL)
		return -CYG_ESYS;
	while (stmt_row(st, stmt, &code, err)) {
		struct store_server row = {
			.user = stmt_text(stmt, 0),
			.server = stmt_text(stmt, 1),
			.id = stmt_text(stmt, 2),
			.state = stmt_text(stmt, 3),
			.credential = stmt_text(stmt, 4),
			.options = stmt_text(stmt, 5),
			.isolation = stmt_text(stmt, 6),
			.since_us = sqlite3_column_int64(stmt, 7),
			.started_us = sqlite3_column_int64(stmt, 8),
			.last_activity_us = sqlite3_column_int64(stmt, 9),
		};
		fn(arg, &row);
	}
	return code;
}

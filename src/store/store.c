/* Opening and closing the store. After it: turn.c. */
#include "store/store.h"

#include "base/mem.h"
#include "store/stmt.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* SQLite would make the file with the process's umask; the WAL files inherit the rights. */
static int make_private(const char *path, struct cyg_err *err)
{
	cyg_autoclose int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return cyg_fail_sys(err, errno, "store: cannot open %s", path);
	if (fchmod(fd, 0600) < 0)
		return cyg_fail_sys(err, errno, "store: cannot make %s private", path);
	return 0;
}

int store_open(const char *path, struct store **ret, struct cyg_err *err)
{
	if (make_private(path, err) < 0)
		return -(int)err->code;
	struct store *st = cyg_xcalloc(1, sizeof(*st));
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
	if (sqlite3_open_v2(path, &st->db, flags, NULL) != SQLITE_OK) {
		int code = stmt_fail(st, err, path);
		store_close(st);
		return code;
	}
	/* A lock that another process holds fails the turn, it does not stop the loop. */
	(void)sqlite3_busy_timeout(st->db, 0);
	int code = stmt_exec(st, "PRAGMA journal_mode=WAL", err);
	if (code == 0)
		code = stmt_exec(st, "PRAGMA synchronous=FULL", err);
	if (code == 0)
		code = stmt_exec(st, "PRAGMA trusted_schema=OFF", err);
	if (code == 0)
		code = store_migrate(st, err);
	/* Not before the migrations: they make tables anew, and dropping the old one must not
	 * delete rows elsewhere. */
	if (code == 0)
		code = stmt_exec(st, "PRAGMA foreign_keys=ON", err);
	if (code < 0) {
		store_close(st);
		return code;
	}
	*ret = st;
	return 0;
}

void store_close(struct store *st)
{
	if (st == NULL)
		return;
	turn_free(st);
	for (size_t i = 0; i < st->n_stmts; i++)
		(void)sqlite3_finalize(st->stmts[i].stmt);
	(void)sqlite3_close_v2(st->db);
	free(st);
}

/* Opening the store, and the turn: one transaction for all writes of one turn of the loop, and the
 * queue of effects that leave after it. Before it: stmt.c; the tables are in their own files. */
#include "store/store.h"

#include "base/mem.h"
#include "store/stmt.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum { TURNS_MAX = 1000 }; /* effects that write effects for ever are our mistake */

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
	/* Not before: a migration makes tables anew, and dropping the old one is no delete. */
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
	for (size_t i = 0; i < st->n_stmts; i++)
		(void)sqlite3_finalize(st->stmts[i].stmt);
	(void)sqlite3_close_v2(st->db);
	free(st->effects);
	free(st);
}

static int end_turn(struct store *st, struct cyg_err *err)
{
	if (st->failed) {
		if (st->in_turn)
			(void)sqlite3_exec(st->db, "ROLLBACK", NULL, NULL, NULL);
		st->in_turn = false;
		if (err != NULL)
			*err = st->why;
		return -(int)st->why.code;
	}
	if (!st->in_turn)
		return 0;
	if (stmt_exec(st, "COMMIT", err) < 0)
		return -CYG_ESYS;
	st->in_turn = false;
	return 0;
}

/* Runs those queued by now; what they queue is for the next round. Stops when one of them wrote:
 * that must be on disk before the next effect leaves. */
static void run_effects(struct store *st)
{
	size_t n = st->n_effects, done = 0;

	/* By index, not by pointer: an effect may queue more, or forget later ones. */
	while (done < n && !st->in_turn && !st->failed) {
		struct store_effect effect = st->effects[done++];
		st->effects[done - 1].fn = NULL;
		if (effect.fn != NULL)
			effect.fn(effect.arg);
	}
	st->n_effects -= done;
	memmove(st->effects, st->effects + done, st->n_effects * sizeof(*st->effects));
}

int store_commit(struct store *st, struct cyg_err *err)
{
	for (int turn = 0; turn < TURNS_MAX; turn++) {
		int code = end_turn(st, err);
		if (code < 0)
			return code;
		if (st->n_effects == 0)
			return 0;
		run_effects(st);
	}
	return cyg_fail(err, CYG_ELIMIT, "store: the effects of one turn do not end");
}

void store_after_commit(struct store *st, void (*fn)(void *arg), void *arg)
{
	if (st->n_effects == st->cap_effects) {
		st->cap_effects = st->cap_effects > 0 ? 2 * st->cap_effects : 16;
		st->effects = cyg_xrealloc(st->effects, st->cap_effects * sizeof(*st->effects));
	}
	st->effects[st->n_effects++] = (struct store_effect){ .fn = fn, .arg = arg };
}

void store_forget(struct store *st, const void *arg)
{
	for (size_t i = 0; i < st->n_effects; i++) {
		if (st->effects[i].arg == arg)
			st->effects[i].fn = NULL;
	}
}

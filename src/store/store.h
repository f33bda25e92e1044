/* The hub's state on disk: one SQLite file (WAL, synchronous=FULL, mode 0600). Writes of one turn
 * of the loop are one transaction; effects on the outside are queued and happen only after that
 * transaction is on disk. No secret is stored, only SHA-256 sums of them. The rows are in rows.h;
 * queries of one table are in queries.h. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "cygnet/err.h"
#include "cygnet/limits.h"
#include "store/queries.h"
#include "store/rows.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;
struct store_table;

/* Opens or creates the file and brings its schema to the newest version. A file of a newer Cygnet
 * is refused with -CYG_EPROTO. The lock of the state folder is the caller's matter. */
int store_open(const char *path, struct store **ret, struct cyg_err *err);
/* What was not committed is rolled back on disk; queued effects are dropped. NULL is accepted. */
void store_close(struct store *st);

/* ---- the turn ---- */

/* Ends the turn: commits what was written and runs the effects queued meanwhile, again and again
 * until the effects write nothing more. Does nothing when nothing is to be done.
 *
 * When a turn cannot be written (the disk is full or gone, another process holds the lock), the
 * first failure is returned, and: nothing of that turn is in the file; what store_undo registered
 * has taken memory back, newest first; effects of store_after_commit are dropped, those of
 * store_after_turn are told why. The store goes on: the next turn is a new one. */
int store_commit(struct store *st, struct cyg_err *err);
/* Told after each transaction how long its COMMIT took and whether it is on disk. Once. */
void store_watch(
    struct store *st, void (*on_commit)(void *arg, uint64_t took_ns, bool kept), void *arg);
/* fn(arg) runs once the present turn is on disk (also when it wrote nothing), in order. */
void store_after_commit(struct store *st, void (*fn)(void *arg), void *arg);
/* fn(arg, why) runs once the present turn has ended: why is NULL when it is on disk. */
typedef void (*store_ended_fn)(void *arg, const struct cyg_err *why);
void store_after_turn(struct store *st, store_ended_fn fn, void *arg);
/* Drops the queued effects and undos with this arg: it is about to be freed. */
void store_forget(struct store *st, const void *arg);
/* Turns that wrote something and are on disk. */
uint64_t store_commits(const struct store *st);
/* Whether the present turn has written, or tried to. */
bool store_has_written(const struct store *st);
/* Writes a page that changes nothing, to find out whether writing works: the turn fails when it
 * does not. */
void store_probe(struct store *st);
/* How memory is taken back when the turn fails: fn(arg, true) is called then. Else fn(arg, false),
 * before any effect, so that what was kept can be freed. It must not write. The usual forms are in
 * undo.h. */
void store_undo(struct store *st, void (*fn)(void *arg, bool failed), void *arg);

/* ---- what can be done with every table. A row is the table's struct of rows.h. Writing calls tell
 * no failure: it is kept and makes the turn's store_commit fail. NULL as text is written as "".
 * ---- */

/* A new row; one with the same key is a failure. Returns the id that a table with ids of its own
 * gave it (a row with id 0 asks for one), else a number without meaning; 0 on failure. Ids rise and
 * never come back, also not after a removal. */
int64_t store_add(struct store *st, const struct store_table *table, const void *row);
/* The row of that key becomes this one, or is made. Columns that are kept stay as they are. */
void store_put(struct store *st, const struct store_table *table, const void *row);
/* Columns of the row of that key, named and separated by commas: "admin,groups". No row of that key
 * is no failure. Other fields than these and the key are not looked at. */
void store_update(
    struct store *st, const struct store_table *table, const void *row, const char *columns);
/* Removes the row of that key and the rows that belong to it (rows.h). No such row is no failure.
 */
void store_remove(struct store *st, const struct store_table *table, const void *row);
/* fn is called once with the row of that key, or not at all. */
int store_find(struct store *st, const struct store_table *table, const void *key, store_row_fn fn,
    void *arg, struct cyg_err *err);
/* Every row, in the order of the keys: for the hub's start. */
int store_read(struct store *st, const struct store_table *table, store_row_fn fn, void *arg,
    struct cyg_err *err);
/* Where a page begins and how long it is at most. */
struct store_page {
	const void *after; /* a row whose key is the last one seen; NULL: from the beginning */
	size_t limit;
};
/* The next rows after a key, in the order of the keys. */
int store_read_page(struct store *st, const struct store_table *table,
    const struct store_page *page, store_row_fn fn, void *arg, struct cyg_err *err);

/* ---- for tests ---- */

/* Version of the schema. */
int store_schema_version(void);
/* The statement of that number from 0, freed by the caller; NULL after the last. *may_scan is true
 * when it reads a whole table or index on purpose. */
char *store_statement(size_t i, bool *may_scan);

#endif

/* The queries that concern one table only: statements that do more than one row by its key. */
#ifndef STORE_QUERIES_H
#define STORE_QUERIES_H

#include "cygnet/err.h"
#include "store/rows.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

/* row is the table's struct; its text is valid during the call only. The callback may write. */
typedef void (*store_row_fn)(void *arg, const void *row);

enum { STORE_USUAL_OF = 9, STORE_PAGE_MAX = 1000, STORE_FORMERS_MAX = 100 };

void store_sessions_expire(struct store *st, int64_t now_us);
void store_attempts_expire(struct store *st, int64_t now_us);

void store_intent_begin(struct store *st, const char *server_id, const char *kind, int64_t at_us);
/* Ends the open intents of that kind ("" for every kind) of the server. */
void store_intent_end(
    struct store *st, const char *server_id, const char *kind, const char *outcome, int64_t at_us);
/* Those that have not ended: rows are struct store_intent. */
int store_intents_open(struct store *st, store_row_fn fn, void *arg, struct cyg_err *err);
/* Forgets ended ones older than before_us. */
void store_intents_trim(struct store *st, int64_t before_us);

/* The newest STORE_USUAL_OF times of each stage with each stack are kept. */
void store_stage_add(struct store *st, const char *stack, const char *stage, uint32_t ms);
/* The median of those kept; false when there is none. */
bool store_stage_usual(struct store *st, const char *stack, const char *stage, uint32_t *ms);

/* The last choice of a user; NULL when none. Caller frees. */
char *store_choice_find(struct store *st, const char *user);

/* The newest end that was not dismissed, a struct store_end; fn is called at most once. */
int store_end_find(
    struct store *st, const char *user, store_row_fn fn, void *arg, struct cyg_err *err);
void store_end_dismiss(struct store *st, const char *user);

/* Those who had the name at their end, newest first: rows are struct store_former, at most
 * STORE_FORMERS_MAX. */
int store_formers_of(
    struct store *st, const char *name, store_row_fn fn, void *arg, struct cyg_err *err);

/* The one writer of the audit; the row's id is not looked at. */
void store_audit_add(struct store *st, const struct store_audit *row);
/* Removes rows older than before_us, the oldest first and 500 at most: call it again for more. What
 * is within 30 days of the newest row stays, by the database's own rule. */
void store_audit_trim(struct store *st, int64_t before_us);
/* A page, newest first: rows older than the id before (0: from the newest), at most limit and never
 * more than STORE_PAGE_MAX. */
int store_audit_read(struct store *st, int64_t before, size_t limit, store_row_fn fn, void *arg,
    struct cyg_err *err);

#endif

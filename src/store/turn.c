/* The turn: one transaction for all writes of one turn of the loop, the effects that leave after
 * it, and the way back in memory when it cannot be written. Before it: stmt.c opens the
 * transaction. */
#include "base/clock.h"
#include "base/mem.h"
#include "store/stmt.h"

#include <stdio.h>
#include <string.h>

enum { TURNS_MAX = 1000 }; /* more rounds are our mistake: effects would write effects for ever */

/* A statement that found no row to change has written nothing, so its success does not show that
 * writing works. */
static void note_commit(struct store *st)
{
	int changes = sqlite3_total_changes(st->db);

	if (st->probed || changes != st->changes)
		st->commits++;
	st->changes = changes;
	st->probed = false;
}

static int commit(struct store *st)
{
	uint64_t begun_ns = cyg_clock_mono_ns();
	int code = st->failed ? -(int)st->why.code : 0;

	if (!st->failed && !st->in_turn)
		return 0;
	if (code == 0 && stmt_exec(st, "COMMIT", &st->why) < 0)
		code = -(int)st->why.code;
	if (st->on_commit != NULL)
		st->on_commit(st->on_commit_arg, cyg_clock_mono_ns() - begun_ns, code == 0);
	if (code < 0)
		return code;
	st->in_turn = false;
	note_commit(st);
	return 0;
}

/* Newest first on the way back. What a function registers belongs to the next turn. */
static void end_undos(struct store *st, bool failed)
{
	struct store_undo *undos = CYG_TAKE(st->undos);
	size_t n = st->n_undos;

	st->n_undos = st->cap_undos = 0;
	for (size_t i = 0; i < n; i++) {
		const struct store_undo *u = &undos[failed ? n - 1 - i : i];
		if (u->fn != NULL)
			u->fn(u->arg, failed);
	}
	free(undos);
}

static void fail_effects(struct store *st, uint64_t turn)
{
	for (size_t i = 0; i < st->n_effects; i++) {
		if (st->effects[i].turn != turn)
			continue;
		st->effects[i].fn = NULL;
		st->effects[i].failed = true;
	}
}

static int end_turn(struct store *st, struct cyg_err *err)
{
	uint64_t turn = st->turn++;
	int code = commit(st);

	if (code < 0) {
		if (st->in_turn)
			(void)sqlite3_exec(st->db, "ROLLBACK", NULL, NULL, NULL);
		st->in_turn = st->failed = st->probed = false;
		st->changes = sqlite3_total_changes(st->db);
		if (err != NULL)
			*err = st->why;
		fail_effects(st, turn);
	}
	end_undos(st, code < 0);
	return code;
}

/* Runs those queued by now; what they queue is for the next round. Stops when one of them wrote:
 * that must be on disk before the next effect leaves. */
static void run_effects(struct store *st)
{
	size_t n = st->n_effects, done = 0;

	/* By index, not by pointer: an effect may queue more, or forget later ones. */
	while (done < n && !store_has_written(st)) {
		struct store_effect effect = st->effects[done++];
		st->effects[done - 1].fn = NULL;
		st->effects[done - 1].ended = NULL;
		if (effect.fn != NULL)
			effect.fn(effect.arg);
		if (effect.ended != NULL)
			effect.ended(effect.arg, effect.failed ? &st->why : NULL);
	}
	st->n_effects -= done;
	memmove(st->effects, st->effects + done, st->n_effects * sizeof(*st->effects));
}

int store_commit(struct store *st, struct cyg_err *err)
{
	int ret = 0;

	for (int turn = 0; turn < TURNS_MAX; turn++) {
		int code = end_turn(st, ret == 0 ? err : NULL);
		ret = ret == 0 ? code : ret;
		if (st->n_effects == 0)
			return ret;
		run_effects(st);
	}
	return cyg_fail(err, CYG_ELIMIT, "store: the effects of one turn do not end");
}

void store_watch(
    struct store *st, void (*on_commit)(void *arg, uint64_t took_ns, bool kept), void *arg)
{
	st->on_commit = on_commit;
	st->on_commit_arg = arg;
}

bool store_has_written(const struct store *st)
{
	return st->in_turn || st->failed;
}

uint64_t store_commits(const struct store *st)
{
	return st->commits;
}

void store_probe(struct store *st)
{
	struct cyg_err err;
	char sql[64];

	(void)snprintf(sql, sizeof(sql), "PRAGMA user_version=%d", store_schema_version());
	if (!stmt_may_write(st))
		return;
	st->probed = true;
	if (stmt_exec(st, sql, &err) < 0)
		stmt_remember(st, &err);
}

/* ---- what is registered ---- */

static void add_effect(struct store *st, struct store_effect effect)
{
	if (st->n_effects == st->cap_effects) {
		st->cap_effects = st->cap_effects > 0 ? 2 * st->cap_effects : 16;
		st->effects = cyg_xrealloc(st->effects, st->cap_effects * sizeof(*st->effects));
	}
	effect.turn = st->turn;
	st->effects[st->n_effects++] = effect;
}

void store_after_commit(struct store *st, void (*fn)(void *arg), void *arg)
{
	add_effect(st, (struct store_effect){ .fn = fn, .arg = arg });
}

void store_after_turn(struct store *st, store_ended_fn fn, void *arg)
{
	add_effect(st, (struct store_effect){ .ended = fn, .arg = arg });
}

void store_undo(struct store *st, void (*fn)(void *arg, bool failed), void *arg)
{
	if (st->n_undos == st->cap_undos) {
		st->cap_undos = st->cap_undos > 0 ? 2 * st->cap_undos : 16;
		st->undos = cyg_xrealloc(st->undos, st->cap_undos * sizeof(*st->undos));
	}
	st->undos[st->n_undos++] = (struct store_undo){ .fn = fn, .arg = arg };
}

void store_forget(struct store *st, const void *arg)
{
	for (size_t i = 0; i < st->n_effects; i++) {
		if (st->effects[i].arg != arg)
			continue;
		st->effects[i].fn = NULL;
		st->effects[i].ended = NULL;
	}
	for (size_t i = 0; i < st->n_undos; i++) {
		if (st->undos[i].arg == arg)
			st->undos[i].fn = NULL;
	}
}

void turn_free(struct store *st)
{
	end_undos(st, false);
	free(st->undos);
	free(st->effects);
}

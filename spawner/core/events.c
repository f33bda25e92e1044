/* The events of engines: each changes the state of a server and becomes a message to the hubs. */
#include "base/mem.h"
#include "base/str.h"
#include "daemon/log.h"
#include "spawner/core/spawner.h"

#include <stdio.h>
#include <string.h>

static void count_stage(
    struct spawn_counts *counts, const char *name, enum spawn_stage_state state, uint32_t ms)
{
	static const char *const names[SPAWN_STAGES_MAX] = { SPAWN_STAGES_SPAWNER,
		SPAWN_STAGES_INIT };

	for (size_t i = 0; i < SPAWN_STAGES_MAX && state != SPAWN_STAGE_BEGUN; i++) {
		if (strcmp(names[i], name) != 0)
			continue;
		counts->stages_ms[i] += ms;
		if (state == SPAWN_STAGE_DONE)
			counts->stages_done[i]++;
		else
			counts->stages_failed[i]++;
	}
}

/* Counts a server that ended before its agent ran, unless a hub had asked for that. */
static void count_failure(struct spawn_counts *counts, uint32_t cause)
{
	static const enum spawn_failure failures[] = {
		[SPAWN_GONE_SETUP] = SPAWN_FAILURE_SETUP, [SPAWN_GONE_MEMORY] = SPAWN_FAILURE_MEMORY
	};
	enum spawn_failure failure = cause < CYG_N(failures) ? failures[cause] : 0;

	counts->failures[failure != 0 ? failure : SPAWN_FAILURE_ENDED]++;
}

static void on_stage(
    void *arg, const char *id, const char *name, enum spawn_stage_state state, uint32_t ms)
{
	struct spawner *sp = arg;
	struct server *s = server_find(sp, id);
	struct spawn_stage m = { .state = state, .ms = ms };

	if (s == NULL)
		return;
	count_stage(&sp->counts, name, state, ms);
	(void)cyg_str_copy(m.server_id, sizeof(m.server_id), cyg_str_of(id));
	(void)cyg_str_copy(m.name, sizeof(m.name), cyg_str_of(name));
	hubs_tell(sp, &m.head, SPAWN_STAGE, sizeof(m));
	if (s->state == SERVER_READY && state == SPAWN_STAGE_DONE && strcmp(name, "agent") == 0)
		server_move(s, SERVER_RUNS);
}

static void on_ready(void *arg, const char *id, const struct spawn_address *address)
{
	struct spawner *sp = arg;
	struct server *s = server_find(sp, id);

	if (s == NULL || s->answered)
		return;
	s->answered = true;
	s->address = *address;
	if (s->state != SERVER_STOPPING)
		server_move(s, SERVER_READY);
	hub_reply(hub_find(sp, s->hub_serial), s->request_id, NULL, address);
}

static void on_tail(void *arg, struct spawn_tail *tail)
{
	hubs_tell(arg, &tail->head, SPAWN_TAIL, sizeof(*tail));
}

void event_not_started(struct server *s, const struct cyg_err *err, struct spawn_gone *gone)
{
	struct spawner *sp = s->spawner;
	struct hub *hub = hub_find(sp, s->hub_serial);
	bool known = hub != NULL && s->state != SERVER_STOPPING;

	cyg_log_warn(s->id, "start for '%s' failed: %s", s->user, err->msg);
	hub_reply(hub, s->request_id, err, NULL);
	/* The answer is not enough: the hub that asked has gone, or has asked for the end since and
	 * waits for GONE. */
	if (!known) {
		(void)snprintf(gone->message, sizeof(gone->message), "%.255s", err->msg);
		hubs_tell_gone(sp, gone);
	}
	server_free(s);
}

static void on_gone(void *arg, struct spawn_gone *gone)
{
	struct spawner *sp = arg;
	struct server *s = server_find(sp, gone->server_id);
	struct cyg_err err;

	if (s == NULL)
		return;
	if (s->state < SERVER_RUNS)
		count_failure(&sp->counts, gone->cause);
	if (!s->answered) {
		(void)cyg_fail(&err, gone->cause == SPAWN_GONE_STOPPED ? CYG_EBUSY : CYG_ESYS, "%s",
		    gone->message);
		event_not_started(s, &err, gone);
		return;
	}
	cyg_log_info(s->id, "gone: %s", gone->message);
	hubs_tell_gone(sp, gone);
	server_free(s);
}

const struct engine_events spawner_events = { on_stage, on_ready, on_tail, on_gone };

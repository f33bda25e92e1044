/* Applies what a spawner reports to the hub's server records. After each connect the hub asks for
 * the spawner's list of servers: a server with a record is adopted, one without is stopped, and a
 * record without a server is cleaned up. Until then records keep the states of the store, and
 * nothing is started. Stages, script output and ends that the spawner reports later are applied
 * here too. */
#include "hub/server/reconcile.h"

#include "base/clock.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "hub/server/srv_priv.h"

#include <stdio.h>
#include <string.h>

enum { LIST_MS = 30 * 1000 };

struct listing {
	struct cyg_link link;
	struct spawner *spawner;
	unsigned epoch;
	struct cyg_hash *states; /* id → its own spawn_item */
};

/* ---- the list ---- */

static void on_item(void *arg, const struct spawn_item *item)
{
	struct listing *l = arg;
	struct spawn_item *copy = cyg_xcalloc(1, sizeof(*copy));

	*copy = *item;
	free(cyg_hash_set(l->states, cyg_str_of(copy->server_id), copy));
}

/* A server without a record is stopped; its run folder is removed with it. */
static void remove_unknown(const struct spawner *s, const struct spawn_item *item)
{
	const struct srvs *srvs = s->owner;
	struct spawn_stop m = { 0 };
	struct spawner_call call = { 0 };

	cyg_log_warn(
	    "spawner", "%s of %s is in no record: it is stopped", item->server_id, item->user);
	(void)cyg_str_copy(m.server_id, sizeof(m.server_id), cyg_str_of(item->server_id));
	m.grace_ms = (uint32_t)srvs->opts.stop_grace_ms;
	(void)spawner_link_call(s->link, SPAWN_STOP, &m, sizeof(m), &call);
}

static void adopt(struct srv *srv, struct spawner *spawner, const struct spawn_item *item)
{
	struct cyg_err err;

	srv->spawner = spawner;
	if (srv_set_address(srv, &item->address, &err) < 0)
		cyg_log_warn(srv->object, "%s", err.msg);
	if (srv->routed)
		srv_open_route(srv); /* after a restart of the hub: now its address is known */
	cyg_log_info(srv->object, "%s: found again (%s)", srv->id, srv_state_name(srv->state));
	if (srv->state == SRV_STARTING)
		srv_spawned(srv);
	else if (srv->state == SRV_WAITING && srv->call == NULL && !srv->routed) {
		srv_ask(srv);
		srv_answer_due(srv);
	} else if (srv->state == SRV_STOPPING)
		srv_send_stop(srv);
}

static void missing(struct srv *srv)
{
	srv->gone = true;
	if (srv->state == SRV_STOPPING)
		srv_gone(srv);
	else if (srv->state == SRV_RUNNING)
		srv_cleanup(srv, "unknown",
		    "The server ended while the hub could not see it; the cause is unknown.");
	else
		srv_start_fail(srv, "start_failed",
		    "The start was interrupted by a restart of the service. Please start again.");
}

static bool is_outside(const struct srv *srv)
{
	return srv->state != SRV_STOPPED && srv->state != SRV_QUEUED;
}

/* Whether a server that is not in this spawner's list is nowhere. The spawner it is with must know
 * it; when that is not known (after a restart of the hub, and its template is gone), the lists of
 * all spawners must have come. */
static bool is_missing(const struct srv *srv, struct spawner *s)
{
	const struct spawner *at = srv_spawner(srv);

	return at != NULL ? at == s : spawners_all_known(srv->srvs->spawners, s);
}

static void compare(struct listing *l)
{
	struct srvs *srvs = l->spawner->owner;
	const struct srv *found = NULL;
	size_t pos = 0;
	struct cyg_str id;
	void *item;

	while (srvs_next(srvs, &pos, &found)) {
		struct srv *srv = srvs_find_id(srvs, found->id);
		/* Its SPAWN was sent on this connection, perhaps after the list was made. */
		if (srv != found || !is_outside(srv) ||
		    (srv->spawner == l->spawner && srv->spawn_epoch == l->epoch))
			continue;
		item = cyg_hash_find(l->states, cyg_str_of(srv->id));
		if (item != NULL)
			adopt(srv, l->spawner, item);
		else if (is_missing(srv, l->spawner))
			missing(srv);
	}
	pos = 0;
	while (cyg_hash_next(l->states, &pos, &id, &item)) {
		const struct spawn_item *it = item;
		struct srv *srv = srvs_find_id(srvs, it->server_id);
		if (srv == NULL || !is_outside(srv))
			remove_unknown(l->spawner, it);
	}
}

/* Ends an intent whose server is not outside any more: the hub crashed between the effect and the
 * row that ends the intent. */
static void on_open_intent(void *arg, const void *found)
{
	const struct store_intent *row = found;
	struct srvs *srvs = arg;
	const struct srv *srv = srvs_find_id(srvs, row->server_id);

	if (srv == NULL || !is_outside(srv))
		store_intent_end(
		    srvs->opts.store, row->server_id, row->kind, "found over", cyg_clock_wall_us());
}

void reconcile_intents(struct srvs *srvs)
{
	(void)store_intents_open(srvs->opts.store, on_open_intent, srvs, NULL);
}

static void listing_free(struct listing *l)
{
	struct srvs *srvs = l->spawner->owner;

	cyg_list_remove(&srvs->listings, &l->link);
	cyg_hash_free(l->states, free);
	free(l);
}

void reconcile_close(struct srvs *srvs)
{
	cyg_list_each_safe (it, &srvs->listings)
		listing_free(CYG_CONTAINER_OF(it, struct listing, link));
}

static void on_listed(void *arg, uint32_t number, const struct cyg_err *why)
{
	struct listing *l = arg;
	struct spawner *s = l->spawner;
	struct srvs *srvs = s->owner;

	(void)number;
	if (why == NULL && l->epoch == spawner_link_epoch(s->link)) {
		compare(l);
		reconcile_intents(srvs);
		s->known = true; /* only now: a start that is admitted must not be compared */
		srvs_admit_later(srvs);
	} else if (why != NULL) {
		cyg_log_warn("spawner", "its list did not come: %s", why->msg);
		/* Nothing may be started without the list, so it is asked for again over a new
		 * connection. */
		spawner_link_distrust(s->link, why);
	}
	listing_free(l);
}

static void on_up(void *arg, const struct spawn_hello *hello)
{
	struct spawner *s = arg;
	struct spawn_head m = { 0 };
	struct srvs *srvs = s->owner;
	struct listing *l = cyg_xcalloc(1, sizeof(*l));
	struct spawner_call call = {
		.on_item = on_item, .on_reply = on_listed, .arg = l, .timeout_ms = LIST_MS
	};

	(void)hello;
	s->known = false;
	l->spawner = s;
	l->epoch = spawner_link_epoch(s->link);
	l->states = cyg_hash_new();
	cyg_list_add(&srvs->listings, &l->link);
	if (spawner_link_call(s->link, SPAWN_LIST, &m, sizeof(m), &call) == 0)
		listing_free(l);
}

static void on_down(void *arg, const struct cyg_err *why)
{
	struct spawner *s = arg;

	(void)why;
	s->known = false;
}

/* ---- stages of a start ---- */

static void on_stage(void *arg, const struct spawn_stage *m)
{
	struct srv *srv = srvs_find_id(((const struct spawner *)arg)->owner, m->server_id);

	if (srv == NULL || (srv->state != SRV_STARTING && srv->state != SRV_WAITING))
		return;
	struct stage *st = stages_find(&srv->stages, m->name);
	/* A stage ends once: a container that reports it again must not change the usual times. (A
	 * stage that was done may still be reported as failed.) */
	if (st == NULL || st->state == STAGE_FAILED ||
	    (st->state == STAGE_DONE && m->state != SPAWN_STAGE_FAILED))
		return;
	if (m->state == SPAWN_STAGE_BEGUN)
		stage_begin(st, cyg_clock_mono_ms());
	else
		stage_end(st, m->state == SPAWN_STAGE_DONE ? STAGE_DONE : STAGE_FAILED, m->ms);
	srv_progress_stage(srv, st);
	srv_answer_due(srv);
	if (strcmp(st->name, "user-script") == 0)
		srv_give_place_back(srv);
}

static void on_tail(void *arg, const struct spawn_tail *m)
{
	struct srv *srv = srvs_find_id(((const struct spawner *)arg)->owner, m->server_id);

	if (srv == NULL)
		return;
	free(srv->tail);
	srv->tail =
	    cyg_xstrndup(m->text, m->length < sizeof(m->text) ? m->length : sizeof(m->text));
	for (size_t i = 0; i < srv->stages.n; i++) {
		if (srv->stages.list[i].state == STAGE_FAILED)
			srv_progress_stage(srv, &srv->stages.list[i]);
	}
}

/* ---- the end of a container ---- */

static void memory_message(const struct spawn_gone *m, char *out, size_t size)
{
	const double gib = 1024.0 * 1024.0 * 1024.0;

	if (m->memory_limit == 0)
		(void)snprintf(out, size, "Out of memory.");
	else
		(void)snprintf(out, size, "Out of memory: %.1f of %.1f GB were used.",
		    (double)m->memory_peak / gib, (double)m->memory_limit / gib);
}

static const char *gone_cause(const struct spawn_gone *m, bool starting)
{
	switch ((enum spawn_cause)m->cause) {
	case SPAWN_GONE_MEMORY:
		return "oom";
	case SPAWN_GONE_SETUP:
		return "start_failed";
	case SPAWN_GONE_EXITED:
		return starting ? "start_failed" : "exit";
	case SPAWN_GONE_SIGNALLED:
		return starting ? "start_failed" : "signal";
	case SPAWN_GONE_STOPPED:
		return starting ? "start_failed" : "stopped";
	case SPAWN_GONE_UNKNOWN:
		break;
	}
	return starting ? "start_failed" : "unknown";
}

static void on_gone(void *arg, const struct spawn_gone *m)
{
	struct srv *srv = srvs_find_id(((const struct spawner *)arg)->owner, m->server_id);
	char message[320];

	if (srv == NULL || !is_outside(srv))
		return;
	cyg_log_info(srv->object, "%s: gone: %s", srv->id, m->message);
	if (srv->state == SRV_STOPPING) {
		srv_gone(srv);
		return;
	}
	bool starting = srv->state != SRV_RUNNING;
	if (m->cause == SPAWN_GONE_MEMORY)
		memory_message(m, message, sizeof(message));
	else
		(void)snprintf(message, sizeof(message), "%s",
		    m->message[0] != '\0' ? m->message : "The server ended; the cause is unknown.");
	srv->gone = true;
	if (starting)
		srv_start_fail(srv, gone_cause(m, true), message);
	else
		srv_cleanup(srv, gone_cause(m, false), message);
}

const struct spawner_events reconcile_events = { on_up, on_down, on_stage, on_tail, on_gone };

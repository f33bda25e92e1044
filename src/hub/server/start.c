/* A start, in order: queue → place → intent row → SPAWN → REPLY → first response → route in force →
 * running. Every failure after SPAWN goes through srv_cleanup (stop.c). */
#include "base/clock.h"
#include "base/enc.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "http/client.h"
#include "hub/access/people.h"
#include "hub/base/hub_metrics.h"
#include "hub/server/srv_priv.h"

#include <stdio.h>
#include <string.h>

enum { ASK_AGAIN_MS = 200, RESPONSE_MAX = 64 * 1024 };

/* These two of the hub's stages have the spawner's and init's inside them. */
static bool is_outer(const struct stage *st)
{
	return strcmp(st->name, "spawn") == 0 || strcmp(st->name, "answer") == 0;
}

/* A hub that found the start again has seen the end of an outer stage alone: that is no time. */
static void stage_done(struct srv *srv, const char *name, uint64_t ms)
{
	struct stage *st = stages_find(&srv->stages, name);

	stage_end(st, STAGE_DONE, (uint32_t)ms);
	if (st == NULL)
		return;
	st->whole = !srv->found_again || !is_outer(st);
	if (st->whole)
		hub_metrics_stage(srv->srvs->opts.metrics, name, ms);
	srv_progress_stage(srv, st);
}

static void stage_now(struct srv *srv, const char *name)
{
	struct stage *st = stages_find(&srv->stages, name);

	if (st == NULL)
		return;
	stage_begin(st, cyg_clock_mono_ms());
	srv_progress_stage(srv, st);
}

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* ---- 1: into the queue ---- */

static void plan(struct srv *srv, const struct choice *c)
{
	struct srvs *srvs = srv->srvs;

	srv->choice = *c;
	choice_line(c, srvs->opts.profiles, srv->line);
	stages_plan(&srv->stages, c, srvs->opts.profiles);
	for (size_t i = 0; i < srv->stages.n; i++) {
		struct stage *st = &srv->stages.list[i];
		if (!store_stage_usual(srvs->opts.store, c->stack, st->name, &st->usual_ms))
			st->usual_ms = 0;
	}
}

static void forget_last_life(struct srv *srv)
{
	free(CYG_TAKE(srv->tail));
	free(CYG_TAKE(srv->failure));
	srv->gone = srv->unrouted = srv->by_person = srv->found_again = false;
	srv->cause[0] = srv->end_message[0] = srv->credential_sum[0] = '\0';
	srv->spawn_number = srv->stop_number = 0;
	srv->spawn_epoch = 0;
	srv->spawner = NULL;
	srv->socket[0] = '\0';
}

static void remember_choice(struct srv *srv)
{
	json_t *options = choice_json(&srv->choice);
	cyg_autofree char *text = json_dumps(options, JSON_COMPACT);

	json_decref(options);
	store_put(srv->srvs->opts.store, &store_choices,
	    &(struct store_choice){ .user = srv->user, .options = text });
}

/* The first whose request can be sent: a start whose spawner is away waits, and those behind it do
 * not wait for it. */
static struct srv *first_startable(struct srvs *srvs)
{
	cyg_list_each (it, srvs_in(srvs, SRV_QUEUED)) {
		struct srv *srv = CYG_CONTAINER_OF(it, struct srv, link);

		if (srv_can_leave(srv))
			return srv;
	}
	return NULL;
}

/* Starts for which there is a place leave the queue at the end of this turn. */
static bool is_full(struct srvs *srvs)
{
	const size_t taken = srvs_places_taken(srvs), places = srvs->opts.start_concurrency;
	const size_t leaving = taken < places && first_startable(srvs) != NULL ? places - taken : 0;

	return srvs_in(srvs, SRV_QUEUED)->n >= srvs->opts.queue_max + leaving;
}

int srv_start(
    struct srv *srv, const struct choice *c, const struct audit_actor *by, struct cyg_err *err)
{
	struct srvs *srvs = srv->srvs;
	char id[CYG_SERVER_ID_LEN + 1];

	if (is_full(srvs))
		return cyg_fail(err, CYG_ELIMIT,
		    "Too many servers are starting. Please try again in a minute.");
	srv_remember(srv);
	cyg_random_hex(id, CYG_SERVER_ID_LEN / 2);
	srv_set_id(srv, id);
	forget_last_life(srv);
	plan(srv, c);
	remember_choice(srv);
	store_end_dismiss(srvs->opts.store, srv->user);
	srv->asked_ms = cyg_clock_mono_ms();
	srv->started_us = srv->last_activity_us = cyg_clock_wall_us();
	stage_begin(stages_find(&srv->stages, "queue"), srv->asked_ms);
	srv->by = by;
	srv_move(srv, SRV_QUEUED, srv->line);
	srv->by = NULL;
	return 0;
}

size_t srv_queue_position(const struct srv *srv)
{
	size_t position = 0;

	if (srv->state != SRV_QUEUED)
		return 0;
	cyg_list_each (it, srvs_in(srv->srvs, SRV_QUEUED)) {
		position++;
		if (it == &srv->link)
			break;
	}
	return position;
}

/* ---- 2: a place is free ---- */

static void on_known(void *arg, uint32_t ticket, const struct cyg_err *why);

static void admit(struct srv *srv)
{
	struct srvs *srvs = srv->srvs;
	const struct profile *f = srv_profile(srv);
	uint64_t now_ms = cyg_clock_mono_ms();

	if (f == NULL) { /* queued before a restart that changed the configuration */
		srv_start_fail(srv, "start_failed",
		    "What was chosen is no longer offered. Please choose again.");
		return;
	}
	srv_remember(srv);
	srv_open_credential(srv);
	srv->start_deadline_ms = now_ms + f->start_timeout_ms;
	store_intent_begin(srvs->opts.store, srv->id, "spawn", cyg_clock_wall_us());
	srv_move(srv, SRV_STARTING, "a place is free");
	stage_done(srv, "queue", less(now_ms, srv->asked_ms));
	stage_now(srv, "spawn");
	/* The inner listener must know the credential before the container can use it; and changes
	 * of the table are sent after the commit. */
	srv->push_ticket = proxy_link_push(srvs->opts.proxy, on_known, srv);
}

void srvs_admit_later(struct srvs *srvs)
{
	srvs->admission_is_due = true;
}

bool srvs_admission_is_due(const struct srvs *srvs)
{
	return srvs->admission_is_due && srvs->spawners != NULL;
}

void srvs_admit(struct srvs *srvs)
{
	struct srv *srv;
	bool any = false;

	if (!srvs_admission_is_due(srvs))
		return;
	srvs->admission_is_due = false;
	while (srvs_places_taken(srvs) < srvs->opts.start_concurrency &&
	       (srv = first_startable(srvs)) != NULL) {
		admit(srv);
		any = true;
	}
	if (any && srvs_in(srvs, SRV_QUEUED)->n > 0)
		srvs_progress_queue(srvs);
}

/* ---- 3: the row is on disk, the proxies know the credential: SPAWN may be sent ---- */

static void fill_spawn(const struct srv *srv, const struct person *user, struct spawn_spawn *m)
{
	const struct choice *c = &srv->choice;
	const struct profile *f = srv_profile(srv);

	(void)cyg_str_copy(m->server_id, sizeof(m->server_id), cyg_str_of(srv->id));
	m->user_id = (uint64_t)user->id;
	m->user_made_us = (uint64_t)user->created_us;
	(void)cyg_str_copy(m->user, sizeof(m->user), cyg_str_of(srv->user));
	(void)cyg_str_copy(m->name_before, sizeof(m->name_before), cyg_str_of(user->name_before));
	(void)cyg_str_copy(m->server, sizeof(m->server), cyg_str_of(srv->name));
	(void)cyg_str_copy(
	    m->template_, sizeof(m->template_), cyg_str_of(f != NULL ? f->template_ : ""));
	(void)cyg_str_copy(m->stack, sizeof(m->stack), cyg_str_of(c->stack));
	(void)cyg_str_copy(m->base_url, sizeof(m->base_url), cyg_str_of(srv->base_url));
	(void)cyg_str_copy(m->credential, sizeof(m->credential), cyg_str_of(srv->credential));
	(void)cyg_str_copy(m->user_script, sizeof(m->user_script), cyg_str_of(c->user_script));
	(void)cyg_str_copy(m->cluster, sizeof(m->cluster), cyg_str_of(c->cluster));
	m->memory_bytes = (uint64_t)c->memory_mb << 20;
	m->cpu_milli = c->cores * 1000;
	m->home_packages = c->home_packages ? 1 : 0;
}

static void on_spawn_address(void *arg, const struct spawn_address *address);
static void on_spawn_reply(void *arg, uint32_t number, const struct cyg_err *why);

static void send_spawn(struct srv *srv)
{
	struct srvs *srvs = srv->srvs;
	struct spawn_spawn m = { 0 };
	struct spawner_call call = {
		.on_address = on_spawn_address, .on_reply = on_spawn_reply, .arg = srv
	};
	const struct person *user = people_find(srvs->opts.access, cyg_str_of(srv->user));

	if (user == NULL) {
		srv->gone = true; /* it was never sent */
		srv_start_fail(srv, "start_failed", "There is no account of that name any more.");
		return;
	}
	fill_spawn(srv, user, &m);
	srv->spawn_ms = cyg_clock_mono_ms();
	srv->spawner = srv_spawner(srv);
	if (srv->spawner != NULL) {
		srv->spawn_number =
		    spawner_link_call(srv->spawner->link, SPAWN_SPAWN, &m, sizeof(m), &call);
		srv->spawn_epoch = spawner_link_epoch(srv->spawner->link);
	}
	cyg_cleanse(&m, sizeof(m));
	cyg_cleanse(srv->credential, sizeof(srv->credential));
	if (srv->spawn_number != 0)
		return;
	srv->gone = true; /* it was never sent */
	srv_start_fail(srv, "start_failed",
	    srv->spawner == NULL
		? "No spawner has the template of this profile. Please tell the administrator."
		: "The spawner cannot be reached. Please try again in a moment.");
}

static void on_known(void *arg, uint32_t ticket, const struct cyg_err *why)
{
	struct srv *srv = arg;

	if (srv->push_ticket != ticket || srv->state != SRV_STARTING)
		return;
	srv->push_ticket = 0;
	if (why == NULL) {
		send_spawn(srv);
		return;
	}
	srv->gone = true; /* it was never sent */
	srv_start_fail(srv, "start_failed", why->msg);
}

/* ---- 4: the spawner has replied ---- */

static void on_spawn_address(void *arg, const struct spawn_address *address)
{
	struct srv *srv = arg;
	struct cyg_err err;

	if (srv->state == SRV_STARTING && srv_set_address(srv, address, &err) < 0)
		srv_start_fail(srv, "start_failed", err.msg);
}

static void on_spawn_reply(void *arg, uint32_t number, const struct cyg_err *why)
{
	struct srv *srv = arg;

	if (srv->spawn_number != number || srv->state != SRV_STARTING)
		return;
	srv->spawn_number = 0;
	if (why == NULL) {
		srv_spawned(srv);
		return;
	}
	if (why->code == CYG_EBUSY)
		return; /* the connection ended: the next one's list shows if it runs */
	srv->gone = true;
	srv_start_fail(srv, "start_failed", why->msg);
}

void srv_spawned(struct srv *srv)
{
	struct srvs *srvs = srv->srvs;
	const struct spawner *spawner = srv_spawner(srv);
	const struct spawn_hello *hello =
	    spawner != NULL ? spawner_link_hello(spawner->link) : NULL;

	srv->reply_ms = cyg_clock_mono_ms();
	store_intent_end(srvs->opts.store, srv->id, "spawn", "done", cyg_clock_wall_us());
	(void)cyg_str_copy(
	    srv->isolation, sizeof(srv->isolation), cyg_str_of(spawner_isolation_name(hello)));
	stage_done(srv, "spawn",
	    less(less(srv->reply_ms, srv->spawn_ms), stages_sum(&srv->stages, false)));
	srv_move(srv, SRV_WAITING, "its socket listens");
	srv_answer_due(srv);
	srv_ask(srv);
}

static bool is_in(struct srv *srv, const char *stage, enum stage_state state)
{
	const struct stage *st = stages_find(&srv->stages, stage);

	return st != NULL && st->state == state;
}

/* The request waits in the backlog while init's own stages run, and those are shown meanwhile. For
 * a start that was found after a restart no stage is known, so the first response is shown. */
void srv_answer_due(struct srv *srv)
{
	if (srv->state == SRV_WAITING && is_in(srv, "answer", STAGE_WAITING) &&
	    (is_in(srv, "agent", STAGE_DONE) || is_in(srv, "container", STAGE_WAITING)))
		stage_now(srv, "answer");
}

/* ---- 5: one request that waits in the backlog of the server's socket ---- */

static void on_response(void *arg, const struct http_result *result);

void srv_ask(struct srv *srv)
{
	cyg_autofree char *path = srv_socket(srv);
	cyg_autofree char *target = cyg_xasprintf("%sapi", srv->base_url);
	uint64_t now_ms = cyg_clock_mono_ms();
	struct http_call_spec spec = {
		.socket_path = path,
		.method = "GET",
		.target = target,
		.host = "localhost",
		.timeout_ms = srv->start_deadline_ms > now_ms ? srv->start_deadline_ms - now_ms : 1,
		.body_max = RESPONSE_MAX,
	};

	http_call_cancel(srv->call);
	srv->call = http_call_start(srv->srvs->opts.uv, &spec, on_response, srv);
}

static void on_ask_again(uv_timer_t *timer)
{
	struct srv *srv = timer->data;

	if (cyg_clock_mono_ms() >= srv->start_deadline_ms) {
		srv_start_fail(srv, "start_failed",
		    "The server did not answer in the time that its profile allows.");
		return;
	}
	srv_ask(srv);
}

static void on_routed(void *arg, uint32_t ticket, const struct cyg_err *why);

/* Any response below 500 will do: without a credential stock Jupyter responds 403. After a cut
 * connection or a 5xx init starts the server again; the deadline ends it. */
static void on_response(void *arg, const struct http_result *result)
{
	struct srv *srv = arg;

	srv->call = NULL;
	if (srv->state != SRV_WAITING)
		return;
	if (result->status == 0 || result->status >= 500) {
		cyg_log_debug(srv->object, "%s: no response yet: %s", srv->id, result->err.msg);
		/* the state's timer is used for this too; on_ask_again checks the deadline */
		(void)uv_timer_start(&srv->timer, on_ask_again, ASK_AGAIN_MS, 0);
		return;
	}
	srv->route_ms = cyg_clock_mono_ms();
	stage_done(srv, "answer",
	    less(less(srv->route_ms, srv->reply_ms), stages_sum(&srv->stages, true)));
	stage_now(srv, "route");
	srv_open_route(srv);
	srv->push_ticket = proxy_link_push(srv->srvs->opts.proxy, on_routed, srv);
}

/* ---- 6: the route is in force ---- */

static void on_routed(void *arg, uint32_t ticket, const struct cyg_err *why)
{
	struct srv *srv = arg;
	uint64_t now_ms = cyg_clock_mono_ms();
	char took[48];

	if (srv->push_ticket != ticket || srv->state != SRV_WAITING)
		return;
	srv->push_ticket = 0;
	metrics_observe(srv->srvs->opts.metrics, HUB_PROXY_ADD_SECONDS,
	    METRIC_AT(why == NULL ? HUB_SUCCESS : HUB_FAILURE), hub_metrics_since(srv->route_ms));
	if (why != NULL) {
		srv_start_fail(srv, "start_failed", why->msg);
		return;
	}
	stage_done(srv, "route", less(now_ms, srv->route_ms));
	(void)snprintf(took, sizeof(took), "started in %llu ms",
	    (unsigned long long)less(now_ms, srv->asked_ms));
	srv_move(srv, SRV_RUNNING, took);
}

/* ---- failing, from any step ---- */

/* The stage that failed: the one that its owner reported as failed, else the innermost that runs
 * (init's and the spawner's run inside the hub's). */
static struct stage *blamed_stage(struct srv *srv)
{
	struct stage *found = NULL;

	for (size_t i = 0; i < srv->stages.n; i++) {
		struct stage *st = &srv->stages.list[i];
		if (st->state == STAGE_FAILED)
			return st;
		if (st->state == STAGE_RUNNING && (found == NULL || !is_outer(st)))
			found = st;
	}
	return found;
}

static void fail_stage(struct srv *srv, const struct stage *blamed)
{
	for (size_t i = 0; i < srv->stages.n; i++) {
		struct stage *st = &srv->stages.list[i];
		if (st->state != STAGE_RUNNING)
			continue;
		if (st == blamed)
			stage_end(
			    st, STAGE_FAILED, (uint32_t)less(cyg_clock_mono_ms(), st->begun_ms));
		else
			st->state = STAGE_WAITING; /* it will not be reached any more */
		srv_progress_stage(srv, st);
	}
}

void srv_start_fail(struct srv *srv, const char *cause, const char *message)
{
	const struct stage *blamed = blamed_stage(srv);
	char text[CYG_ERR_MSG];

	cyg_log_warn(srv->object, "%s: the start failed: %s", srv->id, message);
	hub_metrics_start_failed(
	    srv->srvs->opts.metrics, srv->asked_ms, cause, blamed != NULL ? blamed->name : NULL);
	fail_stage(srv, blamed);
	free(srv->failure);
	/* It goes into JSON, which takes no other bytes. */
	cyg_str_copy_utf8(text, sizeof(text), cyg_str_of(message));
	srv->failure = cyg_xstrdup(text);
	srv_cleanup(srv, cause, message);
}

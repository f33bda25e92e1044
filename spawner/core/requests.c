/* The requests of hubs: each message becomes a request to the engine, and the engine's answer
 * becomes a REPLY on the connection that asked, if that is still open. */
#include "base/mem.h"
#include "daemon/log.h"
#include "ipc/spawn_codec.h"
#include "spawner/core/spawner.h"

#include <string.h>

/* One LIST, STAT or HAND_OVER on its way. */
struct request {
	struct cyg_link link;
	struct spawner *spawner;
	uint64_t hub_serial;
	uint32_t request_id;
};

static struct request *request_new(struct hub *hub, const struct spawn_head *head)
{
	struct request *r = cyg_xcalloc(1, sizeof(*r));

	r->spawner = hub_spawner(hub);
	r->hub_serial = hub_serial_of(hub);
	r->request_id = head->request_id;
	cyg_list_add(&r->spawner->requests, &r->link);
	return r;
}

static void request_free(struct request *r)
{
	cyg_list_remove(&r->spawner->requests, &r->link);
	free(r);
}

void requests_forget(struct spawner *sp)
{
	cyg_list_each_safe (l, &sp->requests)
		request_free(CYG_CONTAINER_OF(l, struct request, link));
}

/* ---- SPAWN ---- */

static void on_start(void *arg, const struct cyg_err *err)
{
	struct server *s = arg;
	struct spawn_gone gone = { .cause = s->state == SERVER_STOPPING ? SPAWN_GONE_STOPPED
									: SPAWN_GONE_EXITED,
		.status = INIT_EXIT_SYS };

	if (err == NULL) {
		if (s->state == SERVER_ASKED)
			server_move(s, SERVER_LAUNCHED);
		return;
	}
	if (s->state != SERVER_STOPPING)
		s->spawner->counts.failures[SPAWN_FAILURE_ENGINE]++;
	memcpy(gone.server_id, s->id, sizeof(gone.server_id));
	event_not_started(s, err, &gone);
}

void request_spawn(struct hub *hub, const struct spawn_head *head)
{
	const struct spawn_spawn *m = (const struct spawn_spawn *)(const void *)head;
	struct spawner *sp = hub_spawner(hub);
	struct policy_grant grant;
	struct cyg_err err;
	struct server *s;

	sp->counts.starts++;
	if (policy_check(sp->policy, m, &grant, &err) < 0) {
		sp->counts.failures[SPAWN_FAILURE_REFUSED]++;
		cyg_log_warn(m->server_id, "refused: %s", err.msg);
		hub_reply(hub, head->request_id, &err, NULL);
		return;
	}
	if (server_find(sp, m->server_id) != NULL) {
		sp->counts.failures[SPAWN_FAILURE_REFUSED]++;
		(void)cyg_fail(&err, CYG_EEXIST, "server %s is there already", m->server_id);
		hub_reply(hub, head->request_id, &err, NULL);
		return;
	}
	s = server_new(sp, m->server_id, m->user);
	s->hub_serial = hub_serial_of(hub);
	s->request_id = head->request_id;
	sp->engine->start(
	    sp->engine_arg, m, &grant, &(struct engine_answer){ .done = on_start, .arg = s });
}

/* ---- STOP ---- */

static void no_such(struct hub *hub, const struct spawn_stop *m)
{
	struct cyg_err err;

	(void)cyg_fail(&err, CYG_ENOENT, "no server %s", m->server_id);
	hub_reply(hub, m->head.request_id, &err, NULL);
}

/* The hub has its REPLY already and waits for GONE. */
static void on_stop(void *arg, const struct cyg_err *err)
{
	if (err != NULL)
		cyg_log_warn("engine", "a stop: %s", err->msg);
}

void request_stop(struct hub *hub, const struct spawn_head *head)
{
	const struct spawn_stop *m = (const struct spawn_stop *)(const void *)head;
	struct spawner *sp = hub_spawner(hub);
	struct server *s = server_find(sp, m->server_id);

	if (s == NULL) {
		no_such(hub, m);
		return;
	}
	hub_reply(hub, head->request_id, NULL, NULL);
	server_move(s, SERVER_STOPPING);
	sp->engine->stop(
	    sp->engine_arg, s->id, m->grace_ms, &(struct engine_answer){ .done = on_stop });
}

/* ---- LIST and STAT ---- */

static void on_item(void *arg, const struct spawn_item *item)
{
	const struct request *r = arg;
	const struct server *s = server_find(r->spawner, item->server_id);
	struct hub *hub = hub_find(r->spawner, r->hub_serial);
	struct spawn_item m = *item;

	if (s == NULL || hub == NULL)
		return;
	m.state = server_wire_state(s);
	m.address = s->address;
	hub_item(hub, r->request_id, &m);
}

static void on_answer(void *arg, const struct cyg_err *err)
{
	struct request *r = arg;

	hub_reply(hub_find(r->spawner, r->hub_serial), r->request_id, err, NULL);
	request_free(r);
}

void request_list(struct hub *hub, const struct spawn_head *head)
{
	struct spawner *sp = hub_spawner(hub);

	sp->engine->list(sp->engine_arg,
	    &(struct engine_answer){
		.item = on_item, .done = on_answer, .arg = request_new(hub, head) });
}

void request_stat(struct hub *hub, const struct spawn_head *head)
{
	const struct spawn_stop *m = (const struct spawn_stop *)(const void *)head;
	struct spawner *sp = hub_spawner(hub);

	if (server_find(sp, m->server_id) == NULL) {
		no_such(hub, m);
		return;
	}
	sp->engine->stat(sp->engine_arg, m->server_id,
	    &(struct engine_answer){
		.item = on_item, .done = on_answer, .arg = request_new(hub, head) });
}

void request_ping(struct hub *hub, const struct spawn_head *head)
{
	hub_reply(hub, head->request_id, NULL, NULL);
}

/* ---- METRICS ---- */

void request_metrics(struct hub *hub, const struct spawn_head *head)
{
	const struct spawner *sp = hub_spawner(hub);
	struct spawn_counts m = sp->counts;

	for (size_t i = 0; i < SERVER_STATES; i++)
		m.servers[server_wire_states[i] - 1] += sp->servers[i].n;
	hub_counts(hub, head->request_id, &m);
	hub_reply(hub, head->request_id, NULL, NULL);
}

/* ---- HAND_OVER ---- */

static int check_hand_over(
    const struct spawner *sp, const struct spawn_hand_over *m, struct cyg_err *err)
{
	if (sp->engine->hand_over == NULL)
		return cyg_fail(err, CYG_ENOENT, "this engine keeps nothing of users");
	if (spawn_name_check(SPAWN_NAME_USER, m->to_name, err) < 0 ||
	    (m->from_id == 0 && spawn_name_check(SPAWN_NAME_USER, m->from_name, err) < 0))
		return -(int)CYG_EINVAL;
	return 0;
}

void request_hand_over(struct hub *hub, const struct spawn_head *head)
{
	const struct spawn_hand_over *m = (const struct spawn_hand_over *)(const void *)head;
	struct spawner *sp = hub_spawner(hub);
	struct cyg_err err;

	if (check_hand_over(sp, m, &err) < 0) {
		hub_reply(hub, head->request_id, &err, NULL);
		return;
	}
	sp->engine->hand_over(sp->engine_arg, m,
	    &(struct engine_answer){ .done = on_answer, .arg = request_new(hub, head) });
}

/* ---- what an earlier spawner left ---- */

static void on_found(void *arg, const struct spawn_item *item)
{
	struct server *s = server_new(arg, item->server_id, item->user);

	s->answered = true;
	s->address = item->address;
	/* A server that died while no spawner ran is being removed. */
	server_move(s, item->state == SPAWN_STATE_STOPPING ? SERVER_STOPPING : SERVER_RUNS);
}

static void on_all_found(void *arg, const struct cyg_err *err)
{
	struct spawner *sp = arg;

	if (err != NULL)
		cyg_log_error("engine", "what an earlier spawner left is not known: %s", err->msg);
	if (!sp->closing)
		hubs_open(sp);
}

void request_adoption(struct spawner *sp)
{
	sp->engine->list(sp->engine_arg,
	    &(struct engine_answer){ .item = on_found, .done = on_all_found, .arg = sp });
}

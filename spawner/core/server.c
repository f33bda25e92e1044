/* The server object: making, finding, describing and dropping it. What happens to it is told in
 * start.c and end.c. */
#include "base/clock.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "spawner/core/spawner.h"

#include <string.h>

struct server *server_new(struct spawner *sp, const struct spawn_spawn *spec)
{
	struct server *s = cyg_xcalloc(1, sizeof(*s));

	s->spawner = sp;
	s->spec = *spec;
	s->state = SPAWN_STATE_STARTING;
	s->started_us = (uint64_t)cyg_clock_wall_us();
	s->exit_code = s->exit_signal = -1;
	s->out_fd = -1;
	s->handles = 2;
	(void)uv_timer_init(sp->loop, &s->timer);
	(void)uv_fs_event_init(sp->loop, &s->out_event);
	s->timer.data = s->out_event.data = s->work.data = s;
	cyg_list_add(&sp->servers, &s->link);
	return s;
}

struct server *server_find(struct spawner *sp, const char *id)
{
	cyg_list_each (l, &sp->servers) {
		struct server *s = CYG_CONTAINER_OF(l, struct server, link);

		if (strcmp(s->spec.server_id, id) == 0)
			return s;
	}
	return NULL;
}

void server_item(const struct server *s, struct spawn_item *ret)
{
	struct cgroup_figures f;

	memset(ret, 0, sizeof(*ret));
	cgroup_read(&s->spawner->cgroups, s->spec.server_id, &f);
	memcpy(ret->server_id, s->spec.server_id, sizeof(ret->server_id));
	memcpy(ret->user, s->spec.user, sizeof(ret->user));
	memcpy(ret->server, s->spec.server, sizeof(ret->server));
	ret->state = s->state;
	ret->uid = s->person.uid;
	ret->adopted = s->adopted;
	ret->processes = (uint32_t)f.processes;
	ret->started_us = s->started_us;
	ret->memory_bytes = f.memory_used;
	ret->memory_limit = f.memory_limit;
	ret->cpu_us = f.cpu_us;
	ret->cpu_milli =
	    (cgroups_enforced(&s->spawner->cgroups) & (1U << CGROUP_CPU)) != 0 ? s->cpu_milli : 0;
}

void server_tell_stage(struct server *s, const char *name, enum spawn_stage_state state)
{
	struct spawn_stage m = { .state = state,
		.ms = (uint32_t)(cyg_clock_mono_ms() - s->stage_ms) };

	memcpy(m.server_id, s->spec.server_id, sizeof(m.server_id));
	(void)cyg_str_copy(m.name, sizeof(m.name), cyg_str_of(name));
	hubs_tell(s->spawner, &m.head, SPAWN_STAGE, sizeof(m));
}

void server_stage(struct server *s, const char *next, bool failed)
{
	if (s->stage != NULL)
		server_tell_stage(s, s->stage, failed ? SPAWN_STAGE_FAILED : SPAWN_STAGE_DONE);
	s->stage = next;
	s->stage_ms = cyg_clock_mono_ms();
	if (next != NULL)
		server_tell_stage(s, next, SPAWN_STAGE_BEGUN);
}

void server_stage_after(struct server *s, const char *done)
{
	bool first = done == NULL, after_setup = !first && strcmp(done, "setup") == 0;
	const char *next = NULL;

	if (first && s->grant.stack->setup != NULL)
		next = "setup";
	else if ((first || after_setup) && s->spec.user_script[0] != '\0')
		next = "user-script";
	else if (first || strcmp(done, "agent") != 0)
		next = "agent";
	if (next == NULL)
		return;
	s->stage_ms = cyg_clock_mono_ms();
	server_tell_stage(s, next, SPAWN_STAGE_BEGUN);
}

static void on_closed(uv_handle_t *h)
{
	struct server *s = h->data;

	if (--s->handles == 0) {
		cyg_cleanse(&s->spec, sizeof(s->spec));
		free(s);
	}
}

void server_drop(struct server *s)
{
	cyg_list_remove(&s->spawner->servers, &s->link);
	uids_lookup_cancel(s->lookup);
	process_watch_close(s->started_watch);
	process_watch_close(s->init_watch);
	output_close(s);
	uv_close((uv_handle_t *)&s->timer, on_closed);
	uv_close((uv_handle_t *)&s->out_event, on_closed);
}

bool server_watch_started(struct server *s)
{
	struct cyg_err err;
	bool watched = process_watch_new(s->spawner->loop, &s->started, end_started, s,
			   &s->started_watch, &err) == 0;

	if (!watched)
		cyg_log_warn(s->spec.server_id, "%s", err.msg);
	return watched;
}

bool server_watch_init(struct server *s)
{
	struct cyg_err err;
	bool watched =
	    process_watch_new(s->spawner->loop, &s->init, end_init, s, &s->init_watch, &err) == 0;

	if (!watched)
		cyg_log_info(s->spec.server_id, "%s", err.msg);
	return watched;
}

/* The object of a local server: making, finding, describing and freeing it. Its start is in
 * start.c, its end in end.c. */
#include "base/clock.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "spawner/local/local.h"

#include <string.h>

struct local_server *local_server_new(struct local *l, const struct spawn_spawn *spec)
{
	struct local_server *s = cyg_xcalloc(1, sizeof(*s));

	s->local = l;
	s->spec = *spec;
	s->started_us = (uint64_t)cyg_clock_wall_us();
	s->exit_code = s->exit_signal = -1;
	s->out_fd = -1;
	s->handles = 2;
	(void)uv_timer_init(l->loop, &s->timer);
	(void)uv_fs_event_init(l->loop, &s->out_event);
	s->timer.data = s->out_event.data = s->work.data = s;
	cyg_list_add(&l->servers, &s->link);
	return s;
}

struct local_server *local_server_find(struct local *l, const char *id)
{
	cyg_list_each (it, &l->servers) {
		struct local_server *s = CYG_CONTAINER_OF(it, struct local_server, link);

		if (strcmp(s->spec.server_id, id) == 0)
			return s;
	}
	return NULL;
}

void local_server_item(const struct local_server *s, struct spawn_item *ret)
{
	struct cgroup_figures f;

	memset(ret, 0, sizeof(*ret));
	cgroup_read(&s->local->cgroups, s->spec.server_id, &f);
	memcpy(ret->server_id, s->spec.server_id, sizeof(ret->server_id));
	memcpy(ret->user, s->spec.user, sizeof(ret->user));
	memcpy(ret->server, s->spec.server, sizeof(ret->server));
	ret->state =
	    s->stopping || s->step == STEP_REMOVING ? SPAWN_STATE_STOPPING : SPAWN_STATE_RUNNING;
	if (s->ready)
		local_server_address(s, &ret->address);
	ret->uid = s->account.uid;
	ret->adopted = s->adopted;
	ret->processes = (uint32_t)f.processes;
	ret->started_us = s->started_us;
	ret->memory_bytes = f.memory_used;
	ret->memory_limit = f.memory_limit;
	ret->cpu_us = f.cpu_us;
	ret->cpu_milli =
	    (cgroups_enforced(&s->local->cgroups) & (1U << CGROUP_CPU)) != 0 ? s->cpu_milli : 0;
}

void local_server_address(const struct local_server *s, struct spawn_address *ret)
{
	char path[CYG_PATH_MAX];

	folders_socket_path(&s->local->folders, s->spec.server_id, path);
	*ret = (struct spawn_address){ .kind = SPAWN_ADDRESS_UNIX };
	/* It was bound, so it fits. */
	(void)cyg_str_copy(ret->where, sizeof(ret->where), cyg_str_of(path));
}

static void tell_stage(struct local_server *s, const char *name, enum spawn_stage_state state)
{
	uint32_t ms = (uint32_t)(cyg_clock_mono_ms() - s->stage_ms);

	s->local->events->on_stage(s->local->core, s->spec.server_id, name, state, ms);
}

void local_server_stage(struct local_server *s, const char *next, bool failed)
{
	if (s->stage != NULL)
		tell_stage(s, s->stage, failed ? SPAWN_STAGE_FAILED : SPAWN_STAGE_DONE);
	s->stage = next;
	s->stage_ms = cyg_clock_mono_ms();
	if (next != NULL)
		tell_stage(s, next, SPAWN_STAGE_BEGUN);
}

void local_server_stage_after(struct local_server *s, const char *done)
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
	tell_stage(s, next, SPAWN_STAGE_BEGUN);
}

static void on_closed(uv_handle_t *h)
{
	struct local_server *s = h->data;

	if (--s->handles == 0) {
		cyg_cleanse(&s->spec, sizeof(s->spec));
		free(s);
	}
}

void local_server_drop(struct local_server *s)
{
	cyg_list_remove(&s->local->servers, &s->link);
	uids_lookup_cancel(s->lookup);
	process_watch_close(s->started_watch);
	process_watch_close(s->init_watch);
	output_close(s);
	uv_close((uv_handle_t *)&s->timer, on_closed);
	uv_close((uv_handle_t *)&s->out_event, on_closed);
}

bool local_server_watch_started(struct local_server *s)
{
	struct cyg_err err;
	bool watched = process_watch_new(s->local->loop, &s->started, end_started, s,
			   &s->started_watch, &err) == 0;

	if (!watched)
		cyg_log_warn(s->spec.server_id, "%s", err.msg);
	return watched;
}

bool local_server_watch_init(struct local_server *s)
{
	struct cyg_err err;
	bool watched =
	    process_watch_new(s->local->loop, &s->init, end_init, s, &s->init_watch, &err) == 0;

	if (!watched)
		cyg_log_info(s->spec.server_id, "%s", err.msg);
	return watched;
}

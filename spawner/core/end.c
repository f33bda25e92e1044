/* An end, read downwards: asked for or seen, cause found, members killed, places removed off the
 * loop, control group removed, and only then GONE: whoever hears it may start the next one. */
#include "base/mem.h"
#include "daemon/log.h"
#include "spawner/core/record.h"
#include "spawner/core/spawner.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

static void remove_group(uv_timer_t *timer);

static void kill_now(struct server *s)
{
	if (!s->spawner->engine->pid_namespace)
		process_kill_tree(s->init.pid != 0 ? s->init.pid : s->started.pid);
	if (s->init_watch != NULL)
		(void)process_watch_signal(s->init_watch, SIGKILL, NULL);
	if (s->started_watch != NULL)
		(void)process_watch_signal(s->started_watch, SIGKILL, NULL);
	(void)cgroup_kill(&s->spawner->cgroups, s->spec.server_id);
}

static void on_grace(uv_timer_t *timer)
{
	kill_now(timer->data);
}

void end_stop(struct server *s, uint32_t grace_ms)
{
	/* init is what we launched, unless bubblewrap is */
	const struct process_watch *init = s->init_watch != NULL ? s->init_watch : s->started_watch;

	if (s->step == STEP_REMOVING)
		return;
	s->state = SPAWN_STATE_STOPPING;
	if (s->step == STEP_PERSON) {
		struct cyg_err err;

		uids_lookup_cancel(s->lookup);
		s->lookup = NULL;
		(void)cyg_fail(&err, CYG_EBUSY, "stopped before it started");
		start_failed(s, &err);
		return;
	}
	if (s->step == STEP_LAUNCHED || grace_ms == 0) {
		kill_now(s);
		return;
	}
	if (init != NULL)
		(void)process_watch_signal(init, SIGTERM, NULL);
	if (grace_ms > SPAWNER_GRACE_MAX_MS)
		grace_ms = SPAWNER_GRACE_MAX_MS;
	(void)uv_timer_start(&s->timer, on_grace, grace_ms, 0);
}

/* How it ended, as far as anybody can know: our child's status, or bubblewrap's last line. */
static void take_status(struct server *s)
{
	pid_t child;
	int status, code;

	if (!s->adopted && s->started.pid != 0 && waitpid(s->started.pid, &status, WNOHANG) > 0) {
		s->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		s->exit_signal = WIFSIGNALED(status) ? WTERMSIG(status) : -1;
	}
	if (s->exit_code < 0 && s->exit_signal < 0) {
		record_read_status(s->spawner->folders.records, s->spec.server_id, &child, &code);
		s->exit_code = code;
	}
	/* bubblewrap passes a signal on as 128 + number, as shells do */
	if (s->exit_code > 128 && s->exit_code <= 128 + 64) {
		s->exit_signal = s->exit_code - 128;
		s->exit_code = -1;
	}
}

static const struct {
	int code;
	const char *text, *log;
} exit_texts[] = {
	{ INIT_EXIT_SETUP, "The setup script of the stack failed", "setup.log" },
	{ INIT_EXIT_SETUP_TIME, "The setup script of the stack did not end in time", "setup.log" },
	{ INIT_EXIT_USER, "Your own setup script failed", "user-script.log" },
	{ INIT_EXIT_USER_TIME, "Your own setup script did not end in time", "user-script.log" },
};

static void read_tail(struct server *s, const char *log)
{
	s->tail.length = (uint32_t)folders_read_tail(
	    &s->spawner->folders, s->spec.server_id, log, s->person.uid, s->tail.text);
}

static void find_cause(struct server *s)
{
	struct spawn_gone *g = &s->gone;
	struct cgroup_figures f;

	cgroup_read(&s->spawner->cgroups, s->spec.server_id, &f);
	g->memory_peak = f.memory_peak;
	g->memory_limit = f.memory_limit;
	g->cause = SPAWN_GONE_UNKNOWN;
	(void)snprintf(g->message, sizeof(g->message),
	    "The server ended while nobody watched: its cause is unknown");
	if (s->exit_code >= 0) {
		g->cause = SPAWN_GONE_EXITED;
		g->status = s->exit_code;
		(void)snprintf(g->message, sizeof(g->message), "The server ended with status %d",
		    s->exit_code);
	} else if (s->exit_signal >= 0) {
		g->cause = SPAWN_GONE_SIGNALLED;
		g->status = s->exit_signal;
		(void)snprintf(g->message, sizeof(g->message), "The server was ended by signal %d",
		    s->exit_signal);
	}
	if (s->exit_code == INIT_EXIT_AGENT) {
		(void)snprintf(g->message, sizeof(g->message),
		    "The notebook server kept dying, or could not be started");
		read_tail(s, "agent.log");
	}
	for (size_t i = 0; i < CYG_N(exit_texts); i++) {
		if (s->exit_code != exit_texts[i].code)
			continue;
		g->cause = SPAWN_GONE_SETUP;
		(void)snprintf(g->message, sizeof(g->message), "%s", exit_texts[i].text);
		read_tail(s, exit_texts[i].log);
	}
	if (s->state == SPAWN_STATE_STOPPING) {
		g->cause = SPAWN_GONE_STOPPED;
		(void)snprintf(g->message, sizeof(g->message), "The server was stopped");
	} else if (f.oom_kills > 0 &&
		   (s->exit_signal == SIGKILL || s->exit_code == INIT_EXIT_AGENT)) {
		g->cause = SPAWN_GONE_MEMORY;
		(void)snprintf(g->message, sizeof(g->message),
		    "The server used all of its %llu MiB of memory and was ended",
		    (unsigned long long)(f.memory_limit >> 20));
	}
}

static void on_parting(uv_timer_t *timer)
{
	struct server *s = timer->data;

	(void)process_watch_signal(s->started_watch, SIGKILL, NULL);
}

/* Both what we launched and init must be gone. */
static void check_end(struct server *s)
{
	if (s->step == STEP_REMOVING)
		return;
	if (s->init_watch != NULL)
		return;
	if (s->started_watch != NULL) {
		(void)uv_timer_start(&s->timer, on_parting, SPAWNER_PARTING_MS, 0);
		return;
	}
	output_read(s);
	take_status(s);
	if (s->step == STEP_LAUNCHED) {
		struct cyg_err err;

		(void)cyg_fail(&err, CYG_ESYS, "the container could not be started: %s",
		    s->out_last[0] != '\0' ? s->out_last : "no reason given");
		start_failed(s, &err);
		return;
	}
	find_cause(s);
	end_remove(s);
}

void end_started(void *server)
{
	struct server *s = server;

	process_watch_close(s->started_watch);
	s->started_watch = NULL;
	output_read(s); /* its first word may come with its last */
	check_end(s);
}

void end_init(void *server)
{
	struct server *s = server;

	process_watch_close(s->init_watch);
	s->init_watch = NULL;
	check_end(s);
}

static void tell(struct server *s)
{
	if (!s->answered) {
		hub_reply(s->spawner, s->hub_serial, s->request_id, &s->failure);
		return;
	}
	memcpy(s->gone.server_id, s->spec.server_id, sizeof(s->gone.server_id));
	memcpy(s->tail.server_id, s->spec.server_id, sizeof(s->tail.server_id));
	cyg_log_info(s->spec.server_id, "gone: %s", s->gone.message);
	if (s->tail.length > 0)
		hubs_tell(s->spawner, &s->tail.head, SPAWN_TAIL, sizeof(s->tail));
	hubs_tell_gone(s->spawner, &s->gone);
}

static void remove_group(uv_timer_t *timer)
{
	struct server *s = timer->data;

	if (!cgroup_remove(&s->spawner->cgroups, s->spec.server_id)) {
		(void)cgroup_kill(&s->spawner->cgroups, s->spec.server_id);
		if (s->tries++ < SPAWNER_REMOVE_TRIES) {
			(void)uv_timer_start(&s->timer, remove_group, SPAWNER_REMOVE_MS, 0);
			return;
		}
		cyg_log_error(s->spec.server_id, "its control group cannot be removed");
	}
	record_remove(s->spawner->folders.records, s->spec.server_id);
	tell(s);
	server_drop(s);
}

static void work_remove(uv_work_t *work)
{
	const struct server *s = work->data;
	struct cyg_err err;

	if (folders_remove(&s->spawner->folders, s->spec.server_id, &err) < 0)
		cyg_log_error(s->spec.server_id, "%s", err.msg);
}

static void work_removed(uv_work_t *work, int status)
{
	struct server *s = work->data;

	remove_group(&s->timer);
}

void end_remove(struct server *s)
{
	s->step = STEP_REMOVING;
	s->state = SPAWN_STATE_STOPPING;
	(void)uv_timer_stop(&s->timer);
	output_close(s);
	(void)cgroup_kill(&s->spawner->cgroups, s->spec.server_id);
	(void)uv_queue_work(s->spawner->loop, &s->work, work_remove, work_removed);
}

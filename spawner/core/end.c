/* An end, read downwards: asked for or seen, cause found, members killed, control group removed,
 * places removed off the loop, and only then GONE: whoever hears it may start the next one. */
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

/* What still lives of the two and holds all else as descendants; 0: neither. */
static pid_t living_root(const struct server *s)
{
	if (s->init_watch != NULL)
		return s->init.pid;
	return s->started_watch != NULL ? s->started.pid : 0;
}

static void kill_now(struct server *s)
{
	pid_t root = living_root(s);

	/* Only init's death ends all of a container. Before its first word it is not known, and
	 * bubblewrap's death leaves it running: then the whole tree is ended. */
	if (root != 0 && (!s->spawner->engine->pid_namespace || root != s->init.pid)) {
		if (root == s->started.pid && s->step == STEP_LAUNCHED)
			(void)process_watch_signal(s->started_watch, SIGSTOP, NULL);
		process_kill_tree(root);
	}
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

		if (s->stop_asked)
			(void)cyg_fail(&err, CYG_EBUSY, "stopped before it started");
		else
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

/* A failed start that its answer alone would not make known: the hub that asked for it has gone, or
 * has asked for its end since and waits for GONE. */
static void gone_before_it_ran(struct server *s)
{
	struct spawn_gone *g = &s->gone;

	g->cause = s->stop_asked ? SPAWN_GONE_STOPPED : SPAWN_GONE_EXITED;
	g->status = s->exit_code >= 0 ? s->exit_code : INIT_EXIT_SYS;
	(void)snprintf(g->message, sizeof(g->message), "%.255s", s->failure.msg);
}

static void tell(struct server *s)
{
	if (!s->answered) {
		if (hub_reply(s->spawner, s->hub_serial, s->request_id, &s->failure) &&
		    !s->stop_asked)
			return;
		gone_before_it_ran(s);
	}
	memcpy(s->gone.server_id, s->spec.server_id, sizeof(s->gone.server_id));
	memcpy(s->tail.server_id, s->spec.server_id, sizeof(s->tail.server_id));
	cyg_log_info(s->spec.server_id, "gone: %s", s->gone.message);
	if (s->tail.length > 0)
		hubs_tell(s->spawner, &s->tail.head, SPAWN_TAIL, sizeof(s->tail));
	hubs_tell_gone(s->spawner, &s->gone);
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

	record_remove(s->spawner->folders.records, s->spec.server_id);
	tell(s);
	server_drop(s);
}

/* Before the folders: while there is a member, it may still write into them. */
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
	(void)uv_queue_work(s->spawner->loop, &s->work, work_remove, work_removed);
}

void end_remove(struct server *s)
{
	s->step = STEP_REMOVING;
	s->state = SPAWN_STATE_STOPPING;
	(void)uv_timer_stop(&s->timer);
	output_close(s);
	(void)cgroup_kill(&s->spawner->cgroups, s->spec.server_id);
	remove_group(&s->timer);
}

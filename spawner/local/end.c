/* The end of a server, read downwards: it is asked for or noticed, the cause is found, processes
 * are killed, folders are removed (remove.c). on_gone comes last: after it the next server of the
 * user may start. */
#include "base/mem.h"
#include "daemon/log.h"
#include "spawner/local/local.h"
#include "spawner/local/record.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

/* The process that still lives, of init and what we launched, and is an ancestor of all others; 0
 * when both are dead. */
static pid_t living_root(const struct local_server *s)
{
	if (s->init_watch != NULL)
		return s->init.pid;
	return s->started_watch != NULL ? s->started.pid : 0;
}

static void kill_now(struct local_server *s)
{
	pid_t root = living_root(s);

	/* In a pid namespace init's death ends everything. Until init prints its first line its pid
	 * is not known, and bubblewrap's death leaves it running: then the whole tree is killed. */
	if (root != 0 && (!s->local->kind->pid_namespace || root != s->init.pid)) {
		if (root == s->started.pid && s->step == STEP_LAUNCHED)
			(void)process_watch_signal(s->started_watch, SIGSTOP, NULL);
		process_kill_tree(root);
	}
	if (s->init_watch != NULL)
		(void)process_watch_signal(s->init_watch, SIGKILL, NULL);
	if (s->started_watch != NULL)
		(void)process_watch_signal(s->started_watch, SIGKILL, NULL);
	(void)cgroup_kill(&s->local->cgroups, s->spec.server_id);
}

static void on_grace(uv_timer_t *timer)
{
	kill_now(timer->data);
}

void end_stop(struct local_server *s, uint32_t grace_ms)
{
	/* init is what we launched, unless bubblewrap is */
	const struct process_watch *init = s->init_watch != NULL ? s->init_watch : s->started_watch;

	if (s->step == STEP_REMOVING)
		return;
	s->stopping = true;
	if (s->step == STEP_ACCOUNT) {
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
	if (grace_ms > LOCAL_GRACE_MAX_MS)
		grace_ms = LOCAL_GRACE_MAX_MS;
	(void)uv_timer_start(&s->timer, on_grace, grace_ms, 0);
}

/* Finds its exit status, if known: from our child, or from bubblewrap's last line. */
static void take_status(struct local_server *s)
{
	pid_t child;
	int status, code;

	if (!s->adopted && s->started.pid != 0 && waitpid(s->started.pid, &status, WNOHANG) > 0) {
		s->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		s->exit_signal = WIFSIGNALED(status) ? WTERMSIG(status) : -1;
	}
	if (s->exit_code < 0 && s->exit_signal < 0) {
		record_read_status(s->local->folders.records, s->spec.server_id, &child, &code);
		s->exit_code = code;
	}
	/* bubblewrap reports a signal as 128 + number, as shells do */
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

static void read_tail(struct local_server *s, const char *log)
{
	s->tail.length = (uint32_t)folders_read_tail(
	    &s->local->folders, s->spec.server_id, log, s->account.uid, s->tail.text);
}

static void find_cause(struct local_server *s)
{
	struct spawn_gone *g = &s->gone;
	struct cgroup_figures f;

	cgroup_read(&s->local->cgroups, s->spec.server_id, &f);
	g->memory_peak = f.memory_peak;
	g->memory_limit = f.memory_limit;
	g->cause = SPAWN_GONE_UNKNOWN;
	(void)snprintf(g->message, sizeof(g->message),
	    "The server ended while the spawner was away: its cause is unknown");
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
	if (s->stopping) {
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
	struct local_server *s = timer->data;

	(void)process_watch_signal(s->started_watch, SIGKILL, NULL);
}

/* Removes the server once both init and what we launched are gone. */
static void check_end(struct local_server *s)
{
	if (s->step == STEP_REMOVING)
		return;
	if (s->init_watch != NULL)
		return;
	if (s->started_watch != NULL) {
		(void)uv_timer_start(&s->timer, on_parting, LOCAL_PARTING_MS, 0);
		return;
	}
	output_read(s);
	take_status(s);
	if (s->step == STEP_LAUNCHED) {
		struct cyg_err err;

		if (s->asked)
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
	struct local_server *s = server;

	process_watch_close(s->started_watch);
	s->started_watch = NULL;
	output_read(s); /* its first output may come with its last */
	check_end(s);
}

void end_init(void *server)
{
	struct local_server *s = server;

	process_watch_close(s->init_watch);
	s->init_watch = NULL;
	check_end(s);
}

/* A start that failed after its answer. */
static void gone_before_it_ran(struct local_server *s)
{
	struct spawn_gone *g = &s->gone;

	g->cause = s->asked ? SPAWN_GONE_STOPPED : SPAWN_GONE_EXITED;
	g->status = s->exit_code >= 0 ? s->exit_code : INIT_EXIT_SYS;
	(void)snprintf(g->message, sizeof(g->message), "%.255s", s->failure.msg);
}

static void tell(struct local_server *s)
{
	const struct engine_events *events = s->local->events;

	if (s->nameless)
		return;
	if (s->answer.done != NULL) {
		local_answer_later(s->local, &s->answer, NULL, &s->failure);
		return;
	}
	if (!s->ready)
		gone_before_it_ran(s);
	memcpy(s->gone.server_id, s->spec.server_id, sizeof(s->gone.server_id));
	memcpy(s->tail.server_id, s->spec.server_id, sizeof(s->tail.server_id));
	if (s->tail.length > 0)
		events->on_tail(s->local->core, &s->tail);
	events->on_gone(s->local->core, &s->gone);
}

void end_removed(struct local_server *s)
{
	tell(s);
	local_server_drop(s);
}

void end_found_dead(struct local_server *s)
{
	take_status(s);
	find_cause(s);
	end_remove(s);
}

void end_remove(struct local_server *s)
{
	s->step = STEP_REMOVING;
	(void)uv_timer_stop(&s->timer);
	output_close(s);
	(void)cgroup_kill(&s->local->cgroups, s->spec.server_id);
	remove_begin(s);
}

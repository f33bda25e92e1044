/* The life of a kernel's process: launch → it runs → it answers → ready; restart, end, death. init
 * does the starting and the waiting; the polite words go over ZeroMQ (bridge.c). */
#include "base/clock.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "kernels/agent/init_link.h"
#include "kernels/kernel/env.h"
#include "kernels/kernel/kernel_priv.h"

#include <signal.h>
#include <string.h>

#define TO(state) (1U << (state))

static const unsigned allowed[KERNEL_STATES] = {
	[KERNEL_EXPECTED] = TO(KERNEL_STARTING) | TO(KERNEL_LAUNCHING) | TO(KERNEL_DEAD),
	[KERNEL_LAUNCHING] = TO(KERNEL_STARTING) | TO(KERNEL_STOPPING) | TO(KERNEL_DEAD),
	[KERNEL_STARTING] = TO(KERNEL_READY) | TO(KERNEL_RESTARTING) | TO(KERNEL_STOPPING) |
			    TO(KERNEL_LAUNCHING) | TO(KERNEL_DEAD),
	[KERNEL_READY] =
	    TO(KERNEL_RESTARTING) | TO(KERNEL_STOPPING) | TO(KERNEL_LAUNCHING) | TO(KERNEL_DEAD),
	[KERNEL_RESTARTING] = TO(KERNEL_LAUNCHING) | TO(KERNEL_STOPPING) | TO(KERNEL_DEAD),
	[KERNEL_STOPPING] = 0,
	[KERNEL_DEAD] = TO(KERNEL_LAUNCHING) | TO(KERNEL_STOPPING),
};

static const char *const state_names[KERNEL_STATES] = {
	[KERNEL_EXPECTED] = "expected",
	[KERNEL_LAUNCHING] = "launching",
	[KERNEL_STARTING] = "starting",
	[KERNEL_READY] = "ready",
	[KERNEL_RESTARTING] = "restarting",
	[KERNEL_STOPPING] = "stopping",
	[KERNEL_DEAD] = "dead",
};

void kernel_move(struct kernel *k, enum kernel_state to, const char *why)
{
	if ((allowed[k->state] & TO(to)) == 0)
		abort(); /* our mistake */
	cyg_log_info(
	    k->id, "%s: %s -> %s (%s)", k->name, state_names[k->state], state_names[to], why);
	k->state = to;
}

void kernel_wake(struct kernel *k, enum kernel_wait what, const struct cyg_err *err)
{
	cyg_list_each_safe (it, &k->waiters) {
		struct kernel_waiter *w = CYG_CONTAINER_OF(it, struct kernel_waiter, link);
		bool gone = what == KERNEL_WAIT_GONE;

		if (w->what != what && err == NULL && !gone)
			continue;
		cyg_list_remove(&k->waiters, it);
		if (w->done != NULL)
			w->done(w->arg, err == NULL && !gone ? k : NULL, err);
		free(w);
	}
}

/* ---- launch ---- */

struct launch {
	char *argv[SPEC_WORDS_MAX + 2]; /* and one word of ours */
	struct env env;
};

static char *replace(const char *text, const char *what, const char *with)
{
	const char *at = strstr(text, what);

	if (at == NULL)
		return cyg_xstrdup(text);
	return cyg_xasprintf("%.*s%s%s", (int)(at - text), text, with, at + strlen(what));
}

static char *fill_word(const struct kernel *k, const char *word)
{
	const char *below = strstr(k->spec->folder, "/share/jupyter/");
	cyg_autofree char *prefix =
	    below != NULL ? cyg_xstrndup(k->spec->folder, (size_t)(below - k->spec->folder))
			  : cyg_xstrdup("/usr");
	cyg_autofree char *one = replace(word, "{connection_file}", k->conn_path);
	cyg_autofree char *two = replace(one, "{resource_dir}", k->spec->folder);

	return replace(two, "{prefix}", prefix);
}

/* ipykernel's own launcher, but for one thing: its socket for broadcasts queues without a limit. By
 * default a burst of more than a thousand outputs is cut, and nobody is told. */
static const char IPYKERNEL[] = "import os, sys\n"
				"if sys.path[0] in ('', os.getcwd()):\n"
				"    del sys.path[0]\n"
				"from ipykernel import kernelapp\n"
				"plain = kernelapp.IPKernelApp.init_iopub\n"
				"def init_iopub(self, context):\n"
				"    context.sndhwm = 0\n"
				"    plain(self, context)\n"
				"    del context.sndhwm\n"
				"kernelapp.IPKernelApp.init_iopub = init_iopub\n"
				"kernelapp.launch_new_instance()\n";

/* True when this is a kernel that ipykernel launches. */
static bool unbound_ipykernel(char **argv)
{
	for (size_t i = 1; argv[i] != NULL && argv[i + 1] != NULL; i++) {
		if (strcmp(argv[i], "-m") != 0 || strcmp(argv[i + 1], "ipykernel_launcher") != 0)
			continue;
		free(argv[i]);
		free(argv[i + 1]);
		argv[i] = cyg_xstrdup("-c");
		argv[i + 1] = cyg_xstrdup(IPYKERNEL);
		return true;
	}
	return false;
}

static void launch_fill(struct launch *l, const struct kernel *k)
{
	const struct kernels_opts *opts = &k->owner->opts;
	const struct hello_env *setup = init_link_env(opts->init);
	const char *word = NULL;
	size_t n = 1;

	env_init(&l->env, setup->list);
	if (opts->extend_env != NULL)
		opts->extend_env(opts->arg, &l->env);
	for (size_t i = 0; k->spec->env[i] != NULL; i++)
		env_set_expanded(&l->env, k->spec->env[i]);
	if (k->session_name != NULL)
		env_set(&l->env, "JPY_SESSION_NAME", k->session_name);
	env_set(&l->env, "JUPYTER_RUNTIME_DIR", k->owner->connection_dir);
	l->argv[0] = spec_program(k->spec, env_get(&l->env, "PATH"));
	for (; k->spec->argv[n] != NULL; n++)
		l->argv[n] = fill_word(k, k->spec->argv[n]);
	if (unbound_ipykernel(l->argv) && opts->ipykernel_word != NULL)
		word = opts->ipykernel_word(opts->arg);
	if (word != NULL)
		l->argv[n] = cyg_xstrdup(word);
}

static void launch_free(struct launch *l)
{
	env_free(&l->env);
	for (size_t i = 0; l->argv[i] != NULL; i++)
		free(l->argv[i]);
}

static void note_action(struct kernel *k, const char *action)
{
	k->owner->opts.on_action(k->owner->opts.arg, action, k);
}

static void on_started(
    void *arg, const struct init_child *child, int pty_fd, const struct cyg_err *err)
{
	struct kernel *k = arg;
	struct cyg_err ignored;

	cyg_close(pty_fd);
	if (child == NULL) {
		cyg_log_error(k->id, "cannot start %s: %s", k->name, err->msg);
		kernel_wake(k, KERNEL_WAIT_STARTED, err);
		kernel_remove(k);
		return;
	}
	k->pid = child->pid;
	if (k->state == KERNEL_STOPPING) { /* asked to end before it began */
		(void)init_link_signal(k->owner->opts.init, k->pid, SIGKILL, true, &ignored);
		return;
	}
	kernel_move(k, KERNEL_STARTING, "the process runs");
	kernel_begin_asking(k);
	if (k->restarts == 0)
		note_action(k, "start");
	k->owner->opts.on_change(k->owner->opts.arg);
	kernel_wake(k, KERNEL_WAIT_STARTED, NULL);
}

int kernel_launch(struct kernel *k, struct cyg_err *err)
{
	struct launch l = { 0 };
	cyg_autofree char *tag = cyg_xasprintf("kernel:%s", k->id);
	cyg_autofree char *log = cyg_xasprintf("%s/kernel-%s.log", k->owner->log_dir, k->id);
	struct init_start_spec spec = { .tag = tag, .cwd = k->cwd, .log = log };
	int rc;

	launch_fill(&l, k);
	spec.argv = (const char *const *)l.argv;
	spec.env = (const char *const *)l.env.list;
	k->pid = 0;
	k->heard_iopub = k->answered = k->shell_answered = k->exec_known = false;
	k->launched_ms = cyg_clock_mono_ms();
	(void)cyg_str_copy(k->exec, sizeof(k->exec), CYG_STR("starting"));
	rc = init_link_start(k->owner->opts.init, &spec, on_started, k, err);
	launch_free(&l);
	return rc < 0 ? cyg_wrap(err, "start kernel %s", k->name) : 0;
}

int kernel_open_sockets(struct kernel *k, struct cyg_err *err)
{
	static const enum connfile_socket which[WIRE_CHANNELS] = {
		[WIRE_SHELL] = CONNFILE_SHELL,
		[WIRE_CONTROL] = CONNFILE_CONTROL,
		[WIRE_STDIN] = CONNFILE_STDIN,
		[WIRE_IOPUB] = CONNFILE_IOPUB,
	};
	int rc = 0;

	/* The identity is the same for the three, as input requests come back by the shell's; and
	 * the same in a later agent, so that replies asked for by this one still arrive. */
	for (int i = 0; i < WIRE_CHANNELS && rc == 0; i++) {
		char endpoint[CONNFILE_ENDPOINT_MAX];
		struct zsock_opts opts = {
			.endpoint = endpoint, .events = &bridge_events[i], .arg = k
		};

		opts.kind = i == WIRE_IOPUB ? ZSOCK_SUB : ZSOCK_DEALER;
		opts.identity = i == WIRE_IOPUB ? NULL : k->id;
		connfile_endpoint(&k->conn, which[i], endpoint);
		rc = zsock_open(k->owner->pool, &opts, &k->sock[i], err);
	}
	return rc;
}

void kernel_close_sockets(struct kernel *k)
{
	for (int i = 0; i < WIRE_CHANNELS; i++)
		zsock_close(CYG_TAKE(k->sock[i]));
}

/* ---- it answers ---- */

static void on_asking_timer(uv_timer_t *t)
{
	struct kernel *k = t->data;
	struct cyg_err err = { 0 };

	if (k->state != KERNEL_STARTING)
		return;
	if (k->answered) {
		bridge_ask(k, WIRE_SHELL, "kernel_info_request", "{}");
		(void)uv_timer_start(t, on_asking_timer, KERNEL_NUDGE_MS, 0);
		return;
	}
	(void)cyg_fail(
	    &err, CYG_ETIMEOUT, "Kernel did not respond in %d seconds", KERNEL_READY_MS / 1000);
	kernel_wake(k, KERNEL_WAIT_READY, &err);
}

void kernel_begin_asking(struct kernel *k)
{
	/* A busy kernel answers on control alone. */
	bridge_ask(k, WIRE_CONTROL, "kernel_info_request", "{}");
	bridge_ask(k, WIRE_SHELL, "kernel_info_request", "{}");
	(void)uv_timer_start(&k->timer, on_asking_timer, KERNEL_READY_MS, 0);
}

void kernel_check_ready(struct kernel *k)
{
	if (k->state != KERNEL_STARTING || !k->answered)
		return;
	if (!k->heard_iopub) {
		/* Its broadcasts do not reach us yet: ask again until one does. */
		if (uv_timer_get_due_in(&k->timer) > KERNEL_NUDGE_MS)
			(void)uv_timer_start(&k->timer, on_asking_timer, KERNEL_NUDGE_MS, 0);
		return;
	}
	(void)uv_timer_stop(&k->timer);
	kernel_move(k, KERNEL_READY, "it answers");
	bridge_send_held(k);
	kernel_wake(k, KERNEL_WAIT_READY, NULL);
}

/* ---- ending it ---- */

static void signal_process(struct kernel *k, int signal)
{
	struct cyg_err err = { 0 };

	if (k->pid > 0 && init_link_signal(k->owner->opts.init, k->pid, signal, true, &err) < 0)
		cyg_log_warn(k->id, "%s", err.msg);
}

static void on_ending_timer(uv_timer_t *t)
{
	struct kernel *k = t->data;
	bool hard = cyg_clock_mono_ms() - k->asked_ms >= KERNEL_KILL_MS;

	cyg_log_info(k->id, "does not end by itself: %s", hard ? "SIGKILL" : "SIGTERM");
	signal_process(k, hard ? SIGKILL : SIGTERM);
	if (!hard)
		(void)uv_timer_start(t, on_ending_timer, KERNEL_KILL_MS - KERNEL_TERM_MS, 0);
}

static void ask_to_end(struct kernel *k, bool restart)
{
	bool busy = strcmp(k->exec, "busy") == 0;

	k->asked_ms = cyg_clock_mono_ms();
	if (busy)
		(void)kernel_interrupt(k, NULL);
	bridge_ask(k, WIRE_CONTROL, "shutdown_request",
	    restart ? "{\"restart\":true}" : "{\"restart\":false}");
	if (!k->answered)
		signal_process(k, SIGTERM);
	(void)uv_timer_start(&k->timer, on_ending_timer, KERNEL_TERM_MS, 0);
}

static void add_waiter(struct kernel *k, enum kernel_wait what, kernel_done_fn done, void *arg)
{
	struct kernel_waiter *w = cyg_xcalloc(1, sizeof(*w));

	*w = (struct kernel_waiter){ .what = what, .done = done, .arg = arg };
	cyg_list_add(&k->waiters, &w->link);
}

static void remove_later(void *p)
{
	struct kernel *k = p;

	kernel_wake(k, KERNEL_WAIT_GONE, NULL);
	kernel_remove(k);
}

void kernel_shutdown(struct kernel *k, kernel_done_fn done, void *arg)
{
	bool had_process = k->pid > 0 || k->state == KERNEL_LAUNCHING;

	add_waiter(k, KERNEL_WAIT_GONE, done, arg);
	if (k->state == KERNEL_STOPPING)
		return;
	note_action(k, "shutdown");
	if (k->state == KERNEL_EXPECTED) /* the record knew more than init */
		kernel_move(k, KERNEL_DEAD, "was not there");
	kernel_move(k, KERNEL_STOPPING, "asked to end");
	if (k->pid > 0)
		ask_to_end(k, false);
	else if (!had_process)
		ev_free_later(k->owner->opts.loop, k, remove_later);
}

int kernel_restart(struct kernel *k, kernel_done_fn done, void *arg, struct cyg_err *err)
{
	int rc = 0;

	if (k->state == KERNEL_STOPPING || k->state == KERNEL_EXPECTED)
		return cyg_fail(err, CYG_EEXIST, "the kernel is being ended");
	k->restarts = 0;
	note_action(k, "restart");
	if (k->state == KERNEL_STARTING || k->state == KERNEL_READY) {
		kernel_move(k, KERNEL_RESTARTING, "asked to restart");
		bridge_drop_held(k);
		bridge_drop_running(k);
		ask_to_end(k, true);
	} else if (k->state == KERNEL_DEAD) {
		kernel_move(k, KERNEL_LAUNCHING, "asked to restart");
		rc = kernel_launch(k, err);
	}
	if (rc == 0)
		add_waiter(k, KERNEL_WAIT_READY, done, arg);
	return rc;
}

int kernel_interrupt(struct kernel *k, struct cyg_err *err)
{
	if (k->pid <= 0)
		return cyg_fail(err, CYG_EEXIST, "the kernel does not run");
	note_action(k, "interrupt");
	if (k->spec != NULL && k->spec->by_message) {
		bridge_ask(k, WIRE_CONTROL, "interrupt_request", "{}");
		return 0;
	}
	return init_link_signal(k->owner->opts.init, k->pid, SIGINT, true, err);
}

/* ---- it has ended ---- */

static char *explain(const struct init_exited *e)
{
	static const double MIB = 1024.0 * 1024.0;

	if (e->oom != 0 && e->memory_limit > 0)
		return cyg_xasprintf("it was killed by the memory limit: %.1f of %.1f GiB were in "
				     "use, its own peak was %.0f MiB",
		    (double)e->memory_used / (MIB * 1024), (double)e->memory_limit / (MIB * 1024),
		    (double)e->max_rss / MIB);
	if (e->oom != 0)
		return cyg_xasprintf("it was killed by the memory limit; its peak was %.0f MiB",
		    (double)e->max_rss / MIB);
	if (e->signal != 0)
		return cyg_xasprintf("it was ended by signal %d (%s); its peak was %.0f MiB",
		    e->signal, strsignal(e->signal), (double)e->max_rss / MIB);
	return cyg_xasprintf("it ended with exit status %d; its peak was %.0f MiB", e->status,
	    (double)e->max_rss / MIB);
}

/* Into the cell that was running, and to everybody's status. */
static void tell_clients(struct kernel *k, const char *status)
{
	cyg_autofree char *state = cyg_xasprintf("{\"execution_state\":\"%s\"}", status);
	const char *running = bridge_running(k);
	cyg_autofree char *text = NULL;

	if (running != NULL) {
		/* explain() writes no character that JSON would escape. */
		text = cyg_xasprintf(
		    "{\"name\":\"stderr\",\"text\":\"The kernel died: %s.\\n\"}", k->reason);
		bridge_forge(k, "stream", running, text);
	}
	bridge_forge(k, "status", NULL, state);
	bridge_drop_running(k);
}

/* New ports, when it may have died of the old ones. */
static int renew_ports(struct kernel *k, struct cyg_err *err)
{
	char key[CONNFILE_KEY_LEN + 1];
	int rc;

	if (k->conn.ipc)
		return 0;
	memcpy(key, k->conn.key, sizeof(key));
	kernel_close_sockets(k);
	rc = connfile_choose(&k->conn, k->owner->connection_dir, k->id, false, k->name, err);
	memcpy(k->conn.key, key, sizeof(key));
	cyg_cleanse(key, sizeof(key));
	if (rc == 0)
		rc = connfile_write(&k->conn, k->conn_path, err);
	return rc < 0 ? rc : kernel_open_sockets(k, err);
}

void kernel_on_death(struct kernel *k, char *reason)
{
	bool stable = cyg_clock_mono_ms() - k->launched_ms > KERNEL_STABLE_MS;
	struct cyg_err err = { 0 };
	int rc;

	free(k->reason);
	k->reason = reason;
	cyg_log_warn(k->id, "%s died: %s", k->name, k->reason);
	if (stable)
		k->restarts = 0;
	if (k->spec == NULL)
		(void)specs_find(k->owner->opts.specs, k->name, &k->spec, &err);
	if (k->restarts++ >= KERNEL_RESTARTS_MAX || k->spec == NULL) {
		kernel_move(k, KERNEL_DEAD, k->reason);
		tell_clients(k, "dead");
		(void)cyg_fail(&err, CYG_ESYS, "The kernel died: %s", k->reason);
		kernel_wake(k, KERNEL_WAIT_READY, &err);
		return;
	}
	tell_clients(k, "restarting");
	kernel_move(k, KERNEL_LAUNCHING, "started again");
	rc = stable ? 0 : renew_ports(k, &err);
	if (rc == 0)
		rc = kernel_launch(k, &err);
	if (rc < 0) {
		cyg_log_error(k->id, "%s", err.msg);
		kernel_move(k, KERNEL_DEAD, "cannot be started");
		tell_clients(k, "dead");
	}
}

void kernel_on_exited(struct kernel *k, const struct init_exited *exited)
{
	struct cyg_err err = { 0 };

	(void)uv_timer_stop(&k->timer);
	k->pid = 0;
	if (k->state == KERNEL_STOPPING) {
		kernel_wake(k, KERNEL_WAIT_GONE, NULL);
		kernel_remove(k);
		return;
	}
	if (k->state == KERNEL_RESTARTING) {
		kernel_move(k, KERNEL_LAUNCHING, "the old process has ended");
		if (k->spec == NULL)
			(void)specs_find(k->owner->opts.specs, k->name, &k->spec, &err);
		if (k->spec == NULL || kernel_launch(k, &err) < 0) {
			kernel_move(k, KERNEL_DEAD, err.msg);
			kernel_wake(k, KERNEL_WAIT_READY, &err);
		}
		return;
	}
	kernel_on_death(k, explain(exited));
}

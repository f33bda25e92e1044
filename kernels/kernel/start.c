/* The states of a kernel's process: launch, running, the first reply, ready; restart, end and
 * death. init starts the process and waits for it; requests to it are sent by ZeroMQ (bridge.c). */
#include "base/clock.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "kernels/base/init_link.h"
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

static void note_action(struct kernel *k, const char *action)
{
	k->owner->opts.on_action(k->owner->opts.arg, action, k);
}

static void tell_clients(struct kernel *k, const char *status);

/* A kernel that has run before is kept as dead: its clients may restart it. */
static void launch_failed(struct kernel *k, const struct cyg_err *err)
{
	cyg_log_error(k->id, "cannot start %s: %s", k->name, err->msg);
	free(k->reason);
	k->reason = cyg_xstrdup(err->msg);
	kernel_move(k, KERNEL_DEAD, "cannot be started");
	tell_clients(k, "dead");
	kernel_wake(k, KERNEL_WAIT_READY, err);
}

static bool is_new(const struct kernel *k)
{
	cyg_list_each (it, &k->waiters) {
		if (CYG_CONTAINER_OF(it, struct kernel_waiter, link)->what == KERNEL_WAIT_STARTED)
			return true;
	}
	return false;
}

static void cannot_start(struct kernel *k, const struct cyg_err *err)
{
	if (k->state == KERNEL_LAUNCHING && !is_new(k)) {
		launch_failed(k, err);
		return;
	}
	cyg_log_error(k->id, "cannot start %s: %s", k->name, err->msg);
	kernel_wake(k, k->state == KERNEL_STOPPING ? KERNEL_WAIT_GONE : KERNEL_WAIT_STARTED, err);
	kernel_remove(k);
}

static void on_started(
    void *arg, const struct init_child *child, int pty_fd, const struct cyg_err *err)
{
	struct kernel *k = arg;
	struct cyg_err ignored;

	cyg_close(pty_fd);
	if (child == NULL) {
		cannot_start(k, err);
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

static int prepare(struct kernel *k, struct cyg_err *err)
{
	int rc;

	if (k->sock[WIRE_IOPUB] != NULL)
		return 0;
	/* A new one, or one whose connection file was lost. */
	kernel_close_sockets(k);
	rc = connfile_choose(
	    &k->conn, k->owner->connection_dir, spec_has_ipc(k->spec), k->name, err);
	if (rc == 0)
		rc = connfile_write(&k->conn, k->conn_path, err);
	if (rc < 0)
		return rc;
	wire_signer_free(k->signer);
	k->signer = wire_signer_new(cyg_str_of(k->conn.key));
	return kernel_open_sockets(k, err); /* before the launch: nothing can be missed */
}

void kernel_launch(struct kernel *k)
{
	k->pid = 0;
	k->heard_iopub = k->answered = k->shell_answered = k->exec_known = false;
	(void)cyg_str_copy(k->exec, sizeof(k->exec), CYG_STR("starting"));
	launch_find(k, true);
}

static int begin(struct kernel *k, struct launch *l, struct cyg_err *err)
{
	cyg_autofree char *tag = cyg_xasprintf("kernel:%s", k->id);
	cyg_autofree char *log = cyg_xasprintf("%s/kernel-%s.log", k->owner->log_dir, k->id);
	struct init_start_spec spec = { .tag = tag, .cwd = k->cwd, .log = log };
	int rc = prepare(k, err);

	if (rc < 0)
		return rc;
	launch_fill(l, k);
	spec.argv = (const char *const *)l->argv;
	spec.env = (const char *const *)l->env.list;
	k->launched_ms = cyg_clock_mono_ms();
	return init_link_start(k->owner->opts.init, &spec, on_started, k, err);
}

void kernel_on_found(struct kernel *k, struct launch *l)
{
	if (k->state == KERNEL_STOPPING) { /* asked to end before it began */
		kernel_wake(k, KERNEL_WAIT_GONE, NULL);
		kernel_remove(k);
	} else if (k->spec == NULL || begin(k, l, &l->err) < 0) {
		cannot_start(k, &l->err);
	}
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

	/* The three have one identity, because input requests are sent to that of the shell socket.
	 * It is the same in a later agent, so that replies to requests of this one still arrive. */
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

/* ---- the first reply ---- */

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
	/* A busy kernel replies on control only. */
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
		if (uv_is_active((uv_handle_t *)&k->timer) == 0 ||
		    uv_timer_get_due_in(&k->timer) > KERNEL_NUDGE_MS)
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
	/* A process that does not listen yet would not get the request: it would stay queued and
	 * end the next process. One that an earlier agent left does listen, though it may not have
	 * replied to this agent. */
	if (k->answered || (k->adopted && !restart))
		bridge_ask(k, WIRE_CONTROL, "shutdown_request",
		    restart ? "{\"restart\":true}" : "{\"restart\":false}");
	else
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
	if (k->state == KERNEL_EXPECTED) /* it is in the record, but init does not have it */
		kernel_move(k, KERNEL_DEAD, "was not there");
	kernel_move(k, KERNEL_STOPPING, "asked to end");
	if (k->pid > 0)
		ask_to_end(k, false);
	else if (!had_process)
		ev_free_later(k->owner->opts.loop, k, remove_later);
}

int kernel_restart(struct kernel *k, kernel_done_fn done, void *arg, struct cyg_err *err)
{
	if (k->state == KERNEL_STOPPING || k->state == KERNEL_EXPECTED)
		return cyg_fail(err, CYG_EEXIST, "the kernel is being ended");
	k->restarts = 0;
	free(CYG_TAKE(k->reason));
	note_action(k, "restart");
	if (k->state == KERNEL_DEAD)
		bridge_drop_held(k);
	if (k->state == KERNEL_STARTING || k->state == KERNEL_READY) {
		kernel_move(k, KERNEL_RESTARTING, "asked to restart");
		bridge_drop_held(k);
		bridge_drop_running(k);
		ask_to_end(k, true);
	} else if (k->state == KERNEL_DEAD) {
		signal_process(k, SIGKILL); /* it may still run, although it could not be reached */
		kernel_move(k, KERNEL_LAUNCHING, "asked to restart");
		kernel_launch(k);
	}
	add_waiter(k, KERNEL_WAIT_READY, done, arg);
	return 0;
}

int kernel_interrupt(struct kernel *k, struct cyg_err *err)
{
	if (k->pid <= 0)
		return cyg_fail(err, CYG_EEXIST, "the kernel does not run");
	note_action(k, "interrupt");
	if (!k->answered && !k->adopted)
		return 0; /* it has no work yet; a signal would end it while it starts */
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

static void tell_running(struct kernel *k, const char *running)
{
	cyg_autofree char *text = cyg_xasprintf("The kernel died: %s.\n", k->reason);
	cyg_autobuf struct cyg_buf b;
	struct jsonw w;

	cyg_buf_init(&b, KERNEL_HEADER_MAX);
	jsonw_init(&w, &b);
	jsonw_object(&w);
	jsonw_key_cstr(&w, "name", "stderr");
	jsonw_key_cstr(&w, "text", text);
	jsonw_object_end(&w);
	if (jsonw_finish(&w, NULL) == 0)
		bridge_forge(k, "stream", running, b.data);
}

/* Writes the reason into the cell that was running, and sends the status to all clients. */
static void tell_clients(struct kernel *k, const char *status)
{
	cyg_autofree char *state = cyg_xasprintf("{\"execution_state\":\"%s\"}", status);
	const char *running = bridge_running(k);

	if (running != NULL)
		tell_running(k, running);
	bridge_forge(k, "status", NULL, state);
	bridge_drop_running(k);
}

/* Chooses new ports: the old ones may be why it died. */
static int renew_ports(struct kernel *k, struct cyg_err *err)
{
	char key[CONNFILE_KEY_LEN + 1];
	int rc;

	if (k->conn.ipc)
		return 0;
	memcpy(key, k->conn.key, sizeof(key));
	kernel_close_sockets(k);
	rc = connfile_choose(&k->conn, k->owner->connection_dir, false, k->name, err);
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

	free(k->reason);
	k->reason = reason;
	cyg_log_warn(k->id, "%s died: %s", k->name, k->reason);
	if (k->owner->opts.on_done != NULL)
		k->owner->opts.on_done(k->owner->opts.arg, k, (struct cyg_str){ NULL, 0 });
	if (stable)
		k->restarts = 0;
	if (k->restarts++ >= KERNEL_RESTARTS_MAX) {
		kernel_move(k, KERNEL_DEAD, k->reason);
		tell_clients(k, "dead");
		(void)cyg_fail(&err, CYG_ESYS, "The kernel died: %s", k->reason);
		kernel_wake(k, KERNEL_WAIT_READY, &err);
		return;
	}
	tell_clients(k, "restarting");
	kernel_move(k, KERNEL_LAUNCHING, "started again");
	if (!stable && renew_ports(k, &err) < 0)
		launch_failed(k, &err);
	else
		kernel_launch(k);
}

void kernel_on_exited(struct kernel *k, const struct init_exited *exited)
{
	(void)uv_timer_stop(&k->timer);
	k->pid = 0;
	if (k->state == KERNEL_STOPPING) {
		kernel_wake(k, KERNEL_WAIT_GONE, NULL);
		kernel_remove(k);
		return;
	}
	if (k->state == KERNEL_RESTARTING) {
		kernel_move(k, KERNEL_LAUNCHING, "the old process has ended");
		kernel_launch(k);
		return;
	}
	kernel_on_death(k, explain(exited));
}

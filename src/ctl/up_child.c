/* One supervised daemon: started with its descriptors, started again with back-off, stopped in the
 * end. */
#include "base/clock.h"
#include "base/mem.h"
#include "ctl/up.h"
#include "daemon/log.h"
#include "daemon/loop.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum {
	PAUSE_FIRST_MS = 100,
	PAUSE_MAX_MS = 5000,
	LIVED_WELL_MS = 10000,
	FD_FIRST = 3,
	NAMES_MAX = 256
};

struct up_child {
	uv_process_t process;
	uv_timer_t timer; /* pause before a restart, or grace before SIGKILL */
	struct up_child_spec spec;
	struct up_supervisor sup;
	bool running, stopping;
	uint64_t pause_ms, started_ms;
	unsigned deaths; /* in a row */
};

static int child_spawn(struct up_child *c, struct cyg_err *err);

static void on_pause_over(uv_timer_t *timer)
{
	struct up_child *c = timer->data;
	struct cyg_err err;

	if (c->stopping || child_spawn(c, &err) == 0)
		return;
	cyg_log_error(c->spec.name, "cannot start: %s", err.msg);
	(void)uv_timer_start(&c->timer, on_pause_over, c->pause_ms, 0);
}

/* The process handle has closed and may be used again. */
static void on_process_closed(uv_handle_t *h)
{
	struct up_child *c = h->data;

	if (c->stopping) {
		c->sup.on_end(c->sup.arg, c);
		return;
	}
	(void)uv_timer_start(&c->timer, on_pause_over, c->pause_ms, 0);
	c->pause_ms = c->pause_ms * 2 < PAUSE_MAX_MS ? c->pause_ms * 2 : PAUSE_MAX_MS;
}

static void on_child_exit(uv_process_t *process, int64_t status, int signum)
{
	struct up_child *c = process->data;

	c->running = false;
	(void)uv_timer_stop(&c->timer);
	uv_close((uv_handle_t *)process, on_process_closed);
	if (c->stopping)
		return;
	if (cyg_clock_mono_ms() - c->started_ms > LIVED_WELL_MS) {
		c->pause_ms = PAUSE_FIRST_MS;
		c->deaths = 0;
	}
	if (signum != 0)
		cyg_log_warn(c->spec.name, "killed by signal %d (%s); starting it again in %llu ms",
		    signum, strsignal(signum), (unsigned long long)c->pause_ms);
	else
		cyg_log_warn(c->spec.name, "ended with code %lld; starting it again in %llu ms",
		    (long long)status, (unsigned long long)c->pause_ms);
	c->sup.on_death(c->sup.arg, c, ++c->deaths);
}

/* The environment of a daemon: what it must know to find its descriptors, and nothing of ours. */
static void child_environment(const struct up_child *c, char *env[8], char names[NAMES_MAX])
{
	size_t n = (size_t)snprintf(names, NAMES_MAX, "LISTEN_FDNAMES=");

	for (size_t i = 0; i < c->spec.n_fds; i++)
		n += (size_t)snprintf(names + n, NAMES_MAX - n, "%s:", c->spec.fd_names[i]);
	(void)snprintf(names + n, NAMES_MAX - n, "parent");
	env[0] = names;
	env[1] = cyg_xasprintf("LISTEN_FDS=%zu", c->spec.n_fds + 1);
	env[2] = cyg_xstrdup("LISTEN_PID=0");
	env[3] = cyg_xstrdup("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	env[4] = cyg_xstrdup("LANG=C.UTF-8");
	if (getenv("ASAN_OPTIONS") != NULL)
		env[5] = cyg_xasprintf("ASAN_OPTIONS=%s", getenv("ASAN_OPTIONS"));
}

static int child_spawn(struct up_child *c, struct cyg_err *err)
{
	uv_stdio_container_t stdio[FD_FIRST + UP_FDS_MAX + 1] = { { .flags = UV_IGNORE },
		{ .flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO },
		{ .flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO } };
	char names[NAMES_MAX];
	char *env[8] = { NULL };
	uv_process_options_t options = { .exit_cb = on_child_exit,
		.file = c->spec.args[0],
		.args = (char **)(uintptr_t)c->spec.args,
		.env = env,
		.stdio = stdio,
		.stdio_count = (int)(FD_FIRST + c->spec.n_fds + 1) };
	int rc;

	for (size_t i = 0; i <= c->spec.n_fds; i++) {
		stdio[FD_FIRST + i].flags = UV_INHERIT_FD;
		stdio[FD_FIRST + i].data.fd = i < c->spec.n_fds ? c->spec.fds[i] : c->sup.parent_fd;
	}
	/* A session of its own: Ctrl-C is for us, and we end the daemons in order. */
	options.flags = UV_PROCESS_DETACHED;
	if (c->spec.uid != (uid_t)-1) {
		options.flags |= UV_PROCESS_SETUID | UV_PROCESS_SETGID;
		options.uid = c->spec.uid;
		options.gid = c->spec.gid;
	}
	child_environment(c, env, names);
	rc = uv_spawn(c->sup.loop, &c->process, &options);
	for (size_t i = 1; i < CYG_N(env); i++)
		free(env[i]);
	c->process.data = c;
	if (rc < 0) { /* the handle is on the loop all the same */
		uv_close((uv_handle_t *)&c->process, NULL);
		return cyg_fail(err, CYG_ESYS, "start %s: %s", c->spec.args[0], uv_strerror(rc));
	}
	c->running = true;
	c->started_ms = cyg_clock_mono_ms();
	return 0;
}

int up_child_start(const struct up_supervisor *sup, const struct up_child_spec *spec,
    struct up_child **ret, struct cyg_err *err)
{
	struct up_child *c = cyg_xcalloc(1, sizeof(*c));
	int rc;

	c->sup = *sup;
	c->spec = *spec;
	c->pause_ms = PAUSE_FIRST_MS;
	(void)uv_timer_init(sup->loop, &c->timer);
	c->timer.data = c;
	rc = child_spawn(c, err);
	if (rc < 0) {
		up_child_close(c);
		return rc;
	}
	*ret = c;
	return 0;
}

static void on_grace_over(uv_timer_t *timer)
{
	struct up_child *c = timer->data;

	if (!c->running)
		return;
	cyg_log_warn(c->spec.name, "does not end; killing it");
	(void)uv_process_kill(&c->process, SIGKILL);
}

void up_child_stop(struct up_child *c, int signum, uint64_t grace_ms)
{
	c->stopping = true;
	(void)uv_timer_stop(&c->timer);
	if (!c->running)
		return;
	if (signum != 0)
		(void)uv_process_kill(&c->process, signum);
	if (grace_ms > 0)
		(void)uv_timer_start(&c->timer, on_grace_over, grace_ms, 0);
}

bool up_child_is_running(const struct up_child *c)
{
	return c->running;
}

const char *up_child_name(const struct up_child *c)
{
	return c->spec.name;
}

pid_t up_child_pid(const struct up_child *c)
{
	return c->running ? c->process.pid : -1;
}

static void on_timer_closed(uv_handle_t *h)
{
	/* Not at once: the process handle may still be closing in the same turn. */
	ev_free_later(h->loop, h->data, free);
}

void up_child_close(struct up_child *c)
{
	if (c == NULL)
		return;
	(void)uv_timer_stop(&c->timer);
	uv_close((uv_handle_t *)&c->timer, on_timer_closed);
}

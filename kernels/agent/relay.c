/* The relay, read downwards: take the environment, run the command, wait for its socket (inotify),
 * accept and connect, copy bytes (relay_pump.c); when the command ends, end too. */
#include "kernels/agent/relay.h"

#include "base/mem.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "daemon/unixsock.h"
#include "kernels/agent/relay_pump.h"
#include "kernels/base/hello.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum {
	WAITING_MAX = 1024, /* accepted before the command listens; more stay in the backlog */
	GAP_MS = 20,        /* between bind(2) and listen(2) of the command, which no event marks */
	GRACE_MS = 10000,   /* from SIGTERM to SIGKILL */
};

struct relay {
	const struct relay_opts *opts;
	struct cyg_loop *loop;
	uv_loop_t *uv;
	pid_t pid;
	int pid_fd, notify_fd;
	uv_poll_t child, listener, notify;
	uv_timer_t gap, grace;
	int status;
	bool ended, answered;
	struct cyg_list pumps;
	int waiting[WAITING_MAX];
	size_t n_waiting;
};

static void run_command(struct relay *r, const struct hello_env *env)
{
	sigset_t none;

	/* The command must not outlive the relay: init would start a second one beside it. */
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)setpgid(0, 0);
	(void)dup2(STDERR_FILENO, STDOUT_FILENO); /* init reads stages from our standard output */
	if (env->list != NULL)
		environ = env->list;
	(void)close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	(void)execvp(r->opts->command[0], r->opts->command);
	(void)dprintf(STDERR_FILENO, "cygnet-agent: cannot run %s: %s\n", r->opts->command[0],
	    strerror(errno));
	_exit(127);
}

static int start_command(struct relay *r, struct cyg_err *err)
{
	struct hello_env env = { 0 };
	int rc = 0;

	if (r->opts->link_fd >= 0)
		rc = hello_wait(r->opts->link_fd, &env, err);
	if (rc < 0)
		return rc;
	(void)unlink(r->opts->socket_path); /* a dead one of an earlier run would look ready */
	r->pid = fork();
	if (r->pid == 0)
		run_command(r, &env);
	hello_free(&env);
	if (r->pid < 0)
		return cyg_fail_sys(err, errno, "fork");
	r->pid_fd = (int)syscall(SYS_pidfd_open, r->pid, 0);
	return r->pid_fd < 0 ? cyg_fail_sys(err, errno, "open the command's pidfd") : 0;
}

/* ---- the command's socket ---- */

static void serve_waiting(struct relay *r);

static void on_gap(uv_timer_t *t)
{
	serve_waiting(t->data);
}

/* Joins one client with a new connection to the command. False: not listening yet. */
static bool join(struct relay *r, int client)
{
	struct cyg_err err = { 0 };
	int fd = unixsock_connect(r->opts->socket_path, SOCK_STREAM, &err);

	if (fd < 0) {
		/* The socket is bound but not listening yet; no event marks that moment. */
		if (err.sys == ECONNREFUSED || err.sys == EAGAIN)
			(void)uv_timer_start(&r->gap, on_gap, GAP_MS, 0);
		return false;
	}
	if (!r->answered)
		cyg_log_info("relay", "the command listens");
	r->answered = true;
	if (relay_pump_new(r->uv, client, fd, &r->pumps, &err) < 0)
		cyg_log_warn("relay", "%s", err.msg);
	return true;
}

static void on_listener(uv_poll_t *h, int status, int events);

static void serve_waiting(struct relay *r)
{
	size_t done = 0;

	while (done < r->n_waiting && join(r, r->waiting[done]))
		done++;
	memmove(r->waiting, r->waiting + done, (r->n_waiting - done) * sizeof(int));
	r->n_waiting -= done;
	if (r->n_waiting < WAITING_MAX && !r->ended)
		(void)uv_poll_start(&r->listener, UV_READABLE, on_listener);
}

static void on_listener(uv_poll_t *h, int status, int events)
{
	struct relay *r = h->data;
	int fd = accept4(r->opts->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	r->waiting[r->n_waiting++] = fd;
	if (r->n_waiting == WAITING_MAX)
		(void)uv_poll_stop(&r->listener);
	serve_waiting(r);
}

static void on_notify(uv_poll_t *h, int status, int events)
{
	struct relay *r = h->data;
	char buf[4096];

	while (read(r->notify_fd, buf, sizeof(buf)) > 0)
		;
	serve_waiting(r);
}

/* ---- ends ---- */

static void on_grace(uv_timer_t *t)
{
	struct relay *r = t->data;

	(void)kill(-r->pid, SIGKILL);
}

static void on_end(void *arg, const char *why)
{
	struct relay *r = arg;

	cyg_log_info("relay", "%s: ending the command", why);
	(void)kill(-r->pid, SIGTERM);
	(void)uv_timer_start(&r->grace, on_grace, GRACE_MS, 0);
}

static void on_child(uv_poll_t *h, int status, int events)
{
	struct relay *r = h->data;
	int st = 0;

	if (waitpid(r->pid, &st, WNOHANG) != r->pid)
		return;
	r->ended = true;
	r->status = WIFSIGNALED(st) ? 128 + WTERMSIG(st) : WEXITSTATUS(st);
	cyg_log_info("relay", "the command ended with status %d", r->status);
	(void)kill(-r->pid, SIGTERM); /* processes that it left in its group */
	(void)uv_poll_stop(&r->child);
	cyg_loop_stop(r->loop);
}

static int watch(struct relay *r, uv_poll_t *h, int fd, uv_poll_cb cb, struct cyg_err *err)
{
	int rc = uv_poll_init(r->uv, h, fd);

	h->data = r;
	if (rc == 0)
		rc = uv_poll_start(h, UV_READABLE, cb);
	return rc == 0 ? 0 : cyg_fail_sys(err, -rc, "watch a descriptor of the relay");
}

static int begin(struct relay *r, struct cyg_err *err)
{
	cyg_autofree char *path = cyg_xstrdup(r->opts->socket_path);
	const char *dir = dirname(path);
	int rc;

	r->notify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (r->notify_fd < 0)
		return cyg_fail_sys(err, errno, "inotify");
	if (inotify_add_watch(r->notify_fd, dir, IN_CREATE | IN_MOVED_TO | IN_ATTRIB) < 0)
		return cyg_fail_sys(err, errno, "watch folder '%s'", dir);
	rc = start_command(r, err);
	if (rc == 0)
		rc = watch(r, &r->child, r->pid_fd, on_child, err);
	if (rc == 0)
		rc = watch(r, &r->listener, r->opts->listen_fd, on_listener, err);
	if (rc == 0)
		rc = watch(r, &r->notify, r->notify_fd, on_notify, err);
	(void)uv_timer_init(r->uv, &r->gap);
	(void)uv_timer_init(r->uv, &r->grace);
	r->gap.data = r->grace.data = r;
	return rc;
}

static void close_handle(uv_handle_t *h)
{
	if (h->type != UV_UNKNOWN_HANDLE && !uv_is_closing(h))
		uv_close(h, NULL);
}

static void finish(struct relay *r)
{
	relay_pump_end_all(&r->pumps);
	for (size_t i = 0; i < r->n_waiting; i++)
		cyg_close(r->waiting[i]);
	close_handle((uv_handle_t *)&r->child);
	close_handle((uv_handle_t *)&r->listener);
	close_handle((uv_handle_t *)&r->notify);
	close_handle((uv_handle_t *)&r->gap);
	close_handle((uv_handle_t *)&r->grace);
	if (r->pid > 0 && !r->ended)
		(void)kill(-r->pid, SIGKILL);
	cyg_loop_free(r->loop);
	cyg_close(r->pid_fd);
	cyg_close(r->notify_fd);
}

int relay_run(const struct relay_opts *opts, struct cyg_err *err)
{
	struct relay *r = cyg_xcalloc(1, sizeof(*r));
	int rc;

	r->opts = opts;
	r->pid_fd = r->notify_fd = -1;
	cyg_list_init(&r->pumps);
	rc = cyg_loop_new(on_end, r, -1, &r->loop, err);
	if (rc < 0) {
		free(r);
		return rc;
	}
	r->uv = cyg_loop_uv(r->loop);
	rc = begin(r, err);
	if (rc == 0) {
		cyg_loop_run(r->loop);
		rc = r->status;
	}
	finish(r);
	free(r);
	return rc;
}

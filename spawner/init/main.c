/* cygnet-init: runs the setup scripts, then the agent with descriptor 3 = the listening socket and
 * 4 = its link, starts it again when it dies, reaps everything, and ends everything on SIGTERM.
 * Read from the end: main sets up, turn() is one turn of the loop. */
#include "spawner/init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

uint64_t init_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void init_stage(const struct init *in, const char *name, bool failed)
{
	dprintf(1, "stage %s %s%llu\n", name, failed ? "failed " : "",
	    (unsigned long long)(init_now_ms() - in->began_ms));
}

static void die(int code, const char *what)
{
	dprintf(2, "cygnet-init: %s\n", what);
	_exit(code);
}

pid_t init_fork(void)
{
	pid_t init = getpid(), pid = fork();
	sigset_t none;
	int null;

	if (pid != 0)
		return pid;
	sigemptyset(&none);
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	/* Without a pid namespace nothing else would end an agent and kernels whose init was
	 * killed. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != init)
		_exit(126);
	if (setsid() < 0 || null < 0 || dup2(null, 0) < 0 || sigprocmask(SIG_SETMASK, &none, NULL))
		_exit(126);
	return 0;
}

int init_log_open(const struct init *in, const char *name, int flags)
{
	char path[CYG_PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/log/%s", in->run_dir, name) >= (int)sizeof(path))
		return -1;
	return open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | flags, 0600);
}

/* As pid 1, signals every process. Else our children, which include orphans because we are a
 * subreaper. */
static void signal_all(const struct init *in, int sig)
{
	char list[4096], *at = list, *end;
	int fd = -1;
	ssize_t n;

	if (in->is_pid1) {
		(void)kill(-1, sig);
		return;
	}
	(void)snprintf(list, sizeof(list), "/proc/self/task/%d/children", getpid());
	fd = open(list, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, list, sizeof(list) - 1);
	(void)close(fd);
	list[n > 0 ? n : 0] = '\0';
	for (long pid; (pid = strtol(at, &end, 10)) > 1 && end != at; at = end) {
		(void)kill((pid_t)-pid, sig);
		(void)kill((pid_t)pid, sig);
	}
}

static void stop_rest(struct init *in)
{
	in->due_ms = in->kill_ms;
	signal_all(in, SIGTERM);
	/* An interactive shell ignores SIGTERM, so terminals get SIGHUP. */
	for (size_t i = 0; i < in->n_procs; i++)
		if (in->procs[i].info.pty != 0 && !in->procs[i].exited)
			(void)kill(-in->procs[i].info.pid, SIGHUP);
}

void init_stop(struct init *in, int code, uint64_t grace_ms)
{
	if (in->stopping)
		return;
	in->stopping = true;
	in->exit_code = code;
	in->due_ms = in->kill_ms = init_now_ms() + grace_ms;
	if (grace_ms > 0 && in->agent > 0 && kill(in->agent, SIGTERM) == 0)
		in->due_ms -= grace_ms / 2; /* the agent's own: it shuts its kernels down first */
	else if (grace_ms > 0)
		stop_rest(in);
	else
		signal_all(in, SIGKILL);
}

static void agent_exec(const struct init *in, int link)
{
	int log = init_log_open(in, "agent.log", O_APPEND);

	if (log < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0 || fcntl(INIT_FD_LISTEN, F_SETFD, 0))
		_exit(126);
	if (link == INIT_FD_LINK ? fcntl(link, F_SETFD, 0) < 0 : dup2(link, INIT_FD_LINK) < 0)
		_exit(126);
	(void)close_range(INIT_FD_LINK + 1, ~0U, 0);
	execve(in->command[0], in->command, in->agent_env);
	dprintf(2, "cygnet-init: cannot run %s: %s\n", in->command[0], strerror(errno));
	_exit(127);
}

static void agent_start(struct init *in)
{
	struct timeval patience = { .tv_sec = INIT_LINK_MS / 1000 };
	struct init_hello hello = { .restarts = in->restarts, .env_bytes = (uint32_t)in->env_len };
	int link[2], env = env_memfd(in);

	if (env < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, link) < 0)
		die(INIT_EXIT_SYS, "cannot make the agent's link");
	in->due_ms = 0;
	in->agent = init_fork();
	if (in->agent == 0)
		agent_exec(in, link[1]);
	if (in->agent < 0)
		die(INIT_EXIT_SYS, "cannot fork the agent");
	close(link[1]);
	in->link = link[0];
	(void)setsockopt(in->link, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (in->restarts++ == 0)
		init_stage(in, "agent", false);
	(void)link_send(in, &hello, sizeof(hello), INIT_HELLO, env);
	close(env);
}

static void link_close(struct init *in)
{
	if (in->link >= 0)
		close(in->link);
	in->link = -1;
}

/* Starts it again after a pause that doubles; gives up at the fifth death within a minute. */
static void agent_died(struct init *in)
{
	uint64_t now = init_now_ms();
	unsigned recent = 0;

	in->agent = 0;
	link_close(in);
	children_forget(in);
	memmove(in->deaths, in->deaths + 1, sizeof(in->deaths) - sizeof(in->deaths[0]));
	in->deaths[INIT_DEATHS_MAX - 1] = now;
	for (size_t i = 0; i < INIT_DEATHS_MAX; i++)
		recent += in->deaths[i] != 0 && now - in->deaths[i] < INIT_DEATHS_MS;
	if (in->stopping && now < in->kill_ms)
		stop_rest(in);
	if (in->stopping)
		return;
	in->due_ms = now + ((uint64_t)INIT_BACKOFF_MS << recent) / 2;
	if (recent < INIT_DEATHS_MAX)
		return;
	init_stage(in, "agent", true);
	dprintf(2, "cygnet-init: the agent died %d times in a minute\n", INIT_DEATHS_MAX);
	init_stop(in, INIT_EXIT_AGENT, 0);
}

static void go_on(struct init *in)
{
	in->began_ms = init_now_ms();
	agent_start(in);
}

static void reap(struct init *in)
{
	struct rusage usage;
	int status;
	pid_t pid;

	while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
		if (pid == in->script_pid) {
			if (script_done(in, status))
				go_on(in);
		} else if (pid == in->agent) {
			agent_died(in);
		} else {
			children_exited(in, pid, status, (uint64_t)usage.ru_maxrss * 1024);
		}
	}
	if (pid < 0 && errno == ECHILD && in->stopping)
		_exit(in->exit_code);
}

static void due(struct init *in)
{
	in->due_ms = 0;
	if (in->stopping && init_now_ms() < in->kill_ms) {
		stop_rest(in);
	} else if (in->stopping) {
		signal_all(in, SIGKILL);
		in->due_ms = init_now_ms() + INIT_SWEEP_MS;
		reap(in);
	} else if (in->script != SCRIPTS) {
		(void)script_done(in, -1);
	} else if (in->agent == 0) {
		agent_start(in);
	}
}

static void turn(struct init *in, int signals)
{
	struct pollfd fds[3 + INIT_CHILDREN_MAX] = { { signals, POLLIN, 0 },
		{ in->link, POLLIN, 0 }, { in->script_out, POLLIN, 0 } };
	nfds_t n_fds = 3;
	uint64_t now = init_now_ms();
	struct signalfd_siginfo info;
	int timeout_ms = -1;

	if (in->due_ms != 0)
		timeout_ms = in->due_ms <= now ? 0 : (int)(in->due_ms - now);
	for (size_t i = 0; i < in->n_procs; i++)
		if (in->procs[i].outcome >= 0)
			fds[n_fds++] = (struct pollfd){ in->procs[i].outcome, POLLIN, 0 };
	if (poll(fds, n_fds, timeout_ms) < 0 && errno != EINTR)
		die(INIT_EXIT_SYS, "poll failed");
	children_settle(in);
	if (fds[1].revents != 0 && !children_message(in))
		link_close(in);
	if (fds[2].revents != 0)
		script_read(in);
	while (fds[0].revents != 0 && read(signals, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo != SIGCHLD)
			init_stop(in, INIT_EXIT_OK, INIT_GRACE_MS);
	reap(in);
	if (in->due_ms != 0 && in->due_ms <= init_now_ms())
		due(in);
}

static void options(struct init *in, int argc, char **argv)
{
	static char no_python[] = "PYTHONNOUSERSITE=1", no_r[] = "R_LIBS_USER=/nonexistent";
	static const struct option table[] = { { "run-dir", 1, NULL, 'r' },
		{ "setup", 1, NULL, 's' }, { "user-script", 1, NULL, 'u' },
		{ "deadline-ms", 1, NULL, 'd' }, { "env", 1, NULL, 'e' },
		{ "home-packages", 0, NULL, 'h' }, { NULL, 0, NULL, 0 } };
	bool good = true;
	size_t n = 0;

	opterr = 0; /* we print a usage line ourselves */
	for (int c; good && (c = getopt_long(argc, argv, "+", table, NULL)) != -1;) {
		if (c == 'h')
			in->home_packages = true;
		else if (c == 'r')
			in->run_dir = optarg;
		else if (c == 'd')
			in->deadline_ms = strtoull(optarg, NULL, 10);
		else if (c == 'e' && n < INIT_ENV_ARGS_MAX && strchr(optarg, '=') != NULL)
			in->agent_env[n++] = optarg;
		else if ((c == 's' || c == 'u') && optarg[0] == '/')
			in->scripts[c == 's' ? SCRIPT_SETUP : SCRIPT_USER] = optarg;
		else
			good = false;
	}
	if (!good || optind >= argc || in->deadline_ms == 0 ||
	    in->deadline_ms > INIT_DEADLINE_MAX_MS)
		die(INIT_EXIT_USAGE, "usage: cygnet-init [--run-dir DIR] [--setup SCRIPT] "
				     "[--deadline-ms N] [--user-script PATH] [--home-packages] "
				     "[--env NAME=VALUE]... -- COMMAND ARG...");
	if (!in->home_packages) {
		in->agent_env[n++] = no_python;
		in->agent_env[n] = no_r;
	}
	in->command = argv + optind;
}

int main(int argc, char **argv)
{
	static struct init in = { .run_dir = "/run/cygnet",
		.deadline_ms = INIT_DEADLINE_MS,
		.link = -1,
		.script_out = -1,
		.script = SCRIPTS };
	sigset_t all;
	int signals;

	options(&in, argc, argv);
	in.is_pid1 = getpid() == 1;
	(void)close_range(INIT_FD_LINK, ~0U, 0);
	/* Not dumpable: what runs beside us as the same user cannot open our descriptors. */
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigemptyset(&all);
	for (const int *s = (const int[]){ SIGCHLD, SIGTERM, SIGINT, SIGHUP, 0 }; *s != 0; s++)
		sigaddset(&all, *s);
	sigprocmask(SIG_SETMASK, &all, NULL);
	signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0 || fcntl(INIT_FD_LISTEN, F_SETFD, FD_CLOEXEC) < 0)
		die(INIT_EXIT_SYS, "descriptor 3 must be the listening socket");
	if (!env_join(&in, in.agent_env))
		die(INIT_EXIT_SYS, "out of memory");
	dprintf(1, "ready\n");
	if (!script_next(&in, SCRIPT_SETUP))
		go_on(&in);
	for (;;)
		turn(&in, signals);
}

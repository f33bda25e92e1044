/* The setup scripts, which run before the agent: the stack's, then the user's. Each is sourced by a
 * bash in a process group of its own, with a deadline. Its environment comes back in a memfd, its
 * last output is kept in log/ of the run folder, and its name and time are printed as a stage. */
#include "spawner/init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
	const char *stage, *log;
	int failed, timed_out;
} script_table[SCRIPTS] = {
	[SCRIPT_SETUP] = { "setup", "setup.log", INIT_EXIT_SETUP, INIT_EXIT_SETUP_TIME },
	[SCRIPT_USER] = { "user-script", "user-script.log", INIT_EXIT_USER, INIT_EXIT_USER_TIME },
};

/* The trap also works for scripts that end by `exit 0`. env is called by its path because the
 * script may have changed PATH. A stack is often a virtual environment, whose Python ignores
 * packages in the home; so we ask Python for their folder and put it on PYTHONPATH. */
#define SCRIPT_BEGIN "trap 'r=$?; trap - EXIT; [ $r -eq 0 ] && { "
#define SCRIPT_END   "/usr/bin/env -0 >&3 || r=1; }; exit $r' EXIT\n. \"$1\""
static char script_text[] = SCRIPT_BEGIN SCRIPT_END;
static char script_text_home[] = SCRIPT_BEGIN
    "u=$(python3 -m site --user-site 2>/dev/null) || :; "
    "[ -z \"$u\" ] || export PYTHONPATH=\"$u${PYTHONPATH:+:$PYTHONPATH}\"; " SCRIPT_END;

static void script_exec(const struct init *in, int out)
{
	char bash[] = "/bin/bash", norc[] = "--norc", noprofile[] = "--noprofile", c[] = "-c";
	char zero[] = "cygnet-setup";
	char *path = strdup(in->scripts[in->script]);
	bool home = in->home_packages && in->script == SCRIPT_SETUP;
	char *text = home ? script_text_home : script_text;
	char *argv[] = { bash, noprofile, norc, c, text, zero, path, NULL };
	size_t n = 0;

	for (size_t at = 0; at < in->env_len; at += strlen(in->env + at) + 1)
		n++;
	if (path == NULL || dup2(out, 1) < 0 || dup2(out, 2) < 0 || dup2(in->script_env, 3) < 0)
		_exit(126);
	(void)close_range(4, ~0U, 0);
	execve(bash, argv, env_list(in->env, in->env_len, n));
	dprintf(2, "cygnet-init: cannot run %s: %s\n", bash, strerror(errno));
	_exit(127);
}

bool script_next(struct init *in, enum init_script from)
{
	int pipe_fds[2];

	for (in->script = from; in->script < SCRIPTS; in->script++)
		if (in->scripts[in->script] != NULL)
			break;
	if (in->script == SCRIPTS)
		return false;
	in->began_ms = init_now_ms();
	in->due_ms = in->began_ms + in->deadline_ms;
	in->tail_len = 0;
	in->script_env = memfd_create("script environment", MFD_CLOEXEC);
	if (in->script_env < 0 || pipe2(pipe_fds, O_CLOEXEC) < 0 ||
	    fcntl(pipe_fds[0], F_SETFL, O_NONBLOCK) < 0)
		_exit(INIT_EXIT_SYS);
	in->script_pid = init_fork();
	if (in->script_pid == 0)
		script_exec(in, pipe_fds[1]);
	if (in->script_pid < 0)
		_exit(INIT_EXIT_SYS);
	close(pipe_fds[1]);
	in->script_out = pipe_fds[0];
	return true;
}

void script_read(struct init *in)
{
	for (int turns = 0; turns < 64 && in->script_out >= 0; turns++) {
		ssize_t n;

		if (in->tail_len == sizeof(in->tail)) {
			in->tail_len = CYG_TAIL_MAX;
			memmove(in->tail, in->tail + CYG_TAIL_MAX, CYG_TAIL_MAX);
		}
		n = read(in->script_out, in->tail + in->tail_len, sizeof(in->tail) - in->tail_len);
		if (n == 0) {
			close(in->script_out);
			in->script_out = -1;
		}
		if (n <= 0)
			return;
		in->tail_len += (size_t)n;
	}
}

/* Adds a message of ours to the end of the script's output. */
static void tail_add(struct init *in, const char *text)
{
	size_t len = strlen(text);

	if (in->tail_len > CYG_TAIL_MAX) {
		memmove(in->tail, in->tail + in->tail_len - CYG_TAIL_MAX, CYG_TAIL_MAX);
		in->tail_len = CYG_TAIL_MAX;
	}
	memcpy(in->tail + in->tail_len, text, len);
	in->tail_len += len;
}

bool script_done(struct init *in, int status)
{
	enum init_script script = in->script;
	bool timed_out = status == -1;
	bool failed = timed_out || !WIFEXITED(status) || WEXITSTATUS(status) != 0;
	size_t skip;
	int log;

	script_read(in);
	if (!failed && !env_take(in, in->script_env)) {
		failed = true;
		tail_add(in,
		    "cygnet: the script left no environment, or one of more than 1 MiB. "
		    "It is sourced: it must not end by exec, nor write to descriptor 3.\n");
	}
	skip = in->tail_len > CYG_TAIL_MAX ? in->tail_len - CYG_TAIL_MAX : 0;
	log = init_log_open(in, script_table[script].log, O_TRUNC);
	if (log >= 0) {
		(void)!write(log, in->tail + skip, in->tail_len - skip);
		close(log);
	}
	if (timed_out)
		(void)kill(-in->script_pid, SIGKILL);
	close(in->script_env);
	if (in->script_out >= 0)
		close(in->script_out);
	in->script_out = -1;
	in->script = SCRIPTS;
	in->script_pid = 0;
	init_stage(in, script_table[script].stage, failed);
	if (failed)
		init_stop(in,
		    timed_out ? script_table[script].timed_out : script_table[script].failed, 0);
	/* A script that succeeds while we are stopping must not start what comes next. */
	return !failed && !in->stopping && !script_next(in, script + 1);
}

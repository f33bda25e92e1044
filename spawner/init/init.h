/* cygnet-init, pid 1 of every container: the struct that its four files share. main.c holds the
 * loop and the agent, script.c the setup scripts, env.c the environment that they leave, children.c
 * what the agent asks for. It uses libc and include/cygnet only; an error is one line on stderr and
 * an exit code. */
#ifndef INIT_INIT_H
#define INIT_INIT_H

#include "cygnet/init_msg.h"
#include "cygnet/spawn_msg.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum {
	INIT_DEATHS_MAX = 5,           /* deaths of the agent within INIT_DEATHS_MS: give up */
	INIT_DEATHS_MS = 60 * 1000,    /* after each it pauses INIT_BACKOFF_MS, doubled */
	INIT_BACKOFF_MS = 100,         /* by each death */
	INIT_DEADLINE_MS = 120 * 1000, /* of a script, unless --deadline-ms says */
	INIT_DEADLINE_MAX_MS = 24 * 3600 * 1000,
	INIT_GRACE_MS = 10 * 1000,        /* from SIGTERM to SIGKILL when asked to stop */
	INIT_SWEEP_MS = 100,              /* between two SIGKILLs of processes that do not end */
	INIT_LINK_MS = 5 * 1000,          /* an agent that does not read for so long is replaced */
	INIT_START_MAX = 2 * 1024 * 1024, /* argv and environment of one START */
	INIT_ENV_ARGS_MAX = 64,           /* --env options */
};

enum init_script { SCRIPT_SETUP, SCRIPT_USER, SCRIPTS };

struct init_proc {
	struct init_child info; /* as LIST tells it */
	int master;             /* of its pty, or -1 */
	int outcome;            /* a pipe that tells whether it could be executed, -1: it could */
	bool exited;            /* its end is not reported to an agent yet */
	struct init_exited end;
};

struct init {
	const char *run_dir, *scripts[SCRIPTS];
	char **command;
	char *agent_env[INIT_ENV_ARGS_MAX + 3]; /* the options' alone; scripts start from it too */
	char *env; /* "NAME=value\0...": what the scripts left, for kernels */
	size_t env_len;
	uint64_t deadline_ms; /* of each script */
	bool home_packages;
	bool is_pid1;
	enum init_script script; /* the running one, or SCRIPTS */
	pid_t script_pid, agent;
	int script_out, script_env, link;
	char tail[2 * CYG_TAIL_MAX]; /* of the script's output */
	size_t tail_len;
	uint32_t restarts;
	uint64_t deaths[INIT_DEATHS_MAX], began_ms;
	uint64_t due_ms;  /* script's deadline, agent's restart, next step of the stop; 0: none */
	uint64_t kill_ms; /* while stopping: what lives then is killed */
	bool stopping;
	int exit_code;
	uint64_t oom_kills;
	struct init_proc procs[INIT_CHILDREN_MAX];
	size_t n_procs;
};

uint64_t init_now_ms(void);
/* "stage NAME [failed] MS" on standard output; MS counts from began_ms. */
void init_stage(const struct init *in, const char *name, bool failed);
/* fork; the child has a session of its own, no blocked signal and standard input from /dev/null. */
pid_t init_fork(void);
int init_log_open(const struct init *in, const char *name, int flags);
/* Ends everything: SIGTERM to the agent, once it is gone or half of the grace is over to all,
 * SIGKILL after grace_ms (at once without grace), then exit(code). */
void init_stop(struct init *in, int code, uint64_t grace_ms);

/* Starts the first script from `from` on that there is; false when none is left. */
bool script_next(struct init *in, enum init_script from);
void script_read(struct init *in);
/* It ended (status -1: ran into its deadline). True when none is left and the agent may start. */
bool script_done(struct init *in, int status);

/* Reads a script's environment from its memfd, without names that must not reach a kernel. */
bool env_take(struct init *in, int fd);
bool env_join(struct init *in, char *const *list); /* appends */
/* A NULL-ended list of pointers to the n texts in block; the caller frees it. */
char **env_list(char *block, size_t len, size_t n);
/* The environment as a sealed memfd, or -1. */
int env_memfd(const struct init *in);

/* Answers one message of the agent; false when the link is broken. */
bool children_message(struct init *in);
/* Answers every START whose outcome is known by now. */
void children_settle(struct init *in);
/* The agent that asked has gone: outcomes are not reported any more. */
void children_forget(struct init *in);
void children_exited(struct init *in, pid_t pid, int status, uint64_t max_rss);
/* Sends one message; an agent that does not read is killed (and started again). */
bool link_send(struct init *in, void *msg, size_t len, enum init_type type, int fd);

#endif

/* A process that may not be our child: its identity (pid and start time, since pids are reused), a
 * pidfd to signal it by, and a watch on the loop that tells when it ended. */
#ifndef SPAWNER_LOCAL_PROCESS_H
#define SPAWNER_LOCAL_PROCESS_H

#include "cygnet/err.h"

#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

struct process_id {
	pid_t pid;      /* 0: none */
	uint64_t start; /* clock ticks since boot, field 22 of /proc/PID/stat */
};

/* Start time of a living process; 0 when there is none (or it is a zombie). Safe after fork. */
uint64_t process_start_time(pid_t pid);

/* The parent of a process, 0 when it has ended or its parent is out of our sight. */
pid_t process_parent(pid_t pid);

struct process_watch;

/* Watches the process if it is still the one that id names: -CYG_ENOENT when it is not. on_end
 * comes once, from the loop. */
int process_watch_new(uv_loop_t *loop, const struct process_id *id, void (*on_end)(void *arg),
    void *arg, struct process_watch **ret, struct cyg_err *err);
/* No callback comes after it; NULL is accepted. Safe inside the callback. */
void process_watch_close(struct process_watch *w);
/* Signals through the pidfd, so never another process. A process that ended is no error. */
int process_watch_signal(const struct process_watch *w, int sig, struct cyg_err *err);

/* Appends the pids of a text (numbers with one byte between them, as /proc and control groups write
 * them) to list, which holds n of at most max; returns the new n. */
size_t process_parse_pids(const char *text, pid_t *list, size_t n, size_t max);

/* SIGKILLs every descendant of pid (children of children, however often they forked), each stopped
 * first so that it cannot fork on. For containers without a pid namespace. */
void process_kill_tree(pid_t pid);

#endif

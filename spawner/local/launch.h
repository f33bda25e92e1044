/* Starts a process as a user: fork, become the user, exec. */
#ifndef SPAWNER_LOCAL_LAUNCH_H
#define SPAWNER_LOCAL_LAUNCH_H

#include "cygnet/err.h"
#include "spawner/local/cgroup.h"
#include "spawner/local/uids.h"

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

enum { LAUNCH_FDS_MAX = 64, LAUNCH_FD_FIRST = 3, LAUNCH_PROBE_UID = 199999 };

struct launch {
	const char *path;                   /* absolute */
	char *const *argv;                  /* NULL-ended; the environment is always empty */
	const char *cwd;                    /* or NULL */
	const struct uids_account *account; /* uid, gid and groups to become when root */
	int fds[LAUNCH_FDS_MAX];            /* become LAUNCH_FD_FIRST, + 1, ... */
	size_t n_fds;
	int out;                 /* standard output and error */
	int started_fd;          /* the child writes "PID START\n" there first, or -1 */
	int procs[CGROUP_PARTS]; /* the child moves itself in by each */
	size_t n_procs;
	const struct rlimit *files; /* of open files; NULL: ours */
	bool dies_with_us;          /* SIGKILL when this process ends, however it ends */
};

/* Raises our own limit of open files (each server takes three) and returns what it was, which is
 * what servers are to have. */
struct rlimit launch_raise_files(void);

/* Whether this process can become other users: root, unless in a user namespace that maps one uid
 * alone (an unprivileged container). Tried in a child. */
bool launch_may_become_others(void);

/* Starts it in a session of its own with no descriptor but those named. A failure before exec is
 * reported here, with what failed; nothing is left then. */
int launch(const struct launch *l, pid_t *ret, struct cyg_err *err);

/* The same with a function in place of exec (the fault engine's servers). */
int launch_function(
    const struct launch *l, void (*run)(void *arg), void *arg, pid_t *ret, struct cyg_err *err);

#endif

/* What the files of `cygnetctl up` share: options, folders and sockets, supervised children. */
#ifndef CTL_UP_H
#define CTL_UP_H

#include "cygnet/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

/* Fixed unused uids of the daemons when started as root; users' uids start at 200000. */
enum { UP_UID_HUB = 199001, UP_UID_PROXY = 199002, UP_GID_SHARED = 199000 };

struct up_options {
	char *address; /* listen address of the proxy */
	uint64_t port; /* 0: any free one */
	char *state_dir, *run_dir, *cache_dir;
	char *bin_dir, *web_dir, *config_dir;
	char *ready_file, *public_url;
	uint64_t stop_ms;
};

/* Descriptors bound before any daemon starts, so that a restart loses no connection. */
struct up_sockets {
	int http, control, inner, hub, hub_control, spawner;
	unsigned port; /* really bound */
};

/* Fills in the folders that were not named: system folders for root, XDG folders for others. */
int up_default_folders(struct up_options *o, struct cyg_err *err);
/* Makes state, run and cache folders with the owners and modes of the design, and locks the state
 * and the run folder, so that no second Cygnet takes over sockets, servers or accounts of this one.
 * The locks last until locks is closed, also after a failure. */
struct up_locks {
	int state_fd, run_fd; /* -1: not locked */
};
int up_make_folders(const struct up_options *o, struct up_locks *locks, struct cyg_err *err);
int up_bind_sockets(const struct up_options *o, struct up_sockets *s, struct cyg_err *err);
/* Closes them and removes their files. */
void up_close_sockets(const struct up_options *o, struct up_sockets *s);
/* The password of the development sign-in: made at the first start, kept in the state folder
 * (0600), so that a second start has the same. Heap; the caller cleanses and frees it. *path: the
 * file, heap. */
int up_password(const struct up_options *o, char **password, char **path, struct cyg_err *err);
/* A token for this run by which the hub recognises us; written to a file that only the hub's uid
 * reads. */
int up_admin_token(const struct up_options *o, char **token, char **path, struct cyg_err *err);
/* Writes the ready file (0600): {url, user, password, pid} as JSON. */
int up_write_ready(
    const struct up_options *o, const char *url, const char *password, struct cyg_err *err);

/* ---- supervised children ---- */
enum { UP_FDS_MAX = 4, UP_ARGS_MAX = 40 };

struct up_child_spec {
	const char *name;              /* "proxy": for the log */
	const char *args[UP_ARGS_MAX]; /* NULL-ended; args[0] is the program's path */
	int fds[UP_FDS_MAX];
	const char *fd_names[UP_FDS_MAX];
	size_t n_fds;
	uid_t uid; /* to switch to; (uid_t)-1: stay */
	gid_t gid;
};

struct up_child;
/* Called when the child has ended and will not be started again. */
typedef void (*up_child_end_fn)(void *arg, struct up_child *c);
/* Called when it has died and will be started again; deaths counts those without a life of ten
 * seconds between them. */
typedef void (*up_child_death_fn)(void *arg, struct up_child *c, unsigned deaths);

/* Starts it, and again whenever it dies, with a pause that doubles up to 5 s. The spec is copied;
 * its strings must live as long as the child. parent_fd: read end of the pipe whose end means we
 * are gone. */
struct up_supervisor {
	uv_loop_t *loop;
	int parent_fd;
	up_child_end_fn on_end;
	up_child_death_fn on_death;
	void *arg;
};
int up_child_start(const struct up_supervisor *sup, const struct up_child_spec *spec,
    struct up_child **ret, struct cyg_err *err);
/* No more restarts. signum: sent to it now (0: none); SIGKILL follows after grace_ms (0: never).
 * on_end comes when it has ended; not when it was not running. */
void up_child_stop(struct up_child *c, int signum, uint64_t grace_ms);
bool up_child_is_running(const struct up_child *c);
const char *up_child_name(const struct up_child *c);
pid_t up_child_pid(const struct up_child *c);
/* Closes its handles and frees it; it must not be running. NULL is accepted. */
void up_child_close(struct up_child *c);

#endif

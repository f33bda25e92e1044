/* The run folder, socket and home of a server on this machine: making and removing them. */
#ifndef SPAWNER_LOCAL_FOLDERS_H
#define SPAWNER_LOCAL_FOLDERS_H

#include "cygnet/err.h"
#include "cygnet/limits.h"
#include "spawner/local/uids.h"

#include <stdbool.h>
#include <sys/types.h>

struct folders {
	char run_dir[CYG_PATH_MAX], state_dir[CYG_PATH_MAX], cache_dir[CYG_PATH_MAX];
	char inner_dir[CYG_PATH_MAX]; /* of the proxy's inner listener, bound into containers */
	gid_t group;                  /* shared by proxy and hub; -1 as an ordinary user */
	bool many_uids;               /* each user has a uid of its own; else all have ours */
	int records;                  /* RUN/spawner/records, 0700 */
	int state;                    /* the state folder */
};

/* Makes what is missing: RUN/{spawner,spawner/records,servers,s}, STATE/{homes,spawner}. */
int folders_open(struct folders *f, struct cyg_err *err);
void folders_close(struct folders *f);

/* Paths; out has CYG_PATH_MAX bytes. */
void folders_run_path(const struct folders *f, const char *id, char *out);
void folders_socket_path(const struct folders *f, const char *id, char *out);
void folders_home_path(const struct folders *f, const char *folder, char *out);

/* Makes the run folder of a server, 0700 of the user's uid, with its subfolders. */
int folders_make_run(
    const struct folders *f, const char *id, const struct uids_account *p, struct cyg_err *err);
/* Makes the home when it is not there, 0700 of the uid. A home of another uid is refused. */
int folders_make_home(
    const struct folders *f, const char *folder, const struct uids_account *p, struct cyg_err *err);
/* Binds and listens on the server's socket; returns the descriptor. */
int folders_listen(const struct folders *f, const char *id, struct cyg_err *err);
/* Removes run folder and socket; secrets are overwritten first. Removes at most max files; *more
 * says that some are left. Blocks: call it in the thread pool only. */
int folders_remove_some(
    const struct folders *f, const char *id, size_t max, bool *more, struct cyg_err *err);
/* Writes the credential as RUNDIR/secrets/credential, 0400 of the uid (process engine; a sandbox
 * has it on a tmpfs of its own). */
int folders_write_credential(const struct folders *f, const char *id, const struct uids_account *p,
    const char *credential, struct cyg_err *err);
/* The last bytes of a log file below the run folder, which the user may have replaced by anything:
 * only a plain file of that uid is read. Returns how many bytes. */
size_t folders_read_tail(
    const struct folders *f, const char *id, const char *log, uid_t uid, char out[CYG_TAIL_MAX]);

#endif

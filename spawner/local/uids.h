/* A user's account on this machine: uid, groups, home. With uids of the spawner's own range a user
 * is known by an id that is never used again, not by name: uid and home stay when the user is
 * renamed, and a later user of the same name gets neither. They are kept in an append-only file, so
 * that no uid is given out twice (docs/decisions/0007). Otherwise the name service is asked, in a
 * child because it may hang (uids_lookup.c). */
#ifndef SPAWNER_LOCAL_UIDS_H
#define SPAWNER_LOCAL_UIDS_H

#include "cygnet/err.h"
#include "cygnet/limits.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

enum {
	UIDS_GROUPS_MAX = 64,
	UIDS_LOOKUP_MS = 10 * 1000,
	UIDS_HOME_MAX = CYG_NAME_MAX + 24, /* "NAME" or "NAME~ID" */
};

struct uids_account {
	uid_t uid;
	gid_t gid;
	gid_t groups[UIDS_GROUPS_MAX]; /* supplementary, of the name service */
	uint32_t n_groups;
	char home[CYG_PATH_MAX]; /* of the name service, else "" */
};

/* The user whom a server is started for. */
struct uids_user {
	uint64_t id;
	uint64_t made_us; /* when the account was made; tells an id of another database */
	const char *name;
	const char *name_before; /* its name when users got ids; "": it was made after that */
};

/* What is kept of a user. */
struct uids_place {
	uid_t uid;
	char home[UIDS_HOME_MAX]; /* name of the folder in STATE/homes */
};

struct uids;

/* Opens (or makes) the file in a folder: "uids", where each user has a uid of the range, or "homes"
 * (count 0), where all have the uid first. A file with a line that is not of its form, or that
 * gives a uid or a home to two users, is refused, with its line. */
int uids_open(int dir, uid_t first, uint32_t count, struct uids **ret, struct cyg_err *err);
void uids_close(struct uids *u);
/* The place of a user; a new one is on disk before this returns, and a failure to write it leaves
 * the file as it was. homes: STATE/homes, where a new home must not be there yet. -CYG_ELIMIT when
 * the range is used up. */
int uids_get(struct uids *u, int homes, const struct uids_user *user, struct uids_place *ret,
    struct cyg_err *err);
/* The place that a user has by id. With id 0: the place that a name had before users had ids, if it
 * was not taken over since. -CYG_ENOENT: none. */
int uids_find(const struct uids *u, uint64_t id, const char *old_name, struct uids_place *ret,
    struct cyg_err *err);
/* Gives that place to another user, who loses the one that they had: its uid is not used again, its
 * home stays where it is. */
int uids_hand_over(struct uids *u, uint64_t from_id, const char *old_name,
    const struct uids_user *to, struct cyg_err *err);

/* Whether a uid is a system account's: no server runs as it. */
bool uids_is_system(uid_t uid);
/* -CYG_EDENIED when the name is a system account's in that passwd file (this machine's own, so
 * that reading it never hangs), or root or nobody. */
int uids_check_name(const char *passwd, const char *name, struct cyg_err *err);

struct uids_lookup;
typedef void (*uids_found_fn)(void *arg, const struct uids_account *p, const struct cyg_err *err);

/* Asks the name service in a child with a deadline; found is called once, from the loop, with p or
 * with err. System accounts' uids are refused. */
int uids_lookup_start(uv_loop_t *loop, const char *user, uids_found_fn found, void *arg,
    struct uids_lookup **ret, struct cyg_err *err);
/* No callback after it; NULL is accepted. */
void uids_lookup_cancel(struct uids_lookup *l);

#endif

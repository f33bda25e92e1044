/* Who a user is on this machine: uid, group, home. One uid for each user from a range the spawner
 * owns, kept in an append-only file so that no uid is ever given out twice; or the user's own by
 * the name service, asked in a child because it may hang. */
#ifndef SPAWNER_LOCAL_UIDS_H
#define SPAWNER_LOCAL_UIDS_H

#include "cygnet/err.h"
#include "cygnet/limits.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

enum { UIDS_GROUPS_MAX = 64, UIDS_USERS_MAX = 1000 * 1000, UIDS_LOOKUP_MS = 10 * 1000 };

struct uids_person {
	uid_t uid;
	gid_t gid;
	gid_t groups[UIDS_GROUPS_MAX]; /* supplementary, of the name service */
	uint32_t n_groups;
	char home[CYG_PATH_MAX]; /* of the name service, else "" */
};

struct uids;

/* Opens (or makes) the file "uids" in a folder; first and count are the range. A file
 * with a line that is not "UID NAME", or that gives a user or a uid twice, is refused, with its
 * line. */
int uids_open(int dir, uid_t first, uint32_t count, struct uids **ret, struct cyg_err *err);
void uids_close(struct uids *u);
/* The uid of a user; a new one is on disk before this returns, and a failure to write it leaves the
 * file as it was. -CYG_ELIMIT when the range is used up. */
int uids_get(struct uids *u, const char *user, uid_t *ret, struct cyg_err *err);

/* Whether a uid is a system account's: nobody's notebook runs as it. */
bool uids_is_system(uid_t uid);
/* -CYG_EDENIED when the name is a system account's in that passwd file (this machine's own, so
 * that reading it never hangs), or root or nobody. */
int uids_check_name(const char *passwd, const char *name, struct cyg_err *err);

struct uids_lookup;
typedef void (*uids_found_fn)(void *arg, const struct uids_person *p, const struct cyg_err *err);

/* Asks the name service in a child with a deadline; found is called once, from the loop, with p or
 * with err. System accounts' uids are refused. */
int uids_lookup_start(uv_loop_t *loop, const char *user, uids_found_fn found, void *arg,
    struct uids_lookup **ret, struct cyg_err *err);
/* No callback after it; NULL is accepted. */
void uids_lookup_cancel(struct uids_lookup *l);

#endif

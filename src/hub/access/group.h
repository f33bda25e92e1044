/* Groups made by an administrator: named sets of users, beside the groups that a provider reports
 * at each sign-in. */
#ifndef HUB_ACCESS_GROUP_H
#define HUB_ACCESS_GROUP_H

#include "hub/access/people.h"

/* Group names: as long as a filter's name may be. */
enum { GROUP_NAME_MAX = 192, GROUP_PROPERTIES_MAX = 16 * 1024 };

struct group {
	char name[GROUP_NAME_MAX];
	json_t *properties; /* object */
	int64_t created_us;
	size_t members; /* made by an administrator */
};

/* After the users. */
int groups_load(struct access *access, struct cyg_err *err);
/* NULL is accepted. */
void groups_free(struct groups *groups);
struct group *groups_find(const struct access *access, struct cyg_str name);
/* -CYG_EEXIST; -CYG_EINVAL for a name that cannot be one. */
int group_make(struct access *access, const char *name, struct group **ret, struct cyg_err *err);
/* The object replaces what was there. -CYG_EINVAL, -CYG_ELIMIT. */
int group_set_properties(
    struct access *access, struct group *group, const json_t *properties, struct cyg_err *err);
/* Members and roles are removed with it. The groups that a provider reports stay. */
void group_remove(struct access *access, struct group *group);
/* Adding a member twice, or removing one who is not in it, is no failure. */
void group_add(struct access *access, struct group *group, struct person *person);
void group_drop(struct access *access, struct group *group, struct person *person);
/* The user is being removed: takes them out of every group; the rows follow the user's. */
void groups_forget(struct access *access, struct person *person);

#endif

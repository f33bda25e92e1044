/* For unit tests of who-may-what: the access wing over a store in a folder of its own. */
#ifndef TESTS_ACCESS_RIG_H
#define TESTS_ACCESS_RIG_H

#include "hub/access/access.h"
#include "hub/access/group.h"
#include "hub/access/people.h"

#include "base/arena.h"

struct access_rig {
	struct store *store;
	struct access *wing;
	struct cyg_arena arena;
	struct cyg_err err;
};
extern struct access_rig access_rig;

void access_rig_start(void);
void access_rig_stop(void);
/* Commits, and goes on with what a hub that ends and starts finds. */
void access_rig_again(void);
/* The user or group of that name, made when there is none. */
struct person *access_rig_user(const char *name);
struct group *access_rig_group(const char *name);
/* Makes or replaces a role with that scope. */
void access_rig_role(const char *name, const char *scope);

#endif

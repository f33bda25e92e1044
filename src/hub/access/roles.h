/* The site's own roles and who has them, in memory and in rows; the default ones are role.c's. */
#ifndef HUB_ACCESS_ROLES_H
#define HUB_ACCESS_ROLES_H

#include "hub/access/access.h"

#include <jansson.h>

enum role_holder { ROLE_OF_USER, ROLE_OF_GROUP, ROLE_OF_SERVICE };

/* of one holder: each is expanded at every request of theirs */
enum { ROLES_OF_HOLDER = 32 };

int roles_load(struct access *access, struct cyg_err *err);
/* NULL is accepted. */
void roles_free(struct roles *roles);
/* Makes a role, or replaces it. scopes: an array of strings, each a scope. -CYG_EINVAL for a name
 * or scope that is not allowed, and for a default role, which stays as it is. */
int role_put(struct access *access, const char *name, const char *description, const json_t *scopes,
    struct cyg_err *err);
/* Removes the role, and takes it from everybody who has it. No such role is no failure. */
void role_remove(struct access *access, const char *name);
/* -CYG_ENOENT: there is no such role; -CYG_ELIMIT: the holder has too many. The caller has checked
 * that the holder exists. */
int role_grant(struct access *access, const char *role, enum role_holder kind, const char *name,
    struct cyg_err *err);
void role_revoke(struct access *access, const char *role, enum role_holder kind, const char *name);
/* The names of a holder's roles, or NULL: none. Borrowed until they change. */
const json_t *roles_of(const struct access *access, enum role_holder kind, struct cyg_str name);
/* The scopes of a role, or NULL. */
const json_t *role_scopes(const struct access *access, struct cyg_str name);
/* The holder has another name (NULL: is removed); its rows have followed. */
void roles_follow(struct access *access, enum role_holder kind, const char *name, const char *now);

#endif

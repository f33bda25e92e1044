/* Roles: named lists of scopes. The four that JupyterHub brings, and how a role may be called.
 * Pure.
 */
#ifndef HUB_ACCESS_ROLE_H
#define HUB_ACCESS_ROLE_H

#include "base/str.h"
#include "cygnet/err.h"

#include <stddef.h>

enum {
	ROLE_NAME_MAX = 256,   /* JupyterHub's 255 characters */
	ROLE_SCOPES_MAX = 128, /* of one role; twice JupyterHub's whole table */
};

struct role {
	const char *name, *description;
	const char *const *scopes; /* as written, ended by NULL */
};

/* "user", "admin", "server" and "token", in that order; NULL at the end. */
const struct role *role_default(size_t i);
const struct role *role_find_default(struct cyg_str name);
/* JupyterHub's rule: 3 to 255 characters, [a-z0-9-_~.], a letter first, a letter or digit last. */
int role_name_check(struct cyg_str name, struct cyg_err *err);

#endif

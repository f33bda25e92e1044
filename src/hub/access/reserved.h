/* Names that no new account may have: system accounts of this machine, and what the site adds. A
 * template may run servers as the system account of the user's name, and a user named "root" would
 * look like the administrator. */
#ifndef HUB_RESERVED_H
#define HUB_RESERVED_H

#include "cygnet/err.h"

#include <stdbool.h>

struct reserved;

/* Reads the machine's own accounts at once from a passwd file (no name service, so nothing hangs):
 * those with a uid below 1000 and the user nobody. more is the site's list, separated by commas, or
 * NULL; -CYG_EINVAL when one of its names could not be a user's anyway. */
int reserved_new(const char *passwd, const char *more, struct reserved **ret, struct cyg_err *err);
/* NULL is accepted. */
void reserved_free(struct reserved *r);
bool reserved_has(const struct reserved *r, const char *name);

#endif

/* An environment being put together: later settings replace earlier ones. */
#ifndef KBASE_ENV_H
#define KBASE_ENV_H

#include <stddef.h>

struct env {
	char **list; /* "NAME=value", ended by NULL */
	size_t n;
};

/* Starts from a list (may be NULL), which is copied. */
void env_init(struct env *e, char *const *from);
void env_free(struct env *e);
void env_set(struct env *e, const char *name, const char *value);
/* "NAME=value", where ${OTHER} in the value stands for what OTHER is now ("" when it is not set),
 * as jupyter_client expands a kernelspec's env. */
void env_set_expanded(struct env *e, const char *assignment);
/* The value, or NULL. */
const char *env_get(const struct env *e, const char *name);

#endif

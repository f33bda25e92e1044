/* The first message on init's link: the environment that the setup scripts left. */
#ifndef KBASE_HELLO_H
#define KBASE_HELLO_H

#include "cygnet/err.h"

#include <stddef.h>
#include <stdint.h>

struct hello_env {
	char *text;  /* "NAME=value\0NAME=value\0": owns what list points to */
	char **list; /* ended by NULL */
	size_t n;
	uint32_t restarts; /* how often init has started this program before */
};

/* Reads the environment after a HELLO message: data is the message, fd the memfd that came with
 * it (borrowed). On failure *ret is empty. */
int hello_read(const void *data, size_t len, int fd, struct hello_env *ret, struct cyg_err *err);
/* Waits on the link itself (blocking, at most 10 s) for HELLO: what the relay does, which has no
 * loop yet. */
int hello_wait(int link_fd, struct hello_env *ret, struct cyg_err *err);
void hello_free(struct hello_env *env);
/* The value of a name, or NULL. */
const char *hello_get(const struct hello_env *env, const char *name);

#endif

/* One run of another program that may hang, flood or die: the request goes to its standard input,
 * the bounded response comes from its standard output, one deadline covers all. The program gets
 * its own environment (empty unless told otherwise) and its own process group, which is killed
 * whole. The loop uses this for everything that may block: file trees that hang, name services,
 * LDAP, brokers. */
#ifndef DAEMON_CHILD_H
#define DAEMON_CHILD_H

#include "base/str.h"
#include "cygnet/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct cyg_child;

/* Everything is copied by cyg_child_start. */
struct cyg_child_spec {
	const char *program;     /* a path, or a name that PATH of our own environment finds */
	const char *const *argv; /* NULL-ended, with the name at 0 */
	const char *const *env;  /* "NAME=value", NULL-ended; NULL: empty */
	struct cyg_str request;  /* written to standard input, which is closed then; cleansed */
	size_t max;              /* bytes of the response; one more ends the call */
	uint64_t timeout_ms;     /* required; for the whole run */
};

struct cyg_child_result {
	int exit_code;          /* the program ended by itself */
	struct cyg_str text;    /* standard output, whole */
	struct cyg_str message; /* the first KiB of standard error */
};

/* Exactly once, from the loop, never from inside cyg_child_start, never after cyg_child_release.
 * res is valid during the call and NULL when the program did not end by itself in time: *err then
 * says -CYG_ETIMEOUT (told at the deadline, whether or not the kernel lets it die yet), -CYG_ELIMIT
 * (it said too much) or -CYG_ESYS (a signal ended it). */
typedef void (*cyg_child_fn)(
    void *arg, const struct cyg_child_result *res, const struct cyg_err *err);

int cyg_child_start(uv_loop_t *loop, const struct cyg_child_spec *spec, cyg_child_fn fn, void *arg,
    struct cyg_child **ret, struct cyg_err *err);
/* Whether the process is gone. A call can be over before its process is: one that hangs in the
 * kernel stays until its file system answers. A caller that starts calls repeatedly checks this
 * first. */
bool cyg_child_has_ended(const struct cyg_child *c);
/* The owner gives the call up: before the callback (which then never comes, and the program is
 * killed), in it or after it. The memory is freed when the process has ended. NULL is accepted. */
void cyg_child_release(struct cyg_child *c);

#endif

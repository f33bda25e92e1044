/* A file of the software tree, as the hub read it last: by a child when somebody wants it and it is
 * older than a few seconds, by one child for all who wait, so that many requests cost one process
 * and one parse. */
#ifndef HUB_TREEFILE_H
#define HUB_TREEFILE_H

#include "base/list.h"
#include "base/str.h"
#include "cygnet/err.h"

#include <stdint.h>
#include <uv.h>

struct treefile;
struct treefile_copy;

enum { TREEFILE_AGE_MS = 2000 }; /* how late a change of the file may be seen */

/* What the text is: a literal for good. */
struct treefile_kind {
	const char *what; /* "catalogue of Spark clusters": for messages */
	int (*parse)(const char *path, struct cyg_str text, void **ret, struct cyg_err *err);
	void (*free)(void *data);
};

/* data is what parse made, or NULL and why says the reason. It stays until the wait is cancelled.
 */
typedef void (*treefile_fn)(void *arg, const void *data, const struct cyg_err *why);

/* One request that waits, then holds what it got; embedded in what waits. Zero it before its first
 * use. */
struct treefile_wait {
	struct cyg_link link;
	struct treefile *file; /* NULL: does not wait */
	struct treefile_copy *copy;
	treefile_fn fn;
	void *arg;
};

struct treefile *treefile_new(uv_loop_t *loop, const char *path, const struct treefile_kind *kind);
/* No request may be waiting. NULL is accepted. */
void treefile_close(struct treefile *f);
bool treefile_is_wanted(const struct treefile *f);
const char *treefile_path(const struct treefile *f);
/* fn comes exactly once, from the loop, never from inside this call, never after cancel. */
void treefile_want(struct treefile *f, struct treefile_wait *w, treefile_fn fn, void *arg);
/* Gives back what it holds, too. One that does not wait is accepted. */
void treefile_wait_cancel(struct treefile_wait *w);

#endif

/* Reading trees that may hang (CVMFS): a child of our own reads one YAML file and hands its
 * text over; it is killed at a deadline, so that a tree that does not answer costs a message and
 * never the loop. */
#ifndef HUB_READER_H
#define HUB_READER_H

#include "base/buf.h"

#include <uv.h>

struct reader;

/* text is the file, YAML, valid during the call; err is set when there is none. Comes exactly
 * once, never from inside reader_start, never after cancel. */
typedef void (*reader_done_fn)(void *arg, struct cyg_str text, const struct cyg_err *err);

struct reader_spec {
	const char *path; /* copied */
	uint64_t timeout_ms;
	reader_done_fn done;
	void *arg;
};

int reader_start(
    uv_loop_t *loop, const struct reader_spec *spec, struct reader **ret, struct cyg_err *err);
/* NULL is accepted. */
void reader_cancel(struct reader *r);

/* `cygnet-hub --reader FILE`: what the child does. Returns its exit code. */
int reader_main(const char *path);

#endif

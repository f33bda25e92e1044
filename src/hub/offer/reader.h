/* Reads files of trees that may hang (CVMFS): a child reads one YAML file and writes it as JSON. At
 * a deadline it is given up, so that a tree that hangs costs a message and does not block the loop.
 */
#ifndef HUB_READER_H
#define HUB_READER_H

#include "base/str.h"
#include "cygnet/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct reader;

/* text is the document as JSON, valid during the call; err is set when there is none. Comes exactly
 * once, never from inside reader_start, never after reader_release. */
typedef void (*reader_done_fn)(void *arg, struct cyg_str text, const struct cyg_err *err);

struct reader_spec {
	const char *path; /* copied */
	uint64_t timeout_ms;
	reader_done_fn done;
	void *arg;
};

int reader_start(
    uv_loop_t *loop, const struct reader_spec *spec, struct reader **ret, struct cyg_err *err);
/* Whether its process is gone; one that hangs in the kernel may outlive the deadline. */
bool reader_has_ended(const struct reader *r);
/* The owner gives it up: before, in or after the callback. NULL is accepted. */
void reader_release(struct reader *r);

/* `cygnet-hub --reader FILE`: what the child does. Returns its exit code. */
int reader_main(const char *path);

#endif

/* The last bytes that a terminal printed, in a mapped file: writing needs no system call, and the
 * bytes survive a kill of the agent. */
#ifndef TERMINAL_RING_H
#define TERMINAL_RING_H

#include "base/buf.h"

enum { RING_BYTES = 256 * 1024 };

struct ring;

/* Opens or makes the file. keep: go on with what is in it; otherwise it begins empty. */
int ring_open(const char *path, bool keep, struct ring **ret, struct cyg_err *err);
void ring_close(struct ring *r);
void ring_add(struct ring *r, const char *data, size_t len);
/* Appends all it holds, from the first whole character on. */
int ring_read(const struct ring *r, struct cyg_buf *out, struct cyg_err *err);

#endif

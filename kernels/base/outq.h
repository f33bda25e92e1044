/* The output queue of one client: references to frames in memory, up to a limit, and after them an
 * unnamed file in the journal folder. So a client that does not read costs disk only. The order is
 * kept; nothing is dropped until the file reaches its own limit. */
#ifndef KBASE_OUTQ_H
#define KBASE_OUTQ_H

#include "cygnet/err.h"
#include "kernels/base/wsbuf.h"

#include <stdbool.h>
#include <sys/uio.h>

struct outq;

struct outq_limits {
	size_t memory_max;  /* bytes held by reference before frames go to the file */
	uint64_t file_max;  /* bytes in the file; 0: no file, the memory bound is the bound */
	const char *folder; /* for the file; must outlive the queue */
};

struct outq *outq_new(const struct outq_limits *limits);
void outq_free(struct outq *q);
/* Appends a reference. -CYG_ELIMIT when both limits are reached: nothing is queued, and the client
 * must be disconnected, because it would miss a frame. -CYG_ESYS when the file cannot be written.
 */
int outq_put(struct outq *q, struct wsbuf *b, struct cyg_err *err);
/* The next bytes to write, at most max pieces; returns their number. Valid until the next call. */
int outq_peek(struct outq *q, struct iovec *iov, int max);
/* n bytes of what outq_peek gave were sent. Reads on from the file when memory runs low. */
int outq_advance(struct outq *q, size_t n, struct cyg_err *err);
/* A frame that was sent in part will be sent again from its start, on a new connection. */
void outq_rewind(struct outq *q);
bool outq_is_empty(const struct outq *q);
/* Bytes and frames waiting, in memory and in the file. */
uint64_t outq_bytes(const struct outq *q);
size_t outq_frames(const struct outq *q);
/* Sets another limit for memory, from the next frame on. */
void outq_set_memory(struct outq *q, size_t memory_max);
/* Throws away what waits. */
void outq_clear(struct outq *q);

#endif

/* A growing byte buffer with a maximum. Bytes are added at the end and consumed at the front; data
 * is always followed by a NUL that len does not count. A failed append leaves the buffer as it was.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/str.h"
#include "cygnet/err.h"

#include <stdarg.h>

struct cyg_buf {
	char *data;  /* start of the unconsumed bytes; "" while nothing was ever added */
	size_t len;  /* unconsumed bytes */
	size_t max;  /* len never exceeds it */
	char *base_; /* private: the allocation */
	size_t cap_; /* private: its size */
};

/* No allocation happens before the first append. */
void cyg_buf_init(struct cyg_buf *b, size_t max);
/* Frees the bytes; the buffer can be used again. */
void cyg_buf_free(struct cyg_buf *b);
#define cyg_autobuf __attribute__((cleanup(cyg_buf_free)))
/* Forgets the content, keeps the memory. */
void cyg_buf_reset(struct cyg_buf *b);
/* 0, or -CYG_ELIMIT when max would be exceeded (or memory is out). */
int cyg_buf_add(struct cyg_buf *b, const void *data, size_t len, struct cyg_err *err);
/* n parts, one behind the other: all of them or none. */
int cyg_buf_add_all(struct cyg_buf *b, const struct cyg_str *parts, size_t n, struct cyg_err *err);
int cyg_buf_add_str(struct cyg_buf *b, const char *s, struct cyg_err *err);
int cyg_buf_printf(struct cyg_buf *b, struct cyg_err *err, const char *fmt, ...) CYG_PRINTF(3, 4);
int cyg_buf_vprintf(struct cyg_buf *b, struct cyg_err *err, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));
/* Room for n more bytes at *ret; after writing k <= n of them call cyg_buf_commit(b, k). */
int cyg_buf_reserve(struct cyg_buf *b, size_t n, char **ret, struct cyg_err *err);
void cyg_buf_commit(struct cyg_buf *b, size_t n);
/* Drops n <= len bytes at the front. */
void cyg_buf_consume(struct cyg_buf *b, size_t n);
/* Gives the terminated bytes away (the caller frees them) and leaves the buffer empty. */
char *cyg_buf_take(struct cyg_buf *b, size_t *len);
struct cyg_str cyg_buf_str(const struct cyg_buf *b);

#endif

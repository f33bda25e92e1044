/* Compresses the bodies of responses (RFC 1952). */
#ifndef KBASE_GZIP_H
#define KBASE_GZIP_H

#include "base/buf.h"

/* Appends data, at most 1 GiB, as a gzip member; level 1 (quick) to 9 (small). */
int gzip_write(struct cyg_buf *out, struct cyg_str data, int level, struct cyg_err *err);

#endif

/* Compresses with gzip. The only file that uses zlib. */
#include "kernels/base/gzip.h"

#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

enum { DATA_MAX = 1 << 30, GZIP_WINDOW = 15 + 16, MEMORY = 8 };

int gzip_write(struct cyg_buf *out, struct cyg_str data, int level, struct cyg_err *err)
{
	z_stream z = { 0 };
	char *room;
	if (data.len > DATA_MAX)
		return cyg_fail(err, CYG_ELIMIT, "over %d bytes", DATA_MAX);
	if (deflateInit2(&z, level, Z_DEFLATED, GZIP_WINDOW, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
		return cyg_fail(err, CYG_ELIMIT, "no memory to compress");
	size_t bound = deflateBound(&z, data.len);
	int r = cyg_buf_reserve(out, bound, &room, err);
	if (r == 0) {
		z.next_in = (const Bytef *)data.p;
		z.avail_in = (uInt)data.len;
		z.next_out = (Bytef *)room;
		z.avail_out = (uInt)bound;
		/* The room is enough for all of it in one step. */
		if (deflate(&z, Z_FINISH) != Z_STREAM_END)
			abort();
		cyg_buf_commit(out, z.total_out);
	}
	(void)deflateEnd(&z);
	return r;
}

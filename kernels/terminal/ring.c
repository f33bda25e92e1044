/* A ring of bytes in a shared mapping. The count of all bytes ever written is stored after the
 * bytes were, so that a kill between the two loses only the newest bytes. */
#include "kernels/terminal/ring.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { RING_MAGIC = 0x43595447 };

struct ring_file {
	uint32_t magic;
	uint32_t pad_;
	uint64_t total; /* bytes ever written */
	char data[RING_BYTES];
};

struct ring {
	struct ring_file *file;
};

int ring_open(const char *path, bool keep, struct ring **ret, struct cyg_err *err)
{
	const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (keep ? 0 : O_TRUNC);
	cyg_autoclose int fd = open(path, flags, 0600);
	struct ring_file *file;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return cyg_fail_sys(err, errno, "open '%s'", path);
	if (ftruncate(fd, sizeof(*file)) < 0)
		return cyg_fail_sys(err, errno, "size '%s'", path);
	file = mmap(NULL, sizeof(*file), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (file == MAP_FAILED)
		return cyg_fail_sys(err, errno, "map '%s'", path);
	if (file->magic != RING_MAGIC) {
		file->magic = RING_MAGIC;
		file->total = 0;
	}
	*ret = cyg_xcalloc(1, sizeof(**ret));
	(*ret)->file = file;
	return 0;
}

void ring_close(struct ring *r)
{
	if (r == NULL)
		return;
	(void)munmap(r->file, sizeof(*r->file));
	free(r);
}

void ring_add(struct ring *r, const char *data, size_t len)
{
	struct ring_file *f = r->file;
	size_t skip = len > RING_BYTES ? len - RING_BYTES : 0;

	for (size_t i = skip; i < len;) {
		size_t at = (size_t)((f->total + i) % RING_BYTES);
		size_t n = RING_BYTES - at < len - i ? RING_BYTES - at : len - i;

		memcpy(f->data + at, data + i, n);
		i += n;
	}
	f->total += len;
}

int ring_read(const struct ring *r, struct cyg_buf *out, struct cyg_err *err)
{
	const struct ring_file *f = r->file;
	uint64_t from = f->total > RING_BYTES ? f->total - RING_BYTES : 0;

	/* The oldest bytes may be the rest of a character (RFC 3629: 10xxxxxx). */
	for (int i = 0; from > 0 && i < 3 && from < f->total; i++) {
		if (((unsigned char)f->data[from % RING_BYTES] & 0xc0) != 0x80)
			break;
		from++;
	}
	while (from < f->total) {
		size_t at = (size_t)(from % RING_BYTES);
		size_t n = (size_t)(f->total - from);
		int rc;

		if (n > RING_BYTES - at)
			n = RING_BYTES - at;
		rc = cyg_buf_add(out, f->data + at, n, err);
		if (rc < 0)
			return rc;
		from += n;
	}
	return 0;
}

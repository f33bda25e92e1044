/* The queue of one client. Frames are kept in memory up to a limit; from then on they are appended
 * to an unnamed file (length, then bytes), until memory is empty and the file has been read back.
 */
#include "kernels/base/outq.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

enum { RING_FIRST = 16, REFILL_BYTES = 1024 * 1024 };

struct outq {
	struct outq_limits limits;
	struct wsbuf **ring; /* power of two */
	size_t cap, head, n;
	size_t memory; /* bytes in the ring */
	size_t sent;   /* of the first frame */
	int fd;        /* -1: no file */
	uint64_t file_read, file_end;
	size_t file_frames;
	uint64_t file_punched; /* the file has a hole before this offset */
};

struct outq *outq_new(const struct outq_limits *limits)
{
	struct outq *q = cyg_xcalloc(1, sizeof(*q));

	q->limits = *limits;
	q->fd = -1;
	return q;
}

static void ring_pop(struct outq *q)
{
	struct wsbuf *b = q->ring[q->head];

	q->head = (q->head + 1) & (q->cap - 1);
	q->n--;
	q->memory -= b->len;
	wsbuf_unref(b);
}

static void ring_push(struct outq *q, struct wsbuf *b)
{
	if (q->n == q->cap) {
		size_t cap = q->cap == 0 ? (size_t)RING_FIRST : q->cap * 2;
		struct wsbuf **ring = cyg_xcalloc(cap, sizeof(struct wsbuf *));

		for (size_t i = 0; i < q->n; i++)
			ring[i] = q->ring[(q->head + i) & (q->cap - 1)];
		free(q->ring);
		q->ring = ring;
		q->cap = cap;
		q->head = 0;
	}
	q->ring[(q->head + q->n) & (q->cap - 1)] = b;
	q->n++;
	q->memory += b->len;
}

void outq_clear(struct outq *q)
{
	while (q->n > 0)
		ring_pop(q);
	free(CYG_TAKE(q->ring));
	cyg_close(q->fd);
	*q = (struct outq){ .limits = q->limits, .fd = -1 };
}

void outq_free(struct outq *q)
{
	if (q == NULL)
		return;
	outq_clear(q);
	free(q);
}

static int write_at(int fd, const void *data, size_t len, uint64_t off, struct cyg_err *err)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = pwrite(fd, p, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cyg_fail_sys(err, errno, "write what a client has not read yet");
		p += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int read_at(int fd, void *data, size_t len, uint64_t off, struct cyg_err *err)
{
	char *p = data;

	while (len > 0) {
		ssize_t n = pread(fd, p, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return cyg_fail_sys(
			    err, n < 0 ? errno : EIO, "read back what a client has not read");
		p += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int file_put(struct outq *q, const struct wsbuf *b, struct cyg_err *err)
{
	uint64_t len = b->len;
	int rc;

	if (q->file_end - q->file_read + len > q->limits.file_max)
		return cyg_fail(err, CYG_ELIMIT, "a client does not read and its file is full");
	if (q->fd < 0)
		q->fd = open(q->limits.folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (q->fd < 0)
		return cyg_fail_sys(err, errno, "open a file in '%s'", q->limits.folder);
	rc = write_at(q->fd, &len, sizeof(len), q->file_end, err);
	if (rc == 0)
		rc = write_at(q->fd, b->data + b->start, b->len, q->file_end + sizeof(len), err);
	if (rc < 0)
		return rc;
	q->file_end += sizeof(len) + len;
	q->file_frames++;
	return 0;
}

int outq_put(struct outq *q, struct wsbuf *b, struct cyg_err *err)
{
	bool in_file = q->file_end > q->file_read;

	/* A frame larger than the limit is accepted when the queue is empty. */
	if (!in_file && (q->n == 0 || q->memory + b->len <= q->limits.memory_max)) {
		ring_push(q, wsbuf_ref(b));
		return 0;
	}
	if (q->limits.file_max == 0)
		return cyg_fail(err, CYG_ELIMIT, "a client does not read");
	return file_put(q, b, err);
}

/* Frees the disk space of what was read back; otherwise the file of a client that is always late
 * would grow for ever. A file system that cannot do it keeps the space until the file is empty. */
static void punch(struct outq *q)
{
	static const uint64_t block = 4096;
	uint64_t to = q->file_read / block * block;

	if (to <= q->file_punched)
		return;
	(void)fallocate(q->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)q->file_punched,
	    (off_t)(to - q->file_punched));
	q->file_punched = to;
}

static int refill(struct outq *q, struct cyg_err *err)
{
	size_t got = 0;

	while (q->file_read < q->file_end && got < REFILL_BYTES) {
		struct wsbuf *b;
		uint64_t len;
		int rc = read_at(q->fd, &len, sizeof(len), q->file_read, err);

		if (rc < 0)
			return rc;
		b = wsbuf_new(WSBUF_RAW, (size_t)len);
		if (b == NULL)
			return cyg_fail(err, CYG_ELIMIT, "no memory for a waiting frame");
		rc = read_at(q->fd, wsbuf_payload(b), (size_t)len, q->file_read + sizeof(len), err);
		if (rc < 0) {
			wsbuf_unref(b);
			return rc;
		}
		ring_push(q, b);
		q->file_read += sizeof(len) + len;
		q->file_frames--;
		got += (size_t)len;
	}
	if (q->file_read == q->file_end && q->file_end > 0) {
		q->file_read = q->file_end = q->file_punched = 0;
		if (ftruncate(q->fd, 0) < 0)
			return cyg_fail_sys(err, errno, "empty a client's file");
	}
	punch(q);
	return 0;
}

int outq_peek(struct outq *q, struct iovec *iov, int max)
{
	int n = 0;

	for (size_t i = 0; i < q->n && n < max; i++, n++) {
		struct wsbuf *b = q->ring[(q->head + i) & (q->cap - 1)];
		size_t skip = i == 0 ? q->sent : 0;

		iov[n].iov_base = b->data + b->start + skip;
		iov[n].iov_len = b->len - skip;
	}
	return n;
}

int outq_advance(struct outq *q, size_t n, struct cyg_err *err)
{
	while (n > 0 && q->n > 0) {
		size_t left = q->ring[q->head]->len - q->sent;

		if (n < left) {
			q->sent += n;
			break;
		}
		n -= left;
		q->sent = 0;
		ring_pop(q);
	}
	if (q->file_end > q->file_read && q->memory < q->limits.memory_max / 2)
		return refill(q, err);
	return 0;
}

void outq_rewind(struct outq *q)
{
	q->sent = 0;
}

bool outq_is_empty(const struct outq *q)
{
	return q->n == 0;
}

uint64_t outq_bytes(const struct outq *q)
{
	return q->memory - q->sent + (q->file_end - q->file_read);
}

size_t outq_frames(const struct outq *q)
{
	return q->n + q->file_frames;
}

void outq_set_memory(struct outq *q, size_t memory_max)
{
	q->limits.memory_max = memory_max;
}

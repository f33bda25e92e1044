/* What a connection has to write: a buffer, then memory given to us, then a file, in bounded steps
 * so that one fast reader does not hold the loop. Files are read by the thread pool: their disk may
 * be slow, or may hang for good. */
#include "http/server_priv.h"

#include "base/mem.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { FILE_STEP = 256 * 1024, STEPS_PER_TURN = 8 };

/* A piece on its way from the disk. It lives on its own: the connection may end first. */
struct file_read {
	uv_work_t work;
	struct http_conn *conn; /* NULL: it has ended, and fd is ours */
	int fd;
	uint64_t off;
	size_t len;
	ssize_t got;
	char *data;
};

bool conn_out_has_memory(const struct http_conn *c)
{
	return c->out.buf.len > 0 || c->out.body_off < c->out.body_len;
}

bool conn_out_pending(const struct http_conn *c)
{
	return conn_out_has_memory(c) || c->out.file_left > 0;
}

void conn_out_free(struct http_conn *c)
{
	cyg_buf_free(&c->out.buf);
	free(c->out.body);
	if (c->out.reading != NULL)
		c->out.reading->conn = NULL;
	else
		cyg_close(c->out.file);
	c->out.reading = NULL;
	c->out.body = NULL;
	c->out.body_len = c->out.body_off = 0;
	c->out.file = -1;
	c->out.file_left = 0;
}

static int result_of(ssize_t n)
{
	if (n > 0)
		return 1;
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

static int write_memory(struct http_conn *c)
{
	struct conn_out *o = &c->out;
	struct iovec iov[2] = {
		{ o->buf.data, o->buf.len },
		{ o->body + o->body_off, o->body_len - o->body_off },
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = o->body != NULL ? 2 : 1 };
	ssize_t n = sendmsg(c->fd, &msg, MSG_NOSIGNAL | (o->file_left > 0 ? MSG_MORE : 0));
	size_t of_buf;

	if (n <= 0)
		return result_of(n);
	of_buf = (size_t)n < o->buf.len ? (size_t)n : o->buf.len;
	cyg_buf_consume(&o->buf, of_buf);
	o->body_off += (size_t)n - of_buf;
	return 1;
}

static void read_piece(uv_work_t *work)
{
	struct file_read *r = CYG_CONTAINER_OF(work, struct file_read, work);

	do
		r->got = pread(r->fd, r->data, r->len, (off_t)r->off);
	while (r->got < 0 && errno == EINTR);
}

/* A file that cannot be read, or became shorter, breaks the connection: the length has been
 * promised. */
static void on_piece(uv_work_t *work, int status)
{
	struct file_read *r = CYG_CONTAINER_OF(work, struct file_read, work);
	struct http_conn *c = r->conn;

	(void)status;
	if (c == NULL) {
		cyg_close(r->fd);
	} else {
		c->out.reading = NULL;
		if (r->got > 0) {
			c->out.body = CYG_TAKE(r->data);
			c->out.body_len = (size_t)r->got;
			c->out.file_off += (uint64_t)r->got;
			c->out.file_left -= (uint64_t)r->got;
			conn_run(c);
		} else {
			conn_drop(c);
		}
	}
	free(r->data);
	free(r);
}

/* All before it has been written: the next piece of the file. */
static void start_reading(struct http_conn *c)
{
	struct conn_out *o = &c->out;
	struct file_read *r;

	if (o->reading != NULL)
		return;
	free(o->body);
	o->body = NULL;
	o->body_len = o->body_off = 0;
	r = cyg_xcalloc(1, sizeof(*r));
	r->conn = c;
	r->fd = o->file;
	r->off = o->file_off;
	r->len = o->file_left < FILE_STEP ? (size_t)o->file_left : FILE_STEP;
	r->data = cyg_xrealloc(NULL, r->len);
	o->reading = r;
	/* Only a NULL callback can make it fail. */
	if (uv_queue_work(c->server->loop, &r->work, read_piece, on_piece) != 0)
		abort();
}

int conn_out_flush(struct http_conn *c)
{
	struct conn_out *o = &c->out;

	for (int step = 0; conn_out_pending(c); step++) {
		int rc;

		if (step == STEPS_PER_TURN)
			return 0;
		if (!conn_out_has_memory(c)) {
			start_reading(c);
			return 0;
		}
		rc = write_memory(c);
		if (rc <= 0)
			return rc;
		if (c->deadline_ms != 0 && (c->state == CONN_REPLY || c->state == CONN_STREAM))
			c->deadline_ms = uv_now(c->server->loop) + c->server->timeouts.write_ms;
	}
	free(o->body);
	o->body = NULL;
	o->body_len = o->body_off = 0;
	cyg_close(o->file);
	o->file = -1;
	return 1;
}

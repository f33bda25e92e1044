/* What a connection has to write: a buffer, then memory given to us, then a file, in bounded steps
 * so that one fast reader does not hold the loop. */
#include "http/server_priv.h"

#include <errno.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { FILE_STEP = 256 * 1024, STEPS_PER_TURN = 8 };

bool conn_out_pending(const struct http_conn *c)
{
	return c->out.buf.len > 0 || c->out.body_off < c->out.body_len || c->out.file_left > 0;
}

void conn_out_free(struct http_conn *c)
{
	cyg_buf_free(&c->out.buf);
	free(c->out.body);
	cyg_close(c->out.file);
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

/* A file that became shorter meanwhile breaks the connection: the length has been promised. */
static int write_file(struct http_conn *c)
{
	struct conn_out *o = &c->out;
	off_t off = (off_t)o->file_off;
	ssize_t n =
	    sendfile(c->fd, o->file, &off, o->file_left < FILE_STEP ? o->file_left : FILE_STEP);

	if (n > 0) {
		o->file_off += (uint64_t)n;
		o->file_left -= (uint64_t)n;
	}
	return result_of(n);
}

int conn_out_flush(struct http_conn *c)
{
	struct conn_out *o = &c->out;

	for (int step = 0; conn_out_pending(c); step++) {
		int rc;

		if (step == STEPS_PER_TURN)
			return 0;
		rc = o->buf.len > 0 || o->body_off < o->body_len ? write_memory(c) : write_file(c);
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

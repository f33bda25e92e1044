/* Copies the bytes of a relayed connection. What each descriptor waits for depends on how full the
 * two buffers are. Comes after relay.c, which accepts and connects. */
#include "kernels/agent/relay_pump.h"

#include "base/mem.h"
#include "daemon/loop.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

enum { PUMP_BUF = 64 * 1024 }; /* one read of a busy connection; two a connection at most */

struct direction {
	char *buf; /* NULL while nothing is in flight */
	size_t off, len;
	bool eof;  /* the source has ended */
	bool shut; /* and the sink was told */
};

struct relay_pump {
	struct cyg_link link;
	struct cyg_list *list;
	uv_loop_t *loop;
	int fd[2];
	uv_poll_t poll[2];
	int open_handles;
	bool ending;
	struct direction dir[2]; /* dir[i]: from fd[i] to fd[!i] */
};

static void pump_free(void *p)
{
	struct relay_pump *r = p;

	free(r->dir[0].buf);
	free(r->dir[1].buf);
	free(r);
}

static void on_closed(uv_handle_t *h)
{
	struct relay_pump *r = h->data;
	int i = h == (uv_handle_t *)&r->poll[0] ? 0 : 1;

	cyg_close(r->fd[i]);
	if (--r->open_handles == 0)
		pump_free(r);
}

static void pump_end(struct relay_pump *r)
{
	if (r->ending)
		return;
	r->ending = true;
	cyg_list_remove(r->list, &r->link);
	for (int i = 0; i < 2; i++)
		uv_close((uv_handle_t *)&r->poll[i], on_closed);
}

/* Reads once from fd[i]. Returns false when the connection is broken. */
static bool pump_fill(struct relay_pump *r, int i)
{
	struct direction *d = &r->dir[i];
	ssize_t n;

	if (d->eof || d->len > 0)
		return true;
	if (d->buf == NULL)
		d->buf = cyg_xcalloc(1, PUMP_BUF);
	n = read(r->fd[i], d->buf, PUMP_BUF);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	d->off = 0;
	d->len = (size_t)n;
	d->eof = n == 0;
	return true;
}

/* Writes what waits for fd[!i]. */
static bool pump_flush(struct relay_pump *r, int i)
{
	struct direction *d = &r->dir[i];

	while (d->len > 0) {
		ssize_t n = send(r->fd[!i], d->buf + d->off, d->len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		d->off += (size_t)n;
		d->len -= (size_t)n;
	}
	free(d->buf);
	d->buf = NULL;
	if (d->eof && !d->shut) {
		d->shut = true;
		(void)shutdown(r->fd[!i], SHUT_WR);
	}
	return true;
}

static void on_poll(uv_poll_t *h, int status, int events);

static void pump_watch(struct relay_pump *r)
{
	for (int i = 0; i < 2; i++) {
		int events = 0;

		if (!r->dir[i].eof && r->dir[i].len == 0)
			events |= UV_READABLE;
		if (r->dir[!i].len > 0)
			events |= UV_WRITABLE;
		if (events == 0)
			(void)uv_poll_stop(&r->poll[i]);
		else
			(void)uv_poll_start(&r->poll[i], events, on_poll);
	}
}

static void on_poll(uv_poll_t *h, int status, int events)
{
	struct relay_pump *r = h->data;
	int i = h == &r->poll[0] ? 0 : 1;
	bool ok = status == 0;

	if (ok && (events & UV_READABLE) != 0)
		ok = pump_fill(r, i) && pump_flush(r, i);
	if (ok && (events & UV_WRITABLE) != 0)
		ok = pump_flush(r, !i);
	if (!ok || (r->dir[0].shut && r->dir[1].shut)) {
		pump_end(r);
		return;
	}
	pump_watch(r);
}

int relay_pump_new(
    uv_loop_t *loop, int client_fd, int server_fd, struct cyg_list *list, struct cyg_err *err)
{
	struct relay_pump *r = cyg_xcalloc(1, sizeof(*r));

	r->loop = loop;
	r->list = list;
	r->fd[0] = client_fd;
	r->fd[1] = server_fd;
	for (int i = 0; i < 2; i++) {
		int rc = uv_poll_init(loop, &r->poll[i], r->fd[i]);

		r->poll[i].data = r;
		if (rc == 0) {
			r->open_handles++;
			continue;
		}
		if (i == 1) {
			cyg_close(server_fd);
			uv_close((uv_handle_t *)&r->poll[0], on_closed);
		} else {
			cyg_close(client_fd);
			cyg_close(server_fd);
			free(r);
		}
		return cyg_fail_sys(err, -rc, "watch a relayed connection");
	}
	cyg_list_add(list, &r->link);
	pump_watch(r);
	return 0;
}

void relay_pump_end_all(struct cyg_list *list)
{
	cyg_list_each_safe (it, list) {
		pump_end(CYG_CONTAINER_OF(it, struct relay_pump, link));
	}
}

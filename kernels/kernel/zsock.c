/* ZeroMQ sockets on the loop. ZMQ_FD is edge-triggered, and any call on a socket can consume the
 * edge. So a socket is marked when its descriptor is readable and when something was sent on it.
 * All marked ones are read before the loop sleeps (by one uv_prepare), until ZMQ_EVENTS says that
 * nothing is left; after that, new messages make the descriptor readable again. Sockets that are
 * not marked cost nothing. An idle handle keeps the loop awake while a socket has more than one
 * turn reads. */
#include "kernels/kernel/zsock.h"

#include "base/list.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "kernels/kernel/wire.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <zmq.h>

enum {
	DRAIN_MAX = 200,               /* messages of one socket a turn */
	DRAIN_BYTES = 8 * 1024 * 1024, /* or that many bytes */
	RECONNECT_MS = 20,             /* between two tries to reach a starting kernel */
	FEW = 64,                      /* parts that need no memory of their own */
	SOCKETS_MAX = 4096,            /* of one context: a thousand kernels */
};

struct zsock_pool {
	uv_loop_t *loop;
	void *ctx;
	uv_prepare_t prepare;
	uv_idle_t idle;
	bool idling;
	struct cyg_list marked; /* of struct zsock: to be looked at before the next sleep */
	uint64_t looks;
};

struct zsock {
	struct cyg_link link; /* on marked, or on none */
	struct zsock_pool *pool;
	void *sock;
	uv_poll_t poll;
	struct zsock_events events;
	void *arg;
	bool closed;
	zmq_msg_t msgs[FEW]; /* of the message at hand */
	zmq_msg_t *more;     /* when it has more parts than that */
	size_t n_more;
};

static void zsock_free(void *p)
{
	free(p);
}

static void on_poll_closed(uv_handle_t *h)
{
	struct zsock *z = h->data;

	(void)zmq_close(z->sock);
	ev_free_later(z->pool->loop, z, zsock_free);
}

static void mark(struct zsock *z)
{
	if (!z->closed && !cyg_link_is_on(&z->link))
		cyg_list_add(&z->pool->marked, &z->link);
}

/* Receives all parts of one message. Returns their number, 0 when there is none, or -1 when it had
 * to be thrown away. */
static int receive(struct zsock *z, struct cyg_str *parts)
{
	int n = 0;
	bool more = true;
	bool too_many = false;

	while (more) {
		zmq_msg_t *m = n < FEW ? &z->msgs[n] : &z->more[n - FEW];

		if (n == FEW && z->more == NULL) {
			z->more = cyg_xcalloc(WIRE_PARTS_MAX - FEW + 1, sizeof(zmq_msg_t));
			m = z->more;
		}
		(void)zmq_msg_init(m);
		if (zmq_msg_recv(m, z->sock, ZMQ_DONTWAIT) < 0) {
			(void)zmq_msg_close(m);
			if (n > 0 && errno == EINTR)
				continue;
			break;
		}
		more = zmq_msg_more(m) != 0;
		parts[n] = (struct cyg_str){ zmq_msg_data(m), zmq_msg_size(m) };
		if (n == WIRE_PARTS_MAX - 1) {
			too_many = too_many || more;
			(void)zmq_msg_close(m);
		} else {
			n++;
		}
	}
	return too_many ? -n : n;
}

static void release(struct zsock *z, int n)
{
	for (int i = 0; i < n; i++)
		(void)zmq_msg_close(i < FEW ? &z->msgs[i] : &z->more[i - FEW]);
	free(z->more);
	z->more = NULL;
}

static bool is_readable(const struct zsock *z)
{
	int events = 0;
	size_t len = sizeof(events);

	z->pool->looks++;
	return !z->closed && zmq_getsockopt(z->sock, ZMQ_EVENTS, &events, &len) == 0 &&
	       (events & ZMQ_POLLIN) != 0;
}

/* Hands over at most DRAIN_MAX messages; true when more may be waiting. */
static bool drain(struct zsock *z)
{
	static struct cyg_str parts[WIRE_PARTS_MAX + 1]; /* one message at a time on one loop */
	size_t bytes = 0;
	int done = 0;

	while (done < DRAIN_MAX && bytes < DRAIN_BYTES && is_readable(z)) {
		int n = receive(z, parts);

		done++;
		for (int i = 0; i < n; i++)
			bytes += parts[i].len;
		if (n > 0)
			z->events.on_message(z->arg, parts, (size_t)n);
		else if (n < 0)
			cyg_log_warn("kernel", "a message of more than %d parts is left out",
			    WIRE_PARTS_MAX - 1);
		release(z, n < 0 ? -n : n);
	}
	if (done > 0 && !z->closed)
		z->events.on_batch_end(z->arg);
	return done == DRAIN_MAX || bytes >= DRAIN_BYTES;
}

static void on_idle(uv_idle_t *h) {}

static void on_poll(uv_poll_t *h, int status, int events)
{
	mark(h->data);
}

static void on_prepare(uv_prepare_t *h)
{
	struct zsock_pool *p = h->data;

	/* Sockets that are marked meanwhile, as by a send from a callback, wait for the next turn.
	 */
	for (size_t n = p->marked.n; n > 0 && p->marked.n > 0; n--) {
		struct zsock *z = CYG_CONTAINER_OF(cyg_list_first(&p->marked), struct zsock, link);

		cyg_list_remove(&p->marked, &z->link);
		if (drain(z))
			mark(z);
	}
	if ((p->marked.n > 0) == p->idling)
		return;
	p->idling = !p->idling;
	if (p->idling)
		(void)uv_idle_start(&p->idle, on_idle);
	else
		(void)uv_idle_stop(&p->idle);
}

int zsock_pool_new(uv_loop_t *loop, struct zsock_pool **ret, struct cyg_err *err)
{
	struct zsock_pool *p = cyg_xcalloc(1, sizeof(*p));

	p->loop = loop;
	p->ctx = zmq_ctx_new();
	if (p->ctx == NULL) {
		free(p);
		return cyg_fail_sys(err, errno, "start ZeroMQ");
	}
	(void)zmq_ctx_set(p->ctx, ZMQ_MAX_SOCKETS, SOCKETS_MAX);
	(void)zmq_ctx_set(p->ctx, ZMQ_BLOCKY, 0);
	cyg_list_init(&p->marked);
	(void)uv_prepare_init(loop, &p->prepare);
	(void)uv_idle_init(loop, &p->idle);
	p->prepare.data = p->idle.data = p;
	(void)uv_prepare_start(&p->prepare, on_prepare);
	uv_unref((uv_handle_t *)&p->prepare);
	*ret = p;
	return 0;
}

static void pool_free(void *arg)
{
	struct zsock_pool *p = arg;

	(void)zmq_ctx_term(p->ctx);
	free(p);
}

static void on_idle_closed(uv_handle_t *h)
{
	struct zsock_pool *p = h->data;

	ev_free_later(p->loop, p, pool_free);
}

void zsock_pool_free(struct zsock_pool *p)
{
	if (p == NULL)
		return;
	uv_close((uv_handle_t *)&p->prepare, NULL);
	uv_close((uv_handle_t *)&p->idle, on_idle_closed);
}

static int set_int(void *sock, int option, int value)
{
	return zmq_setsockopt(sock, option, &value, sizeof(value));
}

static int configure(void *sock, const struct zsock_opts *o)
{
	int rc = set_int(sock, ZMQ_RECONNECT_IVL, RECONNECT_MS) | set_int(sock, ZMQ_LINGER, 0) |
		 set_int(sock, ZMQ_RCVHWM, 0) | set_int(sock, ZMQ_SNDHWM, 0);

	if (rc == 0 && o->identity != NULL)
		rc = zmq_setsockopt(sock, ZMQ_ROUTING_ID, o->identity, strlen(o->identity));
	if (rc == 0 && o->kind == ZSOCK_SUB)
		rc = zmq_setsockopt(sock, ZMQ_SUBSCRIBE, "", 0);
	return rc == 0 ? zmq_connect(sock, o->endpoint) : rc;
}

int zsock_open(
    struct zsock_pool *p, const struct zsock_opts *opts, struct zsock **ret, struct cyg_err *err)
{
	struct zsock *z;
	void *sock = zmq_socket(p->ctx, opts->kind == ZSOCK_SUB ? ZMQ_SUB : ZMQ_DEALER);
	int fd = -1, rc;
	size_t len = sizeof(fd);

	if (sock == NULL)
		return cyg_fail_sys(err, errno, "open a ZeroMQ socket");
	if (configure(sock, opts) != 0 || zmq_getsockopt(sock, ZMQ_FD, &fd, &len) != 0) {
		int e = errno;

		(void)zmq_close(sock);
		return cyg_fail(
		    err, CYG_ESYS, "connect to '%s': %s", opts->endpoint, zmq_strerror(e));
	}
	z = cyg_xcalloc(1, sizeof(*z));
	z->pool = p;
	z->sock = sock;
	z->events = *opts->events;
	z->arg = opts->arg;
	rc = uv_poll_init(p->loop, &z->poll, fd);
	if (rc < 0) {
		(void)zmq_close(sock);
		free(z);
		return cyg_fail_sys(err, -rc, "watch a ZeroMQ socket");
	}
	z->poll.data = z;
	(void)uv_poll_start(&z->poll, UV_READABLE, on_poll);
	mark(z); /* connecting may have consumed an edge */
	*ret = z;
	return 0;
}

int zsock_send(struct zsock *z, const struct cyg_str *parts, size_t n, struct cyg_err *err)
{
	mark(z);
	for (size_t i = 0; i < n; i++) {
		int flags = ZMQ_DONTWAIT | (i + 1 < n ? ZMQ_SNDMORE : 0);

		while (zmq_send(z->sock, parts[i].p, parts[i].len, flags) < 0) {
			if (errno == EINTR)
				continue;
			return cyg_fail(
			    err, CYG_EBUSY, "send to a kernel: %s", zmq_strerror(errno));
		}
	}
	return 0;
}

void zsock_close(struct zsock *z)
{
	if (z == NULL || z->closed)
		return;
	z->closed = true;
	if (cyg_link_is_on(&z->link))
		cyg_list_remove(&z->pool->marked, &z->link);
	uv_close((uv_handle_t *)&z->poll, on_poll_closed);
}

uint64_t zsock_pool_looks(const struct zsock_pool *p)
{
	return p->looks;
}

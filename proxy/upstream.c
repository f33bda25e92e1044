/* The pools of connections to targets. */
#include "proxy/upstream.h"

#include "base/mem.h"
#include "proxy/client.h"
#include "proxy/proxy.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

static void on_closed(uv_handle_t *h)
{
	free(h->data);
}

static void upstream_close(struct upstream *u)
{
	if (u->closed)
		return;
	u->closed = true;
	if (u->client == NULL)
		cyg_list_remove(&u->pool->idle, &u->link);
	else
		u->pool->n_busy--;
	u->client = NULL;
	peer_close(&u->peer, false, on_closed);
}

/* An idle connection expects no bytes: any event closes it. */
static void on_poll(uv_poll_t *handle, int status, int events)
{
	struct upstream *u = handle->data;
	struct client *c = u->client;

	if (u->closed)
		return;
	if (c == NULL) {
		upstream_close(u);
		return;
	}
	if (status < 0) {
		/* libuv stopped watching; the reads and writes below find out what it is. */
		u->peer.watched = 0;
		events = UV_READABLE | UV_WRITABLE;
	}
	if (u->connecting && (events & UV_WRITABLE) != 0) {
		int error = 0;
		socklen_t len = sizeof(error);

		u->connecting = false;
		if (getsockopt(u->peer.stream.fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 ||
		    error != 0) {
			request_upstream_failed(c, "refused");
			client_run(c);
			return;
		}
	}
	if (!u->connecting && peer_event(&u->peer, events))
		c->moved_ms = uv_now(u->proxy->loop);
	client_run(c);
}

static struct pool *find_pool(struct proxy *p, const char *target, struct cyg_err *err)
{
	struct cyg_str key = cyg_str_of(target);
	struct pool *pool = cyg_hash_find(p->pools, key);
	struct target parsed;

	if (pool != NULL)
		return pool;
	if (target_parse(key, &parsed, err) < 0)
		return NULL;
	pool = cyg_xcalloc(1, sizeof(*pool));
	pool->target = parsed;
	cyg_list_init(&pool->idle);
	(void)cyg_hash_set(p->pools, key, pool);
	return pool;
}

static int open_socket(const struct target *t, bool *connecting, struct cyg_err *err)
{
	int one = 1;
	int family = t->addr.ss_family;
	cyg_autoclose int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	*connecting = false;
	if (fd < 0)
		return cyg_fail_sys(err, errno, "make a socket");
	if (family != AF_UNIX)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (const struct sockaddr *)(const void *)&t->addr, t->len) == 0)
		return CYG_TAKE_FD(fd);
	if (errno == EINPROGRESS) {
		*connecting = true;
		return CYG_TAKE_FD(fd);
	}
	/* connect() to a Unix socket with a full backlog fails at once instead of waiting. */
	if (errno == EAGAIN)
		return cyg_fail(err, CYG_EBUSY, "the target's backlog is full");
	return cyg_fail_sys(err, errno, "connect");
}

/* Out of descriptors: closes the idle connections of all pools and tries again. */
static int open_in_need(
    struct proxy *p, const struct target *t, bool *connecting, struct cyg_err *err)
{
	int fd = open_socket(t, connecting, err);

	if (fd >= 0 || (err->sys != EMFILE && err->sys != ENFILE))
		return fd;
	upstream_tidy(p, true);
	return open_socket(t, connecting, err);
}

static int connect_new(struct client *c, struct pool *pool, struct cyg_err *err)
{
	struct proxy *p = c->proxy;
	struct upstream *u = cyg_xcalloc(1, sizeof(*u));
	struct stream stream;
	bool connecting;
	int fd;

	/* Counted as busy already now: upstream_tidy frees a pool without any connection. */
	pool->n_busy++;
	fd = open_in_need(p, &pool->target, &connecting, err);
	stream_init(&stream, &stream_raw, fd, NULL);
	if (fd < 0 || peer_init(&u->peer, p->loop, &stream, &p->spares, err) < 0) {
		pool->n_busy--;
		free(u);
		return fd < 0 ? fd : -CYG_ESYS;
	}
	u->peer.poll.data = u;
	u->peer.traffic = &p->target_traffic;
	p->n_upstreams[0]++;
	u->proxy = p;
	u->pool = pool;
	u->connecting = connecting;
	u->since_ms = uv_now(p->loop);
	u->client = c;
	cyg_link_init(&u->link);
	c->up = u;
	return 0;
}

int upstream_take(struct client *c, const char *target, bool fresh, struct cyg_err *err)
{
	struct pool *pool = find_pool(c->proxy, target, err);
	struct upstream *u;

	if (pool == NULL)
		return -CYG_EINVAL;
	if (fresh || pool->idle.n == 0)
		return connect_new(c, pool, err);
	/* The one used last, so that the others age and are closed. */
	u = CYG_CONTAINER_OF(pool->idle.head.prev, struct upstream, link);
	cyg_list_remove(&pool->idle, &u->link);
	pool->n_busy++;
	u->reused = true;
	u->client = c;
	c->proxy->n_upstreams[1]++;
	c->up = u;
	return 0;
}

void upstream_release(struct client *c, bool keep)
{
	struct upstream *u = c->up;

	if (u == NULL)
		return;
	c->up = NULL;
	keep = keep && !u->peer.eof && !u->peer.failed && u->peer.in.len == 0 &&
	       u->peer.out.len == 0 && u->peer.stream.ops->pending(&u->peer.stream) == 0 &&
	       u->pool->idle.n < UPSTREAM_IDLE_MAX && !c->proxy->draining;
	if (!keep) {
		upstream_close(u);
		return;
	}
	peer_settle(&u->peer);
	peer_watch(&u->peer, UV_READABLE, on_poll);
	u->client = NULL;
	u->since_ms = uv_now(c->proxy->loop);
	u->pool->n_busy--;
	cyg_list_add(&u->pool->idle, &u->link);
}

void upstream_watch(struct upstream *u, int events)
{
	peer_watch(&u->peer, events, on_poll);
}

static void tidy_pool(struct pool *pool, uint64_t now_ms, bool all)
{
	cyg_list_each_safe (it, &pool->idle) {
		struct upstream *u = CYG_CONTAINER_OF(it, struct upstream, link);

		if (!all && now_ms - u->since_ms < UPSTREAM_IDLE_MS)
			break;
		upstream_close(u);
	}
}

struct tidying {
	uint64_t now_ms;
	bool all;
};

static bool is_unused(void *arg, struct cyg_str key, void *value)
{
	const struct tidying *t = arg;
	struct pool *pool = value;

	tidy_pool(pool, t->now_ms, t->all);
	if (pool->idle.n > 0 || pool->n_busy > 0)
		return false;
	free(pool);
	return true;
}

void upstream_tidy(struct proxy *p, bool all)
{
	struct tidying t = { uv_now(p->loop), all };

	(void)cyg_hash_sweep(p->pools, is_unused, &t);
}

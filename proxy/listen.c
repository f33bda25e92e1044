/* Opens the listeners, by a table of their kinds. daemon/listener.c accepts. */
#include "proxy/listen.h"

#include "base/mem.h"
#include "daemon/listener.h"
#include "daemon/log.h"
#include "daemon/unixsock.h"
#include "proxy/target.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

enum { BACKLOG = 1024 };

/* Small frames are sent at once. Keepalive finds a peer that vanished within minutes: a WebSocket
 * may have nothing to send for days. */
static void tune(int fd)
{
	int one = 1;
	int idle_s = 60;
	int interval_s = 20;
	int probes = 4;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof(interval_s));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

static void format_ip(const struct sockaddr *addr, char out[46])
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)addr;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)addr;

	out[0] = '\0';
	if (addr->sa_family == AF_INET)
		(void)inet_ntop(AF_INET, &v4->sin_addr, out, 46);
	else if (addr->sa_family == AF_INET6)
		(void)inet_ntop(AF_INET6, &v6->sin6_addr, out, 46);
}

/* At connections-max new clients wait, they are not refused. */
static bool is_full(void *listener)
{
	const struct listener *l = listener;

	return l->n_open >= l->n_max;
}

static void on_accepted(void *listener, int fd, const struct sockaddr *addr, socklen_t len)
{
	char ip[46];

	(void)len;
	format_ip(addr, ip);
	if (addr->sa_family != AF_UNIX)
		tune(fd);
	client_new(listener, fd, ip);
}

static void on_lack(void *listener, int errnum)
{
	(void)listener;
	cyg_log_warn("proxy", "accept: %s", strerror(errnum));
}

static const struct cyg_listener_events events = { is_full, on_accepted, on_lack };

size_t listen_n_open(const struct proxy *p)
{
	size_t n = 0;

	cyg_list_each (it, &p->listeners)
		n += CYG_CONTAINER_OF(it, struct listener, link)->n_open;
	return n;
}

void listen_close(struct proxy *p)
{
	cyg_list_each (it, &p->listeners) {
		struct listener *l = CYG_CONTAINER_OF(it, struct listener, link);

		if (l->fd < 0)
			continue;
		cyg_listener_close(CYG_TAKE(l->socket));
		l->fd = -1;
	}
}

void listen_free(struct proxy *p)
{
	cyg_list_each_safe (it, &p->listeners)
		free(CYG_CONTAINER_OF(it, struct listener, link));
	cyg_list_init(&p->listeners);
}

static int bind_tcp(const struct proxy_options *o, struct cyg_err *err)
{
	struct target t = { 0 };
	int one = 1;

	if (target_parse_tcp(cyg_str_of(o->listen), 0, &t, err) < 0)
		return cyg_wrap(err, "listen '%s'", o->listen);
	cyg_autoclose int fd =
	    socket(t.addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return cyg_fail_sys(err, errno, "make a socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (o->reuse_port)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	if (bind(fd, (const struct sockaddr *)(const void *)&t.addr, t.len) < 0 ||
	    listen(fd, BACKLOG) < 0)
		return cyg_fail_sys(err, errno, "listen on %s", o->listen);
	return CYG_TAKE_FD(fd);
}

static bool is_loopback(const struct sockaddr_storage *addr)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)addr;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)addr;

	if (addr->ss_family == AF_INET)
		return (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
	if (addr->ss_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
	return addr->ss_family == AF_UNIX;
}

static unsigned port_of(const struct sockaddr_storage *addr)
{
	if (addr->ss_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)(const void *)addr)->sin_port);
	if (addr->ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)(const void *)addr)->sin6_port);
	return 0;
}

/* The hub's names are required unless the listener is on loopback: without them any name that
 * resolves to this address would be accepted (DNS rebinding). */
static int settle_hosts(
    struct listener *l, const struct sockaddr_storage *addr, struct cyg_err *err)
{
	const char *hosts = l->proxy->options.hosts;

	if (hosts == NULL && !is_loopback(addr))
		return cyg_fail(err, CYG_EINVAL,
		    "the public listener is not on loopback: option hosts must name the hub's hosts");
	if (hosts == NULL)
		hosts = "localhost,*.localhost,127.0.0.1,[::1]";
	return hosts_parse(cyg_str_of(hosts), &l->policy.hosts, err);
}

static int address_of(int fd, struct sockaddr_storage *addr, struct cyg_err *err)
{
	socklen_t len = sizeof(*addr);

	*addr = (struct sockaddr_storage){ 0 };
	if (getsockname(fd, (struct sockaddr *)(void *)addr, &len) < 0)
		return cyg_fail_sys(err, errno, "getsockname");
	return 0;
}

/* ---- the kinds ---- */

static int open_public(struct listener *l, struct cyg_err *err)
{
	struct sockaddr_storage addr;
	int rc;

	if (l->fd < 0)
		l->fd = bind_tcp(&l->proxy->options, err);
	if (l->fd < 0)
		return l->fd;
	rc = address_of(l->fd, &addr, err);
	return rc < 0 ? rc : settle_hosts(l, &addr, err);
}

static int open_inner(struct listener *l, struct cyg_err *err)
{
	const char *path = l->proxy->options.inner;

	if (l->fd >= 0 || path == NULL)
		return 0;
	/* Every container's uid must reach it; access is checked by credential. */
	l->fd = unixsock_listen(path, SOCK_STREAM, 0666, (gid_t)-1, err);
	return l->fd < 0 ? l->fd : 0;
}

static const struct kind {
	const char *name;
	enum edge_listener kind;
	unsigned share; /* of connections-max: one in so many, on top of the others */
	const struct stream_ops *stream;
	/* Opens the socket unless it was passed, and settles the rules. l->fd stays -1 where none
	 * is asked for. */
	int (*open)(struct listener *l, struct cyg_err *err);
} kinds[] = {
	{ "http", LISTENER_PUBLIC, 1, &stream_raw, open_public },
	{ "inner", LISTENER_INNER, INNER_SHARE, &stream_raw, open_inner },
};

static int listener_open(struct proxy *p, const struct kind *kind, struct cyg_err *err)
{
	struct listener *l = cyg_xcalloc(1, sizeof(*l));
	int rc;

	l->proxy = p;
	l->name = kind->name;
	l->kind = kind->kind;
	l->policy.scheme = proxy_schemes[p->options.scheme];
	l->stream = kind->stream;
	l->n_max = p->connections_max / kind->share;
	l->fd = cyg_listen_fd(kind->name);
	rc = kind->open(l, err);
	if (rc == 0 && l->fd >= 0)
		rc = cyg_listener_start(p->loop, l->fd, &events, l, &l->socket, err);
	if (rc < 0 || l->fd < 0) {
		cyg_close(l->fd);
		free(l);
		return rc;
	}
	cyg_list_add(&p->listeners, &l->link);
	return 0;
}

/* Logged last: all listeners are open when this line appears. */
static void tell_public(const struct proxy *p)
{
	cyg_list_each (it, &p->listeners) {
		const struct listener *l = CYG_CONTAINER_OF(it, struct listener, link);
		struct sockaddr_storage addr;
		char ip[46];

		if (l->kind != LISTENER_PUBLIC || address_of(l->fd, &addr, NULL) < 0)
			continue;
		format_ip((const struct sockaddr *)(const void *)&addr, ip);
		cyg_log_info("proxy", "public listener at %s port %u", ip, port_of(&addr));
	}
}

int listen_open(struct proxy *p, struct cyg_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < CYG_N(kinds) && rc == 0; i++)
		rc = listener_open(p, &kinds[i], err);
	if (rc == 0)
		tell_public(p);
	return rc;
}

/* The doors. */
#include "proxy/listen.h"

#include "base/mem.h"
#include "daemon/log.h"
#include "daemon/unixsock.h"
#include "proxy/target.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

enum { BACKLOG = 1024 };

struct listener {
	uv_poll_t poll;
	struct proxy *proxy;
	enum edge_door door;
	int fd;
	bool paused;
};

/* Small frames leave at once, and a peer that vanished without a word is noticed in minutes: a
 * WebSocket may have nothing to send for days. */
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

static void format_ip(const struct sockaddr_storage *addr, char out[46])
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)addr;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)addr;

	out[0] = '\0';
	if (addr->ss_family == AF_INET)
		(void)inet_ntop(AF_INET, &v4->sin_addr, out, 46);
	else if (addr->ss_family == AF_INET6)
		(void)inet_ntop(AF_INET6, &v6->sin6_addr, out, 46);
}

static bool is_full(const struct listener *l)
{
	return l->proxy->n_open[l->door] >= l->proxy->n_max[l->door];
}

static void pause_door(struct listener *l)
{
	l->paused = true;
	(void)uv_poll_stop(&l->poll);
}

static bool accept_one(struct listener *l)
{
	struct sockaddr_storage addr = { 0 };
	socklen_t len = sizeof(addr);
	char ip[46];
	int fd =
	    accept4(l->fd, (struct sockaddr *)(void *)&addr, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0) {
		/* Out of descriptors: the janitor opens the door again. */
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			cyg_log_warn("proxy", "accept: %s", strerror(errno));
			pause_door(l);
		}
		return errno == ECONNABORTED || errno == EINTR;
	}
	format_ip(&addr, ip);
	if (addr.ss_family != AF_UNIX)
		tune(fd);
	client_new(l->proxy, l->door, fd, ip);
	return true;
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
	struct listener *l = handle->data;

	if (status < 0 || (events & UV_READABLE) == 0)
		return;
	for (int i = 0; i < ACCEPT_BURST; i++) {
		if (is_full(l)) {
			pause_door(l);
			return;
		}
		if (!accept_one(l))
			return;
	}
}

void listen_resume(struct proxy *p)
{
	for (size_t i = 0; i < CYG_N(p->doors); i++) {
		struct listener *l = p->doors[i];

		if (l == NULL || !l->paused || p->draining || is_full(l))
			continue;
		l->paused = false;
		(void)uv_poll_start(&l->poll, UV_READABLE, on_poll);
	}
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void listen_close(struct proxy *p)
{
	for (size_t i = 0; i < CYG_N(p->doors); i++) {
		struct listener *l = p->doors[i];

		if (l == NULL)
			continue;
		p->doors[i] = NULL;
		uv_close((uv_handle_t *)&l->poll, on_closed);
		cyg_close(l->fd);
	}
}

static int take_door(struct proxy *p, enum edge_door door, int fd, struct cyg_err *err)
{
	struct listener *l = cyg_xcalloc(1, sizeof(*l));

	if (uv_poll_init(p->loop, &l->poll, fd) < 0) {
		cyg_close(fd);
		free(l);
		return cyg_fail(err, CYG_ESYS, "watch a listening socket");
	}
	l->poll.data = l;
	l->proxy = p;
	l->door = door;
	l->fd = fd;
	p->doors[door] = l;
	(void)uv_poll_start(&l->poll, UV_READABLE, on_poll);
	return 0;
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

/* Names are a must where strangers' browsers can reach us: without them a foreign name that
 * resolves to this address would be as good as ours (DNS rebinding). */
static int settle_hosts(struct proxy *p, const struct sockaddr_storage *addr, struct cyg_err *err)
{
	const char *hosts = p->options.hosts;

	if (hosts == NULL && !is_loopback(addr))
		return cyg_fail(err, CYG_EINVAL,
		    "the public door is not on loopback: option hosts must name the hub's hosts");
	if (hosts == NULL)
		hosts = "localhost,*.localhost,127.0.0.1,[::1]";
	return hosts_parse(cyg_str_of(hosts), &p->policy.hosts, err);
}

static int open_public(struct proxy *p, struct sockaddr_storage *addr, struct cyg_err *err)
{
	socklen_t len = sizeof(*addr);
	int fd = cyg_listen_fd("http");
	int rc = 0;

	if (fd < 0)
		fd = bind_tcp(&p->options, err);
	if (fd < 0)
		return fd;
	if (getsockname(fd, (struct sockaddr *)(void *)addr, &len) < 0)
		rc = cyg_fail_sys(err, errno, "getsockname");
	if (rc == 0)
		rc = settle_hosts(p, addr, err);
	if (rc < 0) {
		cyg_close(fd);
		return rc;
	}
	return take_door(p, DOOR_PUBLIC, fd, err);
}

static int open_inner(struct proxy *p, struct cyg_err *err)
{
	int fd = cyg_listen_fd("inner");

	/* Every container's uid must reach it: the credential is what counts. */
	if (fd < 0 && p->options.inner != NULL)
		fd = unixsock_listen(p->options.inner, SOCK_STREAM, 0666, (gid_t)-1, err);
	else if (fd < 0)
		return 0;
	return fd < 0 ? fd : take_door(p, DOOR_INNER, fd, err);
}

int listen_open(struct proxy *p, struct cyg_err *err)
{
	struct sockaddr_storage addr = { 0 };
	char ip[46];
	int rc;

	p->policy.scheme = proxy_schemes[p->options.scheme];
	rc = open_public(p, &addr, err);
	if (rc == 0)
		rc = open_inner(p, err);
	if (rc < 0)
		return rc;
	/* Last: who waits for this line finds both doors open. */
	format_ip(&addr, ip);
	cyg_log_info("proxy", "public door at %s port %u", ip, port_of(&addr));
	return 0;
}

/* The trivial server behind the proxies in the benches: responds to every request head with the
 * same small JSON, as fast as one core can, on a TCP port and a Unix socket. Requests have no body.
 * Use: bench_backend PORT SOCKET */
#include "base/mem.h"
#include "base/num.h"
#include "daemon/unixsock.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { EVENTS = 128, READ_MAX = 64 * 1024 };

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
			     "Content-Length: 27\r\nX-Content-Type-Options: nosniff\r\n"
			     "Server: bench\r\n\r\n{\"status\":\"ok\",\"value\":42}\n";

static int listen_tcp(uint64_t port, struct cyg_err *err)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int one = 1;
	cyg_autoclose int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0)
		return cyg_fail_sys(err, errno, "socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (const struct sockaddr *)(const void *)&addr, sizeof(addr)) < 0 ||
	    listen(fd, SOMAXCONN) < 0)
		return cyg_fail_sys(err, errno, "listen");
	return CYG_TAKE_FD(fd);
}

static void watch(int epoll, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	(void)epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev);
}

static void accept_one(int epoll, int listener)
{
	int one = 1;
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	watch(epoll, fd);
}

static void serve(int fd)
{
	static char data[READ_MAX];
	ssize_t n = recv(fd, data, sizeof(data), 0);
	const char *at = data;

	if (n <= 0) {
		cyg_close(fd);
		return;
	}
	while ((at = memmem(at, (size_t)(data + n - at), "\r\n\r\n", 4)) != NULL) {
		(void)send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL);
		at += 4;
	}
}

int main(int argc, char **argv)
{
	struct epoll_event events[EVENTS];
	struct cyg_err err = { 0 };
	uint64_t port = 0;
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	int listeners[2] = { -1, -1 };

	if (argc == 3 && cyg_num_parse_u64(cyg_str_of(argv[1]), 1, 65535, &port, &err) == 0) {
		listeners[0] = listen_tcp(port, &err);
		listeners[1] = unixsock_listen(argv[2], SOCK_STREAM, 0600, (gid_t)-1, &err);
	}
	if (listeners[0] < 0 || listeners[1] < 0) {
		(void)fprintf(stderr, "use: bench_backend PORT SOCKET (%s)\n", err.msg);
		return 2;
	}
	watch(epoll, listeners[0]);
	watch(epoll, listeners[1]);
	for (;;) {
		int n = epoll_wait(epoll, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;

			if (fd == listeners[0] || fd == listeners[1])
				accept_one(epoll, fd);
			else
				serve(fd);
		}
	}
}

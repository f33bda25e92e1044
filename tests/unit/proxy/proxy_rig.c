/* The rig of the tests of the proxy's connections. */
#include "tests/unit/proxy/proxy_rig.h"

#include "base/mem.h"

#include <check.h>
#include <string.h>
#include <sys/socket.h>

void proxy_rig_start(struct proxy_rig *rig, const struct stream_ops *stream, const char *scheme)
{
	ck_assert_int_eq(uv_loop_init(&rig->loop), 0);
	rig->proxy = (struct proxy){ .loop = &rig->loop };
	rig->listener =
	    (struct listener){ .proxy = &rig->proxy, .kind = LISTENER_PUBLIC, .stream = stream };
	rig->proxy.pools = cyg_hash_new();
	rig->proxy.activity = cyg_hash_new();
	cyg_buf_init(&rig->proxy.head, (size_t)4 * CYG_HTTP_HEAD_MAX);
	rig->listener.policy.scheme = scheme;
	ck_assert_int_eq(hosts_parse(CYG_STR("h"), &rig->listener.policy.hosts, NULL), 0);
	clients_init(&rig->proxy);
}

void proxy_rig_stop(struct proxy_rig *rig)
{
	clients_close(&rig->proxy);
	ck_assert_int_eq(uv_run(&rig->loop, UV_RUN_DEFAULT), 0);
	ck_assert_int_eq(uv_loop_close(&rig->loop), 0);
	cyg_hash_free(rig->proxy.pools, NULL);
	cyg_hash_free(rig->proxy.activity, NULL);
	cyg_buf_free(&rig->proxy.head);
	peer_spares_free(&rig->proxy.spares);
	ck_assert_uint_eq(rig->listener.n_open, 0);
}

void proxy_rig_pair(int ends[2], int size)
{
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
	if (size > 0)
		ck_assert_int_eq(
		    setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
}

int proxy_rig_dial(struct proxy_rig *rig, int size)
{
	int ends[2];

	proxy_rig_pair(ends, size);
	client_new(&rig->listener, ends[1], "127.0.0.1");
	return ends[0];
}

unsigned proxy_rig_take(int fd)
{
	static char text[1 << 20];
	ssize_t n = recv(fd, text, sizeof(text) - 1, 0);
	unsigned found = 0;

	if (n <= 0)
		return 0;
	text[n] = '\0';
	for (const char *at = text; (at = strstr(at, "HTTP/1.1 503")) != NULL; at++)
		found++;
	return found;
}

/* Test program: the monitor of Spark and the UI's proxy on the HTTP server, for one driver that is
 * said to be ready, without an agent. Prints "listening PORT". Options in order: BASE_URL UI_PORT
 * FOLDER [KEY]. POST /test/cell/CELL/MSG, /test/idle/MSG and /test/lost say what a kernel and its
 * session would. */
#include "base/mem.h"
#include "base/num.h"
#include "http/server.h"
#include "kernels/base/events.h"
#include "kernels/base/reply.h"
#include "kernels/spark/monitor.h"
#include "kernels/spark/ui_proxy.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

struct rig {
	uv_loop_t *loop;
	struct events *events;
	struct monitor *monitor;
};

static void post_cell(struct http_req *req)
{
	struct rig *rig = req->ctx;

	monitor_cell_began(rig->monitor, "s1", cyg_arena_dup(req->arena, req->params[0]),
	    cyg_arena_dup(req->arena, req->params[1]));
	reply_empty(req);
}

static void post_idle(struct http_req *req)
{
	struct rig *rig = req->ctx;

	monitor_cell_ended(rig->monitor, "k1", req->params[0]);
	reply_empty(req);
}

static void post_lost(struct http_req *req)
{
	struct rig *rig = req->ctx;

	monitor_end(rig->monitor, "s1", true);
	reply_empty(req);
}

static const struct http_endpoint test_endpoints[] = {
	{ HTTP_POST, "/test/cell/{cell}/{msg}", "agent", post_cell, 0 },
	{ HTTP_POST, "/test/idle/{msg}", "agent", post_idle, 0 },
	{ HTTP_POST, "/test/lost", "agent", post_lost, 0 },
	{ .path = NULL },
};

static void on_signal(uv_signal_t *handle, int number)
{
	(void)number;
	uv_stop(handle->loop);
}

static int listen_any(uint16_t *port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0 ||
	    listen(fd, 64) != 0 || getsockname(fd, (struct sockaddr *)&addr, &len) != 0)
		return -1;
	*port = ntohs(addr.sin_port);
	return fd;
}

static int serve(struct rig *rig, const char *base)
{
	cyg_autofree char *prefix = cyg_xstrndup(base, strlen(base) - 1);
	const struct http_mount mounts[] = {
		{ prefix, monitor_endpoints, &rig->monitor, NULL },
		{ prefix, ui_proxy_endpoints, &rig->monitor, NULL },
		{ prefix, events_endpoints, rig->events, NULL },
		{ "", test_endpoints, rig, NULL },
		{ .endpoints = NULL },
	};
	const struct http_server_opts opts = { .mounts = mounts };
	struct http_server *http;
	struct cyg_err err = { 0 };
	uv_signal_t sig;
	uint16_t port = 0;
	int fd = listen_any(&port);

	if (fd < 0 || http_server_new(rig->loop, &opts, &http, &err) < 0 ||
	    http_server_listen(http, fd, &err) < 0) {
		(void)fprintf(stderr, "spark_monitor_server: %s\n", err.msg);
		return 1;
	}
	(void)uv_signal_init(rig->loop, &sig);
	(void)uv_signal_start(&sig, on_signal, SIGTERM);
	(void)printf("listening %u\n", (unsigned)port);
	(void)fflush(stdout);
	(void)uv_run(rig->loop, UV_RUN_DEFAULT);
	http_server_close(http);
	monitor_close(rig->monitor);
	events_close(rig->events);
	uv_close((uv_handle_t *)&sig, NULL);
	(void)uv_run(rig->loop, UV_RUN_DEFAULT);
	return 0;
}

int main(int argc, char **argv)
{
	struct rig rig = { .loop = uv_default_loop() };
	uint64_t port = 0;

	if (argc < 4 || argv[1][0] == '\0' ||
	    cyg_num_parse_u64(cyg_str_of(argv[2]), 1, UINT16_MAX, &port, NULL) < 0) {
		(void)fprintf(stderr, "use: %s BASE UI_PORT FOLDER [KEY]\n", argv[0]);
		return 2;
	}
	rig.events = events_new(rig.loop);
	rig.monitor = monitor_new(&(struct monitor_opts){
	    rig.loop, rig.events, "https://events.cygnet/spark/v1", argv[1] });
	monitor_begin(
	    rig.monitor, &(struct monitor_driver){ "s1", "k1", "own", "In my server", "classic",
			     (unsigned)port, argc > 4 ? argv[4] : NULL, argv[3] });
	return serve(&rig, argv[1]);
}

/* A server of src/http with one endpoint for each way of answering, for integration tests and
 * benches: http_echo_server unix:PATH|tcp:PORT|mhd:PATH (the last by libmicrohttpd). It ends on
 * SIGTERM and prints "ready" first. */
#include "base/mem.h"
#include "base/num.h"
#include "daemon/unixsock.h"
#include "http/mhd.h"
#include "http/server.h"
#include "http/url.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum { ECHO_BODY_MAX = 64 * 1024 * 1024, STREAM_PIECE = 64 * 1024 };

static size_t n_open, n_aborted; /* of /later and /ticks */

static void on_hello(struct http_req *req)
{
	http_reply(req, 200, "text/plain", CYG_STR("hello\n"));
}

static void on_echo(struct http_req *req)
{
	http_reply_field(req, "X-Method", http_method_text(req->method));
	http_reply(req, 200, "application/octet-stream", req->body);
}

/* GET /path/...: what routing saw. */
static void on_path(struct http_req *req)
{
	http_reply(req, 200, "text/plain", req->params[0]);
}

struct later {
	uv_timer_t timer;
	struct http_req *req;
};

static void on_timer_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void on_timer(uv_timer_t *timer)
{
	struct later *l = timer->data;

	n_open--;
	http_reply(l->req, 200, "text/plain", CYG_STR("later\n"));
	uv_close((uv_handle_t *)timer, on_timer_closed);
}

static void on_later_abort(struct http_req *req)
{
	struct later *l = req->data;

	n_open--;
	n_aborted++;
	uv_close((uv_handle_t *)&l->timer, on_timer_closed);
}

static uint64_t query_number(struct http_req *req, const char *name, uint64_t fallback)
{
	struct cyg_str text;
	uint64_t value = fallback;
	bool found;

	if (url_query_get(req->arena, req->head->query, name, &text, &found, NULL) == 0 && found)
		(void)cyg_num_parse_u64(text, 0, UINT32_MAX, &value, NULL);
	return value;
}

static void on_later(struct http_req *req)
{
	struct later *l = cyg_xcalloc(1, sizeof(*l));

	n_open++;
	l->req = req;
	req->data = l;
	req->on_abort = on_later_abort;
	(void)uv_timer_init(req->app, &l->timer);
	l->timer.data = l;
	(void)uv_timer_start(&l->timer, on_timer, query_number(req, "ms", 10), 0);
}

struct flow {
	uint64_t left;
};

static void pump(struct http_stream *st, void *arg)
{
	static const char piece[STREAM_PIECE] = "a stream of mostly zero bytes";
	struct flow *f = arg;
	size_t n = f->left < sizeof(piece) ? (size_t)f->left : sizeof(piece);

	if (n > 0 && http_stream_write(st, (struct cyg_str){ piece, n }, NULL) == 0)
		f->left -= n;
	else
		http_stream_end(st);
}

static void on_flow_close(struct http_stream *st, void *arg)
{
	(void)st;
	free(arg);
}

/* GET /stream?bytes=N: written as fast as the client reads. */
static void on_stream(struct http_req *req)
{
	static const struct http_stream_events events = { .on_drain = pump,
		.on_close = on_flow_close };
	struct flow *f = cyg_xcalloc(1, sizeof(*f));
	struct http_stream *st;

	f->left = query_number(req, "bytes", 1000);
	st = http_reply_stream(req, 200, "application/octet-stream", &events, f);
	if (st != NULL)
		pump(st, f);
}

static void on_ticks_close(struct http_stream *st, void *arg)
{
	(void)st;
	(void)arg;
	n_open--;
	n_aborted++;
}

/* One piece, then silence for ever. */
static void on_ticks(struct http_req *req)
{
	static const struct http_stream_events events = { .on_close = on_ticks_close };
	struct http_stream *st = http_reply_stream(req, 200, "text/event-stream", &events, NULL);

	if (st == NULL)
		return;
	n_open++;
	(void)http_stream_write(st, CYG_STR("tick\n"), NULL);
}

static void on_cut(struct http_req *req)
{
	static const struct http_stream_events events = { .on_drain = NULL };
	struct http_stream *st = http_reply_stream(req, 200, "text/plain", &events, NULL);

	if (st != NULL && http_stream_write(st, CYG_STR("half"), NULL) == 0)
		http_stream_abort(st);
}

static void on_counts(struct http_req *req)
{
	char *text = cyg_arena_printf(req->arena, "aborted %zu open %zu\n", n_aborted, n_open);

	http_reply(req, 200, "text/plain", cyg_str_of(text));
}

/* The fields as the handler sees them, but for those that belong to the connection. */
static void on_fields(struct http_req *req)
{
	cyg_autobuf struct cyg_buf text;

	cyg_buf_init(&text, ECHO_BODY_MAX);
	for (size_t i = 0; i < req->head->n_fields; i++)
		(void)cyg_buf_printf(&text, NULL, "%.*s: %.*s\n",
		    CYG_STR_ARGS(req->head->fields[i].name),
		    CYG_STR_ARGS(req->head->fields[i].value));
	http_reply(req, 200, "text/plain", cyg_buf_str(&text));
}

static void on_file(struct http_req *req)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		http_reply_error(req, 500, "no file");
	else
		http_reply_file(req, 200, "application/octet-stream", fd, 0, (uint64_t)st.st_size);
}

/* Sends back what came early, then closes. */
static void on_open(void *arg, int fd, struct cyg_str early)
{
	(void)arg;
	(void)!send(fd, early.p, early.len, MSG_NOSIGNAL);
	cyg_close(fd);
}

static void on_ws(struct http_req *req)
{
	struct cyg_err err;

	if (http_reply_websocket(req, NULL, on_open, NULL, &err) < 0)
		http_reply_err(req, &err);
}

static const struct http_endpoint endpoints[] = {
	{ HTTP_GET, "/", "any", on_hello, 0 },
	{ HTTP_GET, "/echo", "any", on_echo, ECHO_BODY_MAX },
	{ HTTP_POST, "/echo", "any", on_echo, ECHO_BODY_MAX },
	{ HTTP_PUT, "/echo", "any", on_echo, ECHO_BODY_MAX },
	{ HTTP_GET, "/path/{rest...}", "any", on_path, 0 },
	{ HTTP_GET, "/later", "any", on_later, 0 },
	{ HTTP_GET, "/stream", "any", on_stream, 0 },
	{ HTTP_GET, "/file", "any", on_file, 0 },
	{ HTTP_GET, "/ticks", "any", on_ticks, 0 },
	{ HTTP_GET, "/cut", "any", on_cut, 0 },
	{ HTTP_GET, "/counts", "any", on_counts, 0 },
	{ HTTP_GET, "/fields", "any", on_fields, 0 },
	{ HTTP_GET, "/ws", "any", on_ws, 0 },
	{ .path = NULL },
};

static int listen_on(const char *where, struct cyg_err *err)
{
	struct sockaddr_in sa = { .sin_family = AF_INET };
	uint64_t port;
	int on = 1;
	int fd;

	if (strncmp(where, "unix:", 5) == 0 || strncmp(where, "mhd:", 4) == 0)
		return unixsock_listen(strchr(where, ':') + 1, SOCK_STREAM, 0600, (gid_t)-1, err);
	if (strncmp(where, "tcp:", 4) != 0 ||
	    cyg_num_parse_u64(cyg_str_of(where + 4), 1, 65535, &port, err) < 0)
		return cyg_fail(err, CYG_EINVAL, "unix:PATH or tcp:PORT expected");
	sa.sin_port = htons((uint16_t)port);
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 || listen(fd, 1024) < 0)
		return cyg_fail(err, CYG_ESYS, "cannot listen on %s", where);
	return fd;
}

struct servers {
	struct http_server *ours;
	struct http_mhd *mhd;
};

static void on_signal(uv_signal_t *sig, int number)
{
	struct servers *servers = sig->data;

	(void)number;
	http_server_close(servers->ours);
	http_mhd_close(servers->mhd);
	uv_close((uv_handle_t *)sig, NULL);
}

static int start(uv_loop_t *loop, const char *where, struct servers *ret, struct cyg_err *err)
{
	const struct http_mount mounts[] = { { .prefix = "", .endpoints = endpoints },
		{ .endpoints = NULL } };
	const struct http_server_opts opts = { .mounts = mounts, .app = loop };
	int fd = listen_on(where, err);

	if (fd < 0)
		return fd;
	if (strncmp(where, "mhd:", 4) == 0)
		return http_mhd_new(loop, &opts, &ret->mhd, err) < 0
			   ? -(int)err->code
			   : http_mhd_listen(ret->mhd, fd, err);
	return http_server_new(loop, &opts, &ret->ours, err) < 0
		   ? -(int)err->code
		   : http_server_listen(ret->ours, fd, err);
}

int main(int argc, char **argv)
{
	struct servers servers = { .ours = NULL };
	struct cyg_err err;
	uv_signal_t term;
	uv_loop_t loop;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)uv_loop_init(&loop);
	if (start(&loop, argc == 2 ? argv[1] : "", &servers, &err) < 0) {
		fprintf(stderr, "http_echo_server: %s\n", err.msg);
		return 1;
	}
	(void)uv_signal_init(&loop, &term);
	term.data = &servers;
	(void)uv_signal_start(&term, on_signal, SIGTERM);
	puts("ready");
	(void)fflush(stdout);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&loop);
	return 0;
}

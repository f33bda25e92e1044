/* Test program: the contents and pages endpoints on the HTTP server, without kernels. Prints
 * "listening PORT". Options in order: BASE_URL ROOT_DIR DATA_DIR TRASH|- PREFIX HOME. */
#include "base/mem.h"
#include "http/server.h"
#include "kernels/contents/contents.h"
#include "kernels/pages/pages.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

struct server {
	struct contents_ctx contents;
	struct pages_ctx pages;
};

static void on_event(void *arg, const char *action, const char *path, const char *source)
{
	(void)arg;
	(void)printf("event %s %s %s\n", action, path, source != NULL ? source : "-");
	(void)fflush(stdout);
}

static void on_signal(uv_signal_t *handle, int number)
{
	(void)number;
	uv_stop(handle->loop);
}

static int listen_any(uint16_t *port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0 ||
	    listen(fd, 64) != 0 || getsockname(fd, (struct sockaddr *)&addr, &len) != 0)
		return -1;
	*port = ntohs(addr.sin_port);
	return fd;
}

static int fail(const struct cyg_err *err)
{
	(void)fprintf(stderr, "contents_server: %s\n", err->msg);
	return 1;
}

static int serve(struct server *s, const char *base)
{
	const struct http_mount mounts[] = {
		{ base, contents_endpoints, &s->contents, NULL },
		{ base, pages_endpoints, &s->pages, pages_not_found },
		{ .endpoints = NULL },
	};
	const struct http_server_opts opts = { .mounts = mounts };
	struct http_server *http;
	struct cyg_err err;
	uv_signal_t sig;
	uint16_t port = 0;
	int fd = listen_any(&port);
	if (fd < 0 || http_server_new(s->contents.loop, &opts, &http, &err) < 0 ||
	    http_server_listen(http, fd, &err) < 0)
		return fail(&err);
	(void)uv_signal_init(s->contents.loop, &sig);
	(void)uv_signal_start(&sig, on_signal, SIGTERM);
	(void)printf("listening %u\n", (unsigned)port);
	(void)fflush(stdout);
	(void)uv_run(s->contents.loop, UV_RUN_DEFAULT);
	http_server_close(http);
	uv_close((uv_handle_t *)&sig, NULL);
	(void)uv_run(s->contents.loop, UV_RUN_DEFAULT);
	return 0;
}

int main(int argc, char **argv)
{
	struct server s = { .contents.loop = uv_default_loop() };
	struct cyg_err err;
	if (argc < 7) {
		(void)fprintf(stderr,
		    "use: %s BASE ROOT DATA TRASH|- PREFIX HOME [LABEXTENSIONS]\n", argv[0]);
		return 2;
	}
	s.contents.root_dir = argv[2];
	s.contents.data_dir = argv[3];
	s.contents.home_trash = strcmp(argv[4], "-") == 0 ? NULL : argv[4];
	s.contents.on_event = on_event;
	if (contents_open(&s.contents, &err) < 0)
		return fail(&err);
	s.pages.loop = s.contents.loop;
	s.pages.base_url = argv[1];
	s.pages.root_dir = argv[2];
	s.pages.prefix = argv[5];
	s.pages.home = argv[6];
	s.pages.labextensions = argv[7];
	s.pages.user_name = "alice";
	s.pages.delete_to_trash = s.contents.home_trash != NULL;
	if (pages_open(&s.pages, &err) < 0)
		return fail(&err);
	cyg_autofree char *base = cyg_xstrndup(argv[1], strlen(argv[1]) - 1);
	int status = serve(&s, base);
	pages_close(&s.pages);
	contents_close(&s.contents);
	return status;
}

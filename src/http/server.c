/* The server: its listeners, the list of connections, the janitor that looks at their
 * deadlines, and the turn in which kicked connections run. What a connection does is in conn.c. */
#include "http/server_priv.h"

#include "daemon/listener.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* security.md's figures: a whole head in 10 s; the rest as nginx and mod_reqtimeout have them. */
static const struct http_timeouts default_timeouts = {
	.head_ms = 10 * 1000,
	.idle_ms = 75 * 1000,
	.body_ms = 20 * 1000,
	.body_rate = 500,
	.write_ms = 60 * 1000,
	.linger_ms = 5 * 1000,
	.linger_max_ms = 30 * 1000,
	.tick_ms = 1000,
};

void server_unref(struct http_server *s)
{
	if (--s->handles > 0)
		return;
	mounts_unref(s->mounts);
	free(s);
}

static void on_handle_closed(uv_handle_t *handle)
{
	server_unref(handle->data);
}

static void on_idle(uv_idle_t *idle)
{
	struct http_server *s = idle->data;
	size_t n = s->kicked.n;

	/* Connections kicked meanwhile wait for the next turn, so that others are served too. */
	while (n-- > 0 && s->kicked.n > 0) {
		struct http_conn *c =
		    CYG_CONTAINER_OF(cyg_list_first(&s->kicked), struct http_conn, kicked);

		cyg_list_remove(&s->kicked, &c->kicked);
		conn_run(c);
	}
	if (s->kicked.n == 0 && !s->closing)
		(void)uv_idle_stop(idle);
}

static void on_accepted(void *server, int fd, const struct sockaddr *addr, socklen_t len)
{
	(void)addr;
	(void)len;
	(void)conn_open(server, fd, NULL);
}

static const struct cyg_listener_events listener_events = { .on_accepted = on_accepted };

static void on_janitor(uv_timer_t *timer)
{
	struct http_server *s = timer->data;

	cyg_list_each_safe (it, &s->conns) {
		conn_check_deadline(CYG_CONTAINER_OF(it, struct http_conn, link), uv_now(s->loop));
		if (s->closing)
			return;
	}
	if (s->conns.n == 0)
		(void)uv_timer_stop(timer);
}

void server_start_janitor(struct http_server *s)
{
	if (!uv_is_active((uv_handle_t *)&s->janitor))
		(void)uv_timer_start(
		    &s->janitor, on_janitor, s->timeouts.tick_ms, s->timeouts.tick_ms);
}

void server_start_idle(struct http_server *s)
{
	(void)uv_idle_start(&s->idle, on_idle);
}

int http_server_new(uv_loop_t *loop, const struct http_server_opts *opts, struct http_server **ret,
    struct cyg_err *err)
{
	struct mounts *mounts;
	struct http_server *s;
	int rc = mounts_new(opts->mounts, &mounts, err);

	if (rc < 0)
		return cyg_wrap(err, "endpoint table");
	/* Others on this loop write to pipes, whose readers may be gone. */
	(void)signal(SIGPIPE, SIG_IGN);
	s = cyg_xcalloc(1, sizeof(*s));
	s->loop = loop;
	s->opts = *opts;
	s->opts.mounts = NULL; /* the caller's */
	s->timeouts = default_timeouts;
	s->mounts = mounts;
	cyg_list_init(&s->conns);
	cyg_list_init(&s->kicked);
	(void)uv_timer_init(loop, &s->janitor);
	s->janitor.data = s;
	(void)uv_idle_init(loop, &s->idle);
	s->idle.data = s;
	s->handles = 2;
	*ret = s;
	return 0;
}

int http_server_listen(struct http_server *s, int fd, struct cyg_err *err)
{
	int rc;

	if (s->n_listeners == HTTP_LISTENERS_MAX)
		return cyg_fail(err, CYG_ELIMIT, "more than %d listeners", HTTP_LISTENERS_MAX);
	rc = cyg_listener_start(
	    s->loop, fd, &listener_events, s, &s->listeners[s->n_listeners], err);
	s->n_listeners += rc == 0 ? 1 : 0;
	return rc;
}

void http_server_close(struct http_server *s)
{
	if (s == NULL || s->closing)
		return;
	s->closing = true;
	for (size_t i = 0; i < s->n_listeners; i++)
		cyg_listener_close(s->listeners[i]);
	while (s->conns.n > 0)
		conn_drop(CYG_CONTAINER_OF(cyg_list_first(&s->conns), struct http_conn, link));
	uv_close((uv_handle_t *)&s->janitor, on_handle_closed);
	uv_close((uv_handle_t *)&s->idle, on_handle_closed);
}

size_t http_server_connections(const struct http_server *s)
{
	return s->conns.n;
}

const char *server_date(struct http_server *s)
{
	int64_t now_us = cyg_clock_wall_us();

	if (s->date_s != (time_t)(now_us / 1000000)) {
		s->date_s = (time_t)(now_us / 1000000);
		cyg_clock_format_http(now_us, s->date);
	}
	return s->date;
}

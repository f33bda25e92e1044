/* libmicrohttpd on the loop. MHD runs without a thread, its epoll descriptor watched by libuv; it
 * is run when that is ready, when its time is over, and at the end of a turn in which something was
 * resumed or accepted (on_prepare), never from inside one of its callbacks: no other form loses no
 * wake-up. A request that gets no response at once is suspended; meanwhile a poll of ours watches
 * for its client leaving, which MHD would not notice. Next: mhd_reply.c. */
#include "http/mhd.h"

#include "base/mem.h"
#include "daemon/listener.h"
#include "http/mhd_priv.h"
#include "http/route.h"
#include "http/url.h"

#include <assert.h>
#include <microhttpd.h>
#include <signal.h>
#include <string.h>

enum {
	MHD_CONNECTIONS_MAX = 8192, /* the proxy's own ceiling comes first */
	/* Of a connection. All of it is zeroed after each request and half of it before: what lies
	 * fallow costs time. A head of 16 KiB, a copy of its cookies, then the response's head. */
	MHD_MEMORY = 32 * 1024,
	MHD_IDLE_S = 75,
	MHD_BODY_DEFAULT_MAX = 64 * 1024,
	MHD_DISCARD_MAX = 1024 * 1024, /* of a body that is too large: read and forgotten */
};

/* Watches the socket of a suspended request. It outlives the request by one turn. */
struct watch {
	uv_poll_t poll;
	struct mhd_request *r;
};

struct http_mhd {
	uv_loop_t *loop;
	struct http_server_opts opts;
	struct mounts *mounts;
	struct MHD_Daemon *daemon;
	struct cyg_listener *listener;
	uv_poll_t poll;
	uv_prepare_t prepare;
	uv_timer_t timer;
	unsigned handles;
	bool dirty; /* something was resumed or accepted: MHD must run before the loop sleeps */
	bool closing;
	struct cyg_list requests;
};

/* ---- suspending ---- */

static void on_watch_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void unwatch(struct mhd_request *r)
{
	struct watch *w = CYG_TAKE(r->watch);

	if (w == NULL)
		return;
	w->r = NULL;
	uv_close((uv_handle_t *)&w->poll, on_watch_closed);
}

void mhd_request_resume(struct mhd_request *r)
{
	if (!r->suspended)
		return;
	r->suspended = false;
	unwatch(r);
	MHD_resume_connection(r->conn);
	r->server->dirty = true;
}

/* Its client has left, or the server ends: the handler is told, and MHD closes the connection when
 * it asks for the response. */
static void leave(struct mhd_request *r)
{
	if (r->gone)
		return;
	r->gone = true;
	if (r->stream != NULL)
		mhd_stream_cut(r->stream);
	if (r->seen && !r->answered && r->req.on_abort != NULL) {
		r->answered = true;
		r->req.on_abort(&r->req);
	}
	mhd_request_resume(r);
}

static void on_watch(uv_poll_t *poll, int status, int events)
{
	struct watch *w = poll->data;

	(void)events;
	(void)status;
	if (w->r != NULL)
		leave(w->r);
}

int mhd_request_descriptor(const struct mhd_request *r)
{
	const union MHD_ConnectionInfo *info =
	    r->conn != NULL ? MHD_get_connection_info(r->conn, MHD_CONNECTION_INFO_CONNECTION_FD)
			    : NULL;

	return info != NULL ? info->connect_fd : -1;
}

static void watch(struct mhd_request *r)
{
	int fd = mhd_request_descriptor(r);
	struct watch *w;

	if (fd < 0)
		return;
	w = cyg_xcalloc(1, sizeof(*w));
	if (uv_poll_init(r->server->loop, &w->poll, fd) < 0) {
		free(w);
		return;
	}
	w->r = r;
	w->poll.data = w;
	(void)uv_poll_start(&w->poll, UV_DISCONNECT, on_watch);
	r->watch = w;
}

void mhd_request_suspend(struct mhd_request *r)
{
	MHD_suspend_connection(r->conn);
	r->suspended = true;
	watch(r);
}

/* ---- a request's memory ---- */

void mhd_request_free(struct mhd_request *r)
{
	mhd_reply_drop(r);
	cyg_buf_free(&r->body);
	cyg_buf_free(&r->fields);
	cyg_arena_free(&r->arena);
	mounts_unref(r->mounts);
	free(r);
}

/* MHD is done with it. It lives on when a handler that cannot be told will still respond. */
static void on_completed(
    void *cls, struct MHD_Connection *conn, void **con_cls, enum MHD_RequestTerminationCode code)
{
	struct mhd_request *r = *con_cls;

	(void)cls;
	(void)conn;
	(void)code;
	if (r == NULL)
		return;
	*con_cls = NULL;
	cyg_list_remove(&r->server->requests, &r->link);
	assert(!r->suspended);
	leave(r);
	if (r->stream != NULL)
		mhd_stream_leave(r->stream); /* its response is freed after this */
	r->conn = NULL;
	if (r->answered || !r->seen)
		mhd_request_free(r);
}

/* MHD's first call for a request: the target as it was sent. */
static void *on_target(void *cls, const char *target, struct MHD_Connection *conn)
{
	struct http_mhd *m = cls;
	struct mhd_request *r = malloc(sizeof(*r));

	if (r == NULL)
		abort();
	memset(r, 0, offsetof(struct mhd_request, head));
	r->server = m;
	r->opts = &m->opts;
	r->mounts = mounts_ref(m->mounts);
	r->conn = conn;
	r->target = cyg_arena_dup(&r->arena, cyg_str_of(target));
	cyg_buf_init(&r->body, MHD_BODY_DEFAULT_MAX);
	cyg_buf_init(&r->fields, MHD_FIELDS_MAX);
	cyg_list_add(&m->requests, &r->link);
	return r;
}

/* ---- requests ---- */

/* The head as text, to which MHD's fields are added. */
struct head_text {
	struct cyg_buf *buf;
	bool bad; /* a field could not be written */
};

static enum MHD_Result add_request_field(void *cls, enum MHD_ValueKind kind, const char *name,
    size_t name_len, const char *value, size_t value_len)
{
	struct head_text *text = cls;
	struct cyg_str none = CYG_STR("");

	(void)kind;
	text->bad = http_write_field(text->buf, (struct cyg_str){ name, name_len },
			value != NULL ? (struct cyg_str){ value, value_len } : none, NULL) < 0;
	return text->bad ? MHD_NO : MHD_YES;
}

static int write_fields(struct MHD_Connection *conn, struct cyg_buf *out, struct cyg_err *err)
{
	struct head_text text = { .buf = out };

	(void)MHD_get_connection_values_n(conn, MHD_HEADER_KIND, add_request_field, &text);
	return text.bad ? cyg_fail(err, CYG_EINVAL, "a field is malformed")
			: cyg_buf_add(out, "\r\n", 2, err);
}

/* Writes the head anew from what MHD took out of it, and reads that with the parser that everybody
 * else's heads go through: handlers see the same thing from both servers. */
static int read_head(struct mhd_request *r, const char *method, const char *version, int *status,
    struct cyg_err *err)
{
	const struct cyg_str line[] = { cyg_str_of(method), CYG_STR(" "), cyg_str_of(r->target),
		CYG_STR(" "), cyg_str_of(version), CYG_STR("\r\n") };
	cyg_autobuf struct cyg_buf text;
	const char *kept;
	long used;

	cyg_buf_init(&text, CYG_HTTP_HEAD_MAX + MHD_MEMORY);
	if (cyg_buf_add_all(&text, line, CYG_N(line), err) < 0 ||
	    write_fields(r->conn, &text, err) < 0)
		return -(int)err->code;
	used = http_head_parse_request(text.data, text.len, &r->head, status, err);
	if (used <= 0)
		return used == 0 ? cyg_fail(err, CYG_EINVAL, "the head is malformed") : (int)used;
	kept = cyg_arena_dup(&r->arena, cyg_str_sub(cyg_buf_str(&text), 0, (size_t)used));
	http_head_move(&r->head, text.data, kept);
	if (cyg_str_eq(r->head.target, "*"))
		return 0;
	return url_path_decode(&r->arena, r->head.path, &r->req.path, err);
}

static void begin(struct mhd_request *r, const char *method, const char *version)
{
	struct cyg_err err;
	int status = 400;
	size_t max;

	r->begun = r->seen = true;
	r->req = (struct http_req){
		.head = &r->head,
		.body = CYG_STR(""),
		.arena = &r->arena,
		.app = r->server->opts.app,
		.sender_ = &mhd_sender,
	};
	if (read_head(r, method, version, &status, &err) < 0) {
		r->head.method = HTTP_OTHER;
		http_reply_error(&r->req, status, err.msg);
		return;
	}
	r->req.method = r->head.method;
	if (!http_route(r->server->mounts, r->server->opts.authorize, &r->req))
		return;
	max = r->req.endpoint->body_max;
	r->body.max = max > 0 ? max : MHD_BODY_DEFAULT_MAX;
	if (r->head.framing == HTTP_BODY_LENGTH && r->head.content_length > r->body.max) {
		http_reply_error(&r->req, 413, "the body is too large");
		return;
	}
	r->passed = true;
	r->seen = false;
}

/* Responses cannot be given while a body comes; a chunked one shows only then that it is too large.
 */
static enum MHD_Result take_body(struct mhd_request *r, const char *data, size_t len)
{
	if (r->passed && !r->too_large && cyg_buf_add(&r->body, data, len, NULL) == 0)
		return MHD_YES;
	r->too_large = r->passed;
	cyg_buf_free(&r->body);
	r->discarded += len;
	return r->discarded <= MHD_DISCARD_MAX ? MHD_YES : MHD_NO;
}

static void handle(struct mhd_request *r)
{
	r->handled = r->seen = true;
	if (r->too_large) {
		http_reply_error(&r->req, 413, "the body is too large");
		return;
	}
	r->req.body = cyg_buf_str(&r->body);
	r->req.endpoint->handle(&r->req);
}

/* Gives MHD the response, or waits for it. */
static enum MHD_Result settle(struct mhd_request *r)
{
	enum MHD_Result rc;

	if (r->gone)
		return MHD_NO;
	if (r->response == NULL) {
		mhd_request_suspend(r);
		return MHD_YES;
	}
	rc = MHD_queue_response(r->conn, (unsigned)r->status, r->response);
	mhd_reply_drop(r);
	return rc;
}

/* A response before the end of the request costs the connection, and a client that has not sent all
 * might not read it: what is left of a short request is read first. */
static bool is_short(const struct mhd_request *r)
{
	return r->head.framing != HTTP_BODY_LENGTH || r->head.content_length <= MHD_DISCARD_MAX;
}

/* NOLINTNEXTLINE(readability-function-size): the parameters are libmicrohttpd's */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *conn, const char *url,
    const char *method, const char *version, const char *upload_data, size_t *upload_data_size,
    void **con_cls)
{
	struct mhd_request *r = *con_cls;

	(void)cls;
	(void)conn;
	(void)url;
	if (r == NULL || r->gone)
		return MHD_NO;
	if (*upload_data_size > 0) {
		size_t len = *upload_data_size;
		*upload_data_size = 0;
		return take_body(r, upload_data, len);
	}
	if (!r->begun)
		begin(r, method, version);
	else if (r->reading && r->passed && !r->handled)
		handle(r);
	if (!r->reading && (r->passed || (r->response != NULL && is_short(r)))) {
		r->reading = true;
		return MHD_YES;
	}
	return settle(r);
}

/* ---- the loop ---- */

static void on_mhd_time(uv_timer_t *timer)
{
	struct http_mhd *m = timer->data;

	(void)MHD_run(m->daemon);
}

static void on_mhd_ready(uv_poll_t *poll, int status, int events)
{
	struct http_mhd *m = poll->data;

	(void)status;
	(void)events;
	(void)MHD_run(m->daemon);
}

/* Last thing before the loop sleeps: serves what was resumed, then asks how long it may sleep. */
static void on_prepare(uv_prepare_t *prepare)
{
	struct http_mhd *m = prepare->data;
	MHD_UNSIGNED_LONG_LONG ms;

	if (m->dirty) {
		m->dirty = false;
		(void)MHD_run(m->daemon);
	}
	if (m->dirty)
		ms = 0;
	else if (MHD_get_timeout(m->daemon, &ms) != MHD_YES) {
		(void)uv_timer_stop(&m->timer);
		return;
	}
	(void)uv_timer_start(&m->timer, on_mhd_time, ms, 0);
}

/* ---- connections ---- */

static bool is_full(void *server)
{
	struct http_mhd *m = server;
	const union MHD_DaemonInfo *info =
	    MHD_get_daemon_info(m->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

	return info == NULL || info->num_connections >= MHD_CONNECTIONS_MAX;
}

/* We accept, not MHD: with no descriptor left it either waits until one of its own connections
 * ends, although others may be free long before, or, while it has no connection, tries again
 * without a pause. MHD closes what it cannot take. It runs at the end of the turn, so that it sees
 * the new one. */
static void on_accepted(void *server, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct http_mhd *m = server;

	(void)MHD_add_connection(m->daemon, fd, addr, len);
	m->dirty = true;
}

static const struct cyg_listener_events listener_events = { .is_full = is_full,
	.on_accepted = on_accepted };

/* ---- start and end ---- */

static size_t keep_escapes(void *cls, struct MHD_Connection *conn, char *text)
{
	(void)cls;
	(void)conn;
	return strlen(text);
}

int http_mhd_new(uv_loop_t *loop, const struct http_server_opts *opts, struct http_mhd **ret,
    struct cyg_err *err)
{
	struct http_mhd *m = cyg_xcalloc(1, sizeof(*m));

	m->loop = loop;
	m->opts = *opts;
	cyg_list_init(&m->requests);
	if (mounts_new(opts->mounts, &m->mounts, err) < 0) {
		free(m);
		return -(int)err->code;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	*ret = m;
	return 0;
}

static void start_handles(struct http_mhd *m)
{
	(void)uv_prepare_init(m->loop, &m->prepare);
	(void)uv_timer_init(m->loop, &m->timer);
	m->prepare.data = m->timer.data = m->poll.data = m;
	(void)uv_prepare_start(&m->prepare, on_prepare);
	(void)uv_poll_start(&m->poll, UV_READABLE, on_mhd_ready);
	m->handles = 3;
}

int http_mhd_listen(struct http_mhd *m, int fd, struct cyg_err *err)
{
	const union MHD_DaemonInfo *info;
	int rc;

	assert(m->daemon == NULL);
	m->daemon = MHD_start_daemon(
	    MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL,
	    on_request, m, MHD_OPTION_URI_LOG_CALLBACK, on_target, m, MHD_OPTION_NOTIFY_COMPLETED,
	    on_completed, m, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, m,
	    MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_CONNECTION_LIMIT,
	    (unsigned)MHD_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MHD_MEMORY,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)MHD_IDLE_S, MHD_OPTION_END);
	if (m->daemon == NULL)
		return cyg_fail(err, CYG_ESYS, "libmicrohttpd does not start");
	info = MHD_get_daemon_info(m->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	rc = info != NULL ? uv_poll_init(m->loop, &m->poll, info->epoll_fd) : UV_EINVAL;
	if (rc < 0) {
		MHD_stop_daemon(CYG_TAKE(m->daemon));
		return cyg_fail_sys(err, -rc, "watch libmicrohttpd");
	}
	start_handles(m);
	return cyg_listener_start(m->loop, fd, &listener_events, m, &m->listener, err);
}

static void mhd_free(struct http_mhd *m)
{
	mounts_unref(m->mounts);
	free(m);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct http_mhd *m = handle->data;

	if (--m->handles == 0)
		mhd_free(m);
}

void http_mhd_close(struct http_mhd *m)
{
	if (m == NULL || m->closing)
		return;
	m->closing = true;
	cyg_listener_close(CYG_TAKE(m->listener));
	if (m->daemon == NULL) {
		mhd_free(m);
		return;
	}
	/* Everything must be resumed before MHD is stopped. */
	cyg_list_each_safe (it, &m->requests)
		leave(CYG_CONTAINER_OF(it, struct mhd_request, link));
	(void)uv_poll_stop(&m->poll);
	MHD_stop_daemon(CYG_TAKE(m->daemon));
	uv_close((uv_handle_t *)&m->poll, on_handle_closed);
	uv_close((uv_handle_t *)&m->prepare, on_handle_closed);
	uv_close((uv_handle_t *)&m->timer, on_handle_closed);
}

size_t http_mhd_requests(const struct http_mhd *m)
{
	return m->requests.n;
}

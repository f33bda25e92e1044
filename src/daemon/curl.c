/* libcurl's multi_socket interface on libuv: a poll handle per socket, one timer, and calls with a
 * bounded buffer each. A socket's poll handle always goes before the descriptor is closed (libuv
 * aborts on a closed descriptor in its set), which is why closing is our function too. */
#include "daemon/curl.h"

#include "base/buf.h"
#include "base/list.h"
#include "base/mem.h"

#include <curl/curl.h>
#include <string.h>

enum { CONNECTIONS_KEPT = 4, HEAD_MAX = 64 * 1024 };

struct cyg_curl {
	CURLM *multi;
	uv_loop_t *loop;
	uv_timer_t timer;
	struct cyg_list calls;
	struct cyg_list socks;
	bool closing;
};

struct sock {
	struct cyg_link link;
	struct cyg_curl *c;
	uv_poll_t poll;
	curl_socket_t fd;
};

struct cyg_call {
	struct cyg_link link;
	struct cyg_curl *c;
	CURL *easy;
	struct curl_slist *fields;
	char *body;
	size_t body_len;
	struct cyg_buf response;
	size_t head_len;
	bool too_long;
	cyg_call_fn fn;
	void *arg;
	char why[CURL_ERROR_SIZE];
};

/* ---- sockets and the timer ---- */

static void report(struct cyg_curl *c);

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct sock *s = poll->data;
	struct cyg_curl *c = s->c;
	int flags = status < 0 ? CURL_CSELECT_ERR : 0;
	int running;

	if (events & UV_READABLE)
		flags |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	(void)curl_multi_socket_action(c->multi, s->fd, flags, &running);
	report(c);
}

static void on_timer(uv_timer_t *timer)
{
	struct cyg_curl *c = timer->data;
	int running;

	(void)curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	report(c);
}

static int on_timeout_wanted(CURLM *multi, long ms, void *arg)
{
	struct cyg_curl *c = arg;

	(void)multi;
	if (c->closing || ms < 0)
		(void)uv_timer_stop(&c->timer);
	else
		(void)uv_timer_start(&c->timer, on_timer, (uint64_t)ms, 0);
	return 0;
}

static struct sock *find_sock(const struct cyg_curl *c, curl_socket_t fd)
{
	cyg_list_each (it, &c->socks) {
		struct sock *s = CYG_CONTAINER_OF(it, struct sock, link);
		if (s->fd == fd)
			return s;
	}
	return NULL;
}

static void on_sock_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void drop_sock(struct cyg_curl *c, curl_socket_t fd)
{
	struct sock *s = find_sock(c, fd);

	if (s == NULL)
		return;
	cyg_list_remove(&c->socks, &s->link);
	(void)uv_poll_stop(&s->poll);
	uv_close((uv_handle_t *)&s->poll, on_sock_closed);
}

static struct sock *add_sock(struct cyg_curl *c, curl_socket_t fd)
{
	struct sock *s = cyg_xcalloc(1, sizeof(*s));

	s->c = c;
	s->fd = fd;
	if (uv_poll_init_socket(c->loop, &s->poll, fd) < 0) {
		free(s);
		return NULL;
	}
	s->poll.data = s;
	cyg_list_add(&c->socks, &s->link);
	return s;
}

static int on_socket_wanted(CURL *easy, curl_socket_t fd, int what, void *arg, void *unused)
{
	struct cyg_curl *c = arg;

	(void)easy;
	(void)unused;
	if (what == CURL_POLL_REMOVE) {
		drop_sock(c, fd);
		return 0;
	}
	struct sock *s = find_sock(c, fd);
	if (s == NULL)
		s = add_sock(c, fd);
	if (s == NULL)
		return -1;
	int events =
	    (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
	return uv_poll_start(&s->poll, events, on_poll) < 0 ? -1 : 0;
}

static int on_close_socket(void *arg, curl_socket_t fd)
{
	drop_sock(arg, fd);
	return close(fd);
}

/* ---- start and end ---- */

int cyg_curl_new(uv_loop_t *loop, struct cyg_curl **ret, struct cyg_err *err)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return cyg_fail(err, CYG_ESYS, "libcurl cannot be used");
	struct cyg_curl *c = cyg_xcalloc(1, sizeof(*c));
	c->multi = curl_multi_init();
	if (c->multi == NULL) {
		free(c);
		curl_global_cleanup();
		return cyg_fail(err, CYG_ESYS, "libcurl cannot be used");
	}
	c->loop = loop;
	cyg_list_init(&c->calls);
	cyg_list_init(&c->socks);
	(void)uv_timer_init(loop, &c->timer);
	c->timer.data = c;
	(void)curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_socket_wanted);
	(void)curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
	(void)curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_timeout_wanted);
	(void)curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
	(void)curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
	*ret = c;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
	curl_global_cleanup();
}

void cyg_curl_close(struct cyg_curl *c)
{
	if (c == NULL)
		return;
	c->closing = true;
	while (c->calls.n > 0)
		cyg_call_cancel(CYG_CONTAINER_OF(cyg_list_first(&c->calls), struct cyg_call, link));
	(void)curl_multi_cleanup(c->multi);
	(void)uv_timer_stop(&c->timer);
	uv_close((uv_handle_t *)&c->timer, on_closed);
}

/* ---- calls ---- */

static void call_free(struct cyg_call *call)
{
	if (call->easy != NULL) {
		(void)curl_multi_remove_handle(call->c->multi, call->easy);
		curl_easy_cleanup(call->easy);
	}
	for (struct curl_slist *f = call->fields; f != NULL; f = f->next)
		cyg_cleanse(f->data, strlen(f->data));
	curl_slist_free_all(call->fields);
	if (call->body != NULL)
		cyg_cleanse(call->body, call->body_len);
	free(call->body);
	if (call->response.len > 0)
		cyg_cleanse(call->response.data, call->response.len);
	cyg_buf_free(&call->response);
	if (cyg_link_is_on(&call->link))
		cyg_list_remove(&call->c->calls, &call->link);
	free(call);
}

void cyg_call_cancel(struct cyg_call *call)
{
	if (call != NULL)
		call_free(call);
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct cyg_call *call = arg;

	if (cyg_buf_add(&call->response, data, size * n, NULL) == 0)
		return size * n;
	call->too_long = true;
	return 0;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the type is libcurl's */
static size_t on_head(char *data, size_t size, size_t n, void *arg)
{
	struct cyg_call *call = arg;

	(void)data;
	call->head_len += size * n;
	call->too_long = call->too_long || call->head_len > HEAD_MAX;
	return call->too_long ? 0 : size * n;
}

static int add_field(
    struct cyg_call *call, const char *name, const char *value, struct cyg_err *err)
{
	if (value == NULL)
		return 0;
	if (strpbrk(value, "\r\n") != NULL)
		return cyg_fail(err, CYG_EINVAL, "a field of the request has a line break");
	char *line = cyg_xasprintf("%s: %s", name, value);
	struct curl_slist *fields = curl_slist_append(call->fields, line);
	cyg_cleanse(line, strlen(line));
	free(line);
	if (fields == NULL)
		return cyg_fail(err, CYG_ESYS, "out of memory");
	call->fields = fields;
	return 0;
}

static CURLcode set_what(struct cyg_call *call, const struct cyg_call_request *req)
{
	CURL *e = call->easy;
	CURLcode rc = curl_easy_setopt(e, CURLOPT_URL, req->url);

	if (rc == CURLE_OK && call->fields != NULL)
		rc = curl_easy_setopt(e, CURLOPT_HTTPHEADER, call->fields);
	if (rc == CURLE_OK && req->ca_file != NULL)
		rc = curl_easy_setopt(e, CURLOPT_CAINFO, req->ca_file);
	if (rc != CURLE_OK || req->body.p == NULL)
		return rc;
	call->body = cyg_str_dup(req->body);
	call->body_len = req->body.len;
	rc = curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE, (long)call->body_len);
	return rc == CURLE_OK ? curl_easy_setopt(e, CURLOPT_POSTFIELDS, call->body) : rc;
}

static CURLcode set_rules(struct cyg_call *call, const struct cyg_call_request *req)
{
	CURL *e = call->easy;
	const struct {
		CURLoption option;
		long value;
	} numbers[] = {
		{ CURLOPT_NOSIGNAL, 1 },
		{ CURLOPT_FOLLOWLOCATION, 0 },
		{ CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1 },
		{ CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2 },
		{ CURLOPT_TIMEOUT_MS, (long)req->timeout_ms },
		/* The thread that asks the name service is left to end by itself: libcurl would
		 * wait for it, and the loop with it, for as long as the name service hangs. */
		{ CURLOPT_QUICK_EXIT, 1 },
	};
	CURLcode rc =
	    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, req->plain_http ? "http,https" : "https");

	for (size_t i = 0; rc == CURLE_OK && i < CYG_N(numbers); i++)
		rc = curl_easy_setopt(e, numbers[i].option, numbers[i].value);
	/* An empty name switches off the proxies of the environment. */
	return rc == CURLE_OK ? curl_easy_setopt(e, CURLOPT_PROXY, "") : rc;
}

static void set_callbacks(struct cyg_call *call)
{
	CURL *e = call->easy;

	(void)curl_easy_setopt(e, CURLOPT_PRIVATE, call);
	(void)curl_easy_setopt(e, CURLOPT_ERRORBUFFER, call->why);
	(void)curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(e, CURLOPT_WRITEDATA, call);
	(void)curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_head);
	(void)curl_easy_setopt(e, CURLOPT_HEADERDATA, call);
	(void)curl_easy_setopt(e, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
	(void)curl_easy_setopt(e, CURLOPT_CLOSESOCKETDATA, call->c);
}

int cyg_call_start(struct cyg_curl *c, const struct cyg_call_request *req, cyg_call_fn fn,
    void *arg, struct cyg_call **ret, struct cyg_err *err)
{
	struct cyg_call *call = cyg_xcalloc(1, sizeof(*call));

	call->c = c;
	call->fn = fn;
	call->arg = arg;
	cyg_buf_init(&call->response, req->max);
	if (add_field(call, "Content-Type", req->content_type, err) < 0 ||
	    add_field(call, "Accept", req->accept, err) < 0 ||
	    add_field(call, "Authorization", req->authorization, err) < 0) {
		call_free(call);
		return -CYG_EINVAL;
	}
	call->easy = curl_easy_init();
	CURLcode rc = call->easy == NULL ? CURLE_OUT_OF_MEMORY : set_rules(call, req);
	if (rc == CURLE_OK)
		rc = set_what(call, req);
	if (rc == CURLE_OK)
		set_callbacks(call);
	if (rc != CURLE_OK || curl_multi_add_handle(c->multi, call->easy) != CURLM_OK) {
		call_free(call);
		return cyg_fail(
		    err, CYG_ESYS, "the call cannot be made: %s", curl_easy_strerror(rc));
	}
	cyg_list_add(&c->calls, &call->link);
	*ret = call;
	return 0;
}

/* ---- the result ---- */

static void explain(const struct cyg_call *call, CURLcode rc, struct cyg_err *err)
{
	const char *why = call->why[0] != '\0' ? call->why : curl_easy_strerror(rc);
	enum cyg_code code = CYG_EPROTO;

	if (call->too_long) {
		(void)cyg_fail(err, CYG_ELIMIT, "the response is too long");
		return;
	}
	if (rc == CURLE_OPERATION_TIMEDOUT)
		code = CYG_ETIMEOUT;
	else if (rc == CURLE_COULDNT_RESOLVE_HOST || rc == CURLE_COULDNT_CONNECT)
		code = CYG_EBUSY;
	(void)cyg_fail(err, code, "%s", why);
}

static void finish(struct cyg_call *call, CURLcode rc)
{
	struct cyg_call_result res = { .body = cyg_buf_str(&call->response) };
	struct cyg_err err;
	long status = 0;

	/* It leaves the list first, because the callback may start or close other calls. */
	cyg_list_remove(&call->c->calls, &call->link);
	if (rc == CURLE_OK) {
		(void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
		res.status = (int)status;
		call->fn(call->arg, &res, NULL);
	} else {
		explain(call, rc, &err);
		call->fn(call->arg, NULL, &err);
	}
	call_free(call);
}

static void report(struct cyg_curl *c)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(c->multi, &left)) != NULL) {
		void *call = NULL;
		CURLcode rc = msg->data.result;

		if (msg->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &call);
		finish(call, rc);
	}
}

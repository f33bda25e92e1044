/* The activity report (JupyterHub's POST /hub/api/users/NAME/activity): once a minute, only when
 * there is news; a report that fails is sent again with the next one. */
#include "kernels/agent/hub_link.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "cygnet/paths.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "http/client.h"
#include "http/url.h"
#include "kernels/agent/names.h"
#include "kernels/base/jsonw.h"

#include <fcntl.h>
#include <string.h>

enum { REPORT_MS = 60 * 1000, TIMEOUT_MS = 10 * 1000, BODY_MAX = 4096, ANSWER_MAX = 64 * 1024 };

struct hub_link {
	struct hub_link_opts opts;
	uv_timer_t timer;
	struct http_call *call;
	char *socket_path, *credential_path;
	struct names names;
	int64_t sending_us, sent_us;
	bool complained;
};

static void on_response(void *arg, const struct http_result *result)
{
	struct hub_link *h = arg;

	h->call = NULL;
	if (result->status >= 200 && result->status < 300) {
		h->sent_us = h->sending_us;
		h->complained = false;
		return;
	}
	if (h->complained)
		return;
	h->complained = true; /* once, until it works again */
	if (result->status == 0)
		cyg_log_warn("hub", "no activity report: %s", result->err.msg);
	else
		cyg_log_warn("hub", "the response to the activity report is %d", result->status);
}

static void write_body(const struct hub_link *h, struct cyg_buf *out)
{
	char date[CYG_ISO8601_SIZE];
	struct jsonw w;

	cyg_clock_format(h->sending_us, date);
	jsonw_init(&w, out);
	jsonw_object(&w);
	jsonw_key_cstr(&w, "last_activity", date);
	jsonw_key(&w, "servers");
	jsonw_object(&w);
	jsonw_key(&w, h->names.server);
	jsonw_object(&w);
	jsonw_key_cstr(&w, "last_activity", date);
	jsonw_object_end(&w);
	jsonw_object_end(&w);
	jsonw_object_end(&w);
	(void)jsonw_finish(&w, NULL);
}

static void report(struct hub_link *h, const char *credential)
{
	cyg_autobuf struct cyg_buf target;
	char *authorization = cyg_xasprintf("token %s", credential);
	cyg_autobuf struct cyg_buf body;
	struct http_call_spec spec = {
		.socket_path = h->socket_path,
		.method = "POST",
		.host = "hub",
		.content_type = "application/json",
		.authorization = authorization,
		.timeout_ms = TIMEOUT_MS,
		.body_max = ANSWER_MAX,
	};

	cyg_buf_init(&target, BODY_MAX);
	(void)cyg_buf_add_str(&target, CYG_HUB_PATH "/api/users/", NULL);
	(void)url_encode(&target, cyg_str_of(h->names.user), "@", NULL);
	(void)cyg_buf_add_str(&target, "/activity", NULL);
	spec.target = target.data;
	cyg_buf_init(&body, BODY_MAX);
	write_body(h, &body);
	spec.body = cyg_buf_str(&body);
	h->call = http_call_start(h->opts.loop, &spec, on_response, h);
	cyg_cleanse(authorization, strlen(authorization));
	free(authorization);
}

static void on_timer(uv_timer_t *t)
{
	struct hub_link *h = t->data;
	int64_t now_us = h->opts.last_activity(h->opts.arg);
	char *credential = NULL;
	struct cyg_err err;

	if (h->call != NULL || h->names.user == NULL || now_us <= h->sent_us ||
	    access(h->socket_path, F_OK) < 0)
		return;
	if (cyg_file_read_secret(AT_FDCWD, h->credential_path, &credential, &err) < 0) {
		if (!h->complained)
			cyg_log_warn("hub", "no activity report: %s", err.msg);
		h->complained = true;
		return;
	}
	h->sending_us = now_us;
	report(h, credential);
	cyg_cleanse(credential, strlen(credential));
	free(credential);
}

struct hub_link *hub_link_new(const struct hub_link_opts *opts)
{
	struct hub_link *h = cyg_xcalloc(1, sizeof(*h));

	h->opts = *opts;
	h->socket_path = cyg_xasprintf("%s/hub.sock", opts->run_dir);
	h->credential_path = cyg_xasprintf("%s/secrets/credential", opts->run_dir);
	names_read(opts->base_url, &h->names);
	(void)uv_timer_init(opts->loop, &h->timer);
	h->timer.data = h;
	(void)uv_timer_start(&h->timer, on_timer, REPORT_MS, REPORT_MS);
	return h;
}

static void hub_link_free(void *p)
{
	struct hub_link *h = p;

	free(h->socket_path);
	free(h->credential_path);
	names_free(&h->names);
	free(h);
}

static void on_closed(uv_handle_t *handle)
{
	ev_free_later(handle->loop, handle->data, hub_link_free);
}

void hub_link_close(struct hub_link *h)
{
	if (h == NULL)
		return;
	http_call_cancel(h->call);
	uv_close((uv_handle_t *)&h->timer, on_closed);
}

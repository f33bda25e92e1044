/* The daemon itself: /hub/health, and the orderly end that `cygnetctl up` asks for (reference 1.3).
 */
#include "base/mem.h"
#include "daemon/metrics.h"
#include "http/url.h"
#include "hub/access/audit.h"
#include "hub/access/auth.h"
#include "hub/api/api.h"
#include "hub/base/reply.h"
#include "hub/link/proxy_link.h"
#include "hub/link/scrape.h"
#include "hub/link/spawners.h"
#include "hub/server/srv.h"

#include <string.h>

/* requests that wait for health, which need no credential: few enough not to hurt others */
enum { READY_POLL_MS = 20, READY_MAX_MS = 60 * 1000, READY_WAITS_MAX = 64 };

/* ---- health; with ?wait=1 only when a start could work: spawner listed, a proxy with the table
 * ---- */

static const char not_ready[] =
    "The spawner or the proxy is not there yet, or the disk cannot be written.";
#define failing "The disk cannot be written: nothing new starts, and no user can sign in.\n"

struct ready_wait {
	struct api *api;
	struct http_req *req;
	uint64_t waited_ms;
	uv_timer_t timer;
};

static bool is_ready(const struct api *api)
{
	return spawners_all_known(api->spawners, NULL) && proxy_link_ready(api->proxy) > 0 &&
	       !api->opts.is_failing(api->opts.arg);
}

static void on_closed(uv_handle_t *h)
{
	free(h->data);
}

static void ready_wait_close(struct ready_wait *w)
{
	w->api->health_waits--;
	uv_close((uv_handle_t *)&w->timer, on_closed);
}

static void on_poll(uv_timer_t *timer)
{
	struct ready_wait *w = timer->data;
	struct http_req *req = w->req;
	bool ready = is_ready(w->api);

	w->waited_ms += READY_POLL_MS;
	if (!ready && w->waited_ms < READY_MAX_MS)
		return;
	req->on_abort = NULL;
	ready_wait_close(w);
	if (ready)
		http_reply(req, 200, "text/plain", CYG_STR(""));
	else
		reply_error(req, 503, not_ready);
}

static void on_abort(struct http_req *req)
{
	ready_wait_close(req->data);
}

void api_health(struct http_req *req)
{
	struct api *api = api_of(req);
	struct cyg_str value = CYG_STR("");
	bool found = false;

	(void)url_query_get(req->arena, req->head->query, "wait", &value, &found, NULL);
	if (!found || !cyg_str_eq(value, "1") || is_ready(api)) {
		/* Running servers need no disk: a restart of the hub would not help. */
		http_reply(req, 200, "text/plain",
		    api->opts.is_failing(api->opts.arg) ? CYG_STR(failing) : CYG_STR(""));
		return;
	}
	if (api->health_waits >= READY_WAITS_MAX) {
		reply_error(req, 503, not_ready);
		return;
	}
	struct ready_wait *w = cyg_xcalloc(1, sizeof(*w));
	api->health_waits++;
	w->api = api;
	w->req = req;
	req->data = w;
	req->on_abort = on_abort;
	(void)uv_timer_init(api->uv, &w->timer);
	w->timer.data = w;
	(void)uv_timer_start(&w->timer, on_poll, READY_POLL_MS, READY_POLL_MS);
}

/* ---- metrics, for scrapers with a token; the administrator uses the control socket ---- */

static void respond(struct http_req *req)
{
	struct api *api = api_of(req);
	struct cyg_buf out;
	struct cyg_err err;
	size_t len = 0;

	cyg_buf_init(&out, METRICS_TEXT_MAX);
	if (api->opts.write_metrics(api->opts.arg, &out, &err) < 0) {
		cyg_buf_free(&out);
		reply_err(req, &err);
		return;
	}
	char *text = cyg_buf_take(&out, &len);
	http_reply_take(req, 200, METRICS_CONTENT_TYPE, text, len);
}

void api_metrics(struct http_req *req)
{
	const struct api *api = api_of(req);

	scrape_start(req, api->spawners, api->metrics, respond);
}

/* ---- shutdown ---- */

/* True when the body asks to stop the servers too; *bad when a value is not a boolean. */
static bool wants_servers(const json_t *root, bool *bad)
{
	const json_t *servers = json_object_get(root, "servers");
	const json_t *proxy = json_object_get(root, "proxy");

	*bad = (servers != NULL && !json_is_boolean(servers)) ||
	       (proxy != NULL && !json_is_boolean(proxy));
	return json_is_true(servers);
}

static void stop_all(struct api *api, const struct audit_actor *by)
{
	const struct srv *srv = NULL;
	size_t pos = 0;

	while (srvs_next(api->srvs, &pos, &srv)) {
		if (srv_is_active(srv))
			srv_stop(
			    srvs_find(api->srvs, cyg_str_of(srv->user), cyg_str_of(srv->name)), by);
	}
}

static void end_now(void *arg, const struct cyg_err *why)
{
	struct api *api = arg;

	(void)why;
	api->opts.end(api->opts.arg);
}

void api_shutdown(struct http_req *req)
{
	struct api *api = api_of(req);
	json_t *root =
	    req->body.len > 0 ? json_loadb(req->body.p, req->body.len, 0, NULL) : json_object();
	bool bad = root == NULL;
	bool servers = !bad && wants_servers(root, &bad);

	json_decref(root);
	if (bad) {
		reply_error(req, 400, "Invalid JSON in body of request");
		return;
	}
	if (servers) {
		const struct audit_actor by = audit_actor_of(auth_who(req));
		api->draining = true;
		stop_all(api, &by);
	} else {
		store_after_turn(api->store, end_now, api);
	}
	reply_json(req, 202, json_pack("{s:s}", "message", "Shutting down Hub"));
}

/* The daemon itself: /hub/health, and the orderly end that `cygnetctl up` asks for (reference 1.3).
 */
#include "base/mem.h"
#include "http/url.h"
#include "hub/api/api.h"
#include "hub/base/reply.h"
#include "hub/hub.h"
#include "hub/link/proxy_link.h"
#include "hub/link/spawners.h"
#include "hub/server/srv.h"

#include <string.h>

/* Anybody may wait for the answer: not so many that it hurts others. */
enum { READY_POLL_MS = 20, READY_MAX_MS = 60 * 1000, READY_WAITS_MAX = 64 };

/* ---- health; with ?wait=1 only when a start could work: spawner listed, a proxy with the table
 * ---- */

static const char not_ready[] =
    "The spawner or the proxy is not there yet, or the disk cannot be written.";
#define failing "The disk cannot be written: nothing new starts, nobody new signs in.\n"

struct ready_wait {
	struct hub *hub;
	struct http_req *req;
	uint64_t waited_ms;
	uv_timer_t timer;
};

static bool is_ready(const struct hub *hub)
{
	return spawners_all_known(hub->spawners, NULL) && proxy_link_ready(hub->proxy) > 0 &&
	       hub->failing_since_us == 0;
}

static void on_closed(uv_handle_t *h)
{
	free(h->data);
}

static void ready_wait_close(struct ready_wait *w)
{
	w->hub->health_waits--;
	uv_close((uv_handle_t *)&w->timer, on_closed);
}

static void on_poll(uv_timer_t *timer)
{
	struct ready_wait *w = timer->data;
	struct http_req *req = w->req;
	bool ready = is_ready(w->hub);

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
	struct hub *hub = request_hub(req);
	struct cyg_str value = CYG_STR("");
	bool found = false;

	(void)url_query_get(req->arena, req->head->query, "wait", &value, &found, NULL);
	if (!found || !cyg_str_eq(value, "1") || is_ready(hub)) {
		/* What runs goes on without the disk: another hub would do no better. */
		http_reply(req, 200, "text/plain",
		    hub->failing_since_us != 0 ? CYG_STR(failing) : CYG_STR(""));
		return;
	}
	if (hub->health_waits >= READY_WAITS_MAX) {
		reply_error(req, 503, not_ready);
		return;
	}
	struct ready_wait *w = cyg_xcalloc(1, sizeof(*w));
	hub->health_waits++;
	w->hub = hub;
	w->req = req;
	req->data = w;
	req->on_abort = on_abort;
	(void)uv_timer_init(hub->uv, &w->timer);
	w->timer.data = w;
	(void)uv_timer_start(&w->timer, on_poll, READY_POLL_MS, READY_POLL_MS);
}

/* ---- shutdown ---- */

/* True when the body asks for the servers to be stopped too; *bad on anything but booleans. */
static bool wants_servers(const json_t *root, bool *bad)
{
	const json_t *servers = json_object_get(root, "servers");
	const json_t *proxy = json_object_get(root, "proxy");

	*bad = (servers != NULL && !json_is_boolean(servers)) ||
	       (proxy != NULL && !json_is_boolean(proxy));
	return json_is_true(servers);
}

static void stop_all(struct hub *hub)
{
	const struct srv *srv = NULL;
	size_t pos = 0;

	while (srvs_next(hub, &pos, &srv)) {
		if (srv_is_active(srv))
			srv_stop(srvs_find(hub, cyg_str_of(srv->user), cyg_str_of(srv->name)));
	}
}

static void end_now(void *arg, const struct cyg_err *why)
{
	struct hub *hub = arg;

	(void)why;
	cyg_loop_stop(hub->loop);
}

void api_shutdown(struct http_req *req)
{
	struct hub *hub = request_hub(req);
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
		hub->draining = true;
		stop_all(hub);
	} else {
		store_after_turn(hub->store, end_now, hub);
	}
	reply_json(req, 202, json_pack("{s:s}", "message", "Shutting down Hub"));
}

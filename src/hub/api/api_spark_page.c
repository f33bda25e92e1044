/* GET …/servers/{user}/spark: which value came from which layer, as the server's agent remembers
 * it, without secrets. */
#include "base/mem.h"
#include "http/client.h"
#include "hub/api/api.h"
#include "hub/base/asks.h"
#include "hub/base/reply.h"
#include "hub/server/srv.h"

enum {
	AGENT_MS = 5000,
	AGENT_RESPONSE_MAX = 256 * 1024, /* the settings of ten apps */
};

struct ask {
	struct api *api;
	struct http_req *req;
	struct http_call *call;
	char user[CYG_NAME_MAX];
};

static void ask_free(struct ask *a)
{
	http_call_cancel(a->call);
	asks_leave(a->api->asks, ASKS_SPARK, a->user);
	free(a);
}

static void on_ask_abort(struct http_req *req)
{
	ask_free(req->data);
}

static void on_agent(void *arg, const struct http_result *result)
{
	struct ask *a = arg;
	struct http_req *req = a->req;

	req->on_abort = NULL;
	a->call = NULL;
	ask_free(a);
	if (result->status == 200)
		http_reply(req, 200, "application/json", result->body);
	else if (result->status == 404)
		reply_error(req, 404, "This server was started without Spark.");
	else
		reply_error(req, 502, "The server does not answer.");
}

void api_get_spark(struct http_req *req)
{
	struct api *api = api_of(req);
	const struct srv *srv = api_about_server(req);
	struct ask *a;

	if (srv == NULL || srv->state != SRV_RUNNING) {
		reply_error(req, 404, "This server is not running.");
		return;
	}
	cyg_autofree char *path = srv_socket(srv);
	cyg_autofree char *target = cyg_xasprintf("%sapi/cygnet/spark", srv->base_url);
	const struct http_call_spec spec = { .socket_path = path,
		.method = "GET",
		.target = target,
		.host = "localhost",
		.timeout_ms = AGENT_MS,
		.body_max = AGENT_RESPONSE_MAX };
	if (!asks_admit(api->asks, ASKS_SPARK, srv->user, req))
		return;
	a = cyg_xcalloc(1, sizeof(*a));
	a->api = api;
	a->req = req;
	(void)cyg_str_copy(a->user, sizeof(a->user), cyg_str_of(srv->user));
	req->data = a;
	req->on_abort = on_ask_abort;
	a->call = http_call_start(api->uv, &spec, on_agent, a);
}

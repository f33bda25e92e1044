/* GET /hub/api/cygnet/servers/{user}/stat: memory and CPU from the spawner, then kernels and their
 * notebooks from the agent. A value that cannot be had is null. */
#include "base/clock.h"
#include "base/mem.h"
#include "cygnet/spawn_msg.h"
#include "http/client.h"
#include "hub/access/auth.h"
#include "hub/api/api.h"
#include "hub/api/kernel_rows.h"
#include "hub/base/asks.h"
#include "hub/base/reply.h"
#include "hub/link/spawner_link.h"
#include "hub/link/spawners.h"
#include "hub/server/srv.h"

#include <string.h>

enum { STAT_MS = 3000 };

/* One request, step by step; at most one call is open. */
struct stat_story {
	struct api *api;
	struct http_req *req;
	char user[CYG_NAME_MAX];
	char *base_url, *socket;
	struct spawner *spawner; /* NULL: not known now */
	char id[CYG_SERVER_ID_LEN + 1];
	uint32_t number;        /* of the open STAT */
	struct http_call *call; /* to the agent */
	json_t *response;
	json_t *kernels; /* rows of kernel_rows.c, or NULL */
};

static void story_free(struct stat_story *s)
{
	http_call_cancel(s->call);
	asks_leave(s->api->asks, ASKS_STAT, s->user);
	free(s->base_url);
	free(s->socket);
	json_decref(s->response);
	json_decref(s->kernels);
	free(s);
}

static void on_abort(struct http_req *req)
{
	struct stat_story *s = req->data;

	if (s->number != 0)
		spawner_link_forget(s->spawner->link, s->number);
	story_free(s);
}

static void finish(struct stat_story *s)
{
	struct http_req *req = s->req;

	req->on_abort = NULL;
	reply_json(req, 200, CYG_TAKE(s->response));
	story_free(s);
}

/* ---- 1: the spawner's figures ---- */

static json_t *cpu_of(struct srv *srv, const struct spawn_item *item)
{
	int64_t now_us = cyg_clock_wall_us();
	int64_t since_us = srv->stat_at_us != 0 ? srv->stat_at_us : (int64_t)item->started_us;
	uint64_t before_us = srv->stat_at_us != 0 ? srv->stat_cpu_us : 0;
	double used = 0;

	if (item->cpu_us == 0)
		return json_null();
	if (now_us > since_us && item->cpu_us >= before_us)
		used = (double)(item->cpu_us - before_us) / (double)(now_us - since_us);
	srv->stat_cpu_us = item->cpu_us;
	srv->stat_at_us = now_us;
	uint32_t milli = item->cpu_milli;
	return json_pack("{s:f, s:o}", "cores_used", used, "cores",
	    milli > 0 ? json_real((double)milli / 1000) : json_null());
}

static json_t *memory_of(const struct spawn_item *item)
{
	if (item->memory_bytes == 0)
		return json_null();
	return json_pack("{s:I, s:o}", "used", (json_int_t)item->memory_bytes, "limit",
	    item->memory_limit > 0 ? json_integer((json_int_t)item->memory_limit) : json_null());
}

static void on_item(void *arg, const struct spawn_item *item)
{
	struct stat_story *s = arg;

	/* The record may be in another life, or removed with its user. */
	struct srv *srv = srvs_find_id(s->api->srvs, s->id);

	if (srv == NULL)
		return;
	(void)json_object_set_new(s->response, "memory", memory_of(item));
	(void)json_object_set_new(s->response, "cpu", cpu_of(srv, item));
}

/* ---- 2 and 3: the agent's kernels, and the notebooks they belong to ---- */

static void ask(struct stat_story *s, const char *what, http_call_fn done)
{
	cyg_autofree char *target = cyg_xasprintf("%s%s", s->base_url, what);
	struct http_call_spec spec = {
		.socket_path = s->socket,
		.method = "GET",
		.target = target,
		.host = "localhost",
		.timeout_ms = STAT_MS,
		.body_max = KERNEL_ROWS_TEXT_MAX,
	};

	s->call = http_call_start(s->api->uv, &spec, done, s);
}

static void on_sessions(void *arg, const struct http_result *result)
{
	struct stat_story *s = arg;

	s->call = NULL;
	if (result->status == 200)
		kernel_rows_add_paths(s->kernels, result->body);
	(void)json_object_set_new(s->response, "kernels", CYG_TAKE(s->kernels));
	finish(s);
}

static void on_kernels(void *arg, const struct http_result *result)
{
	struct stat_story *s = arg;

	s->call = NULL;
	if (result->status == 200)
		s->kernels = kernel_rows_read(result->body);
	if (s->kernels != NULL)
		ask(s, "api/sessions", on_sessions);
	else
		finish(s);
}

static void on_stat(void *arg, uint32_t number, const struct cyg_err *why)
{
	struct stat_story *s = arg;

	(void)number;
	(void)why; /* the kernels can be shown without the spawner's figures */
	s->number = 0;
	ask(s, "api/kernels", on_kernels);
}

void api_get_stat(struct http_req *req)
{
	struct api *api = api_of(req);
	struct srv *srv = api_about_server(req);
	struct spawn_stop m = { 0 };

	if (srv == NULL || srv->state != SRV_RUNNING) {
		reply_error(req, 404, "The server is not running.");
		return;
	}
	if (!asks_admit(api->asks, ASKS_STAT, srv->user, req))
		return;
	struct stat_story *s = cyg_xcalloc(1, sizeof(*s));
	struct spawner_call call = {
		.on_item = on_item, .on_reply = on_stat, .arg = s, .timeout_ms = STAT_MS
	};
	s->api = api;
	s->req = req;
	(void)cyg_str_copy(s->user, sizeof(s->user), cyg_str_of(srv->user));
	s->base_url = cyg_xstrdup(srv->base_url);
	s->socket = srv_socket(srv);
	s->spawner = srv_spawner(srv);
	s->response = json_pack("{s:n, s:n, s:n}", "memory", "cpu", "kernels");
	(void)cyg_str_copy(s->id, sizeof(s->id), cyg_str_of(srv->id));
	(void)cyg_str_copy(m.server_id, sizeof(m.server_id), cyg_str_of(srv->id));
	req->data = s;
	req->on_abort = on_abort;
	if (s->spawner != NULL)
		s->number = spawner_link_call(s->spawner->link, SPAWN_STAT, &m, sizeof(m), &call);
	if (s->number == 0)
		ask(s, "api/kernels", on_kernels);
}

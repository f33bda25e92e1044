/* The control socket. Who may use it is decided by the rights of its path; metrics
 * are for root and the proxy's own user. */
#include "proxy/control.h"

#include "base/mem.h"
#include "daemon/log.h"
#include "daemon/unixsock.h"
#include "http/peer.h"
#include "http/server.h"
#include "proxy/force.h"
#include "proxy/metrics.h"

#include <jansson.h>
#include <string.h>
#include <sys/socket.h>

#define SCOPE_ROOT "root"

static void reply_json(struct http_req *req, int status, json_t *body)
{
	char *text = json_dumps(body, JSON_COMPACT);

	json_decref(body);
	if (text == NULL) {
		http_reply_error(req, 500, "no memory for the response");
		return;
	}
	http_reply_take(req, status, "application/json", text, strlen(text));
}

/* The response says that the table is in force: nothing of the old one is used after it. */
static void reply_generation(struct http_req *req)
{
	const struct proxy *p = req->ctx;

	reply_json(
	    req, 200, json_pack("{s:I}", CYG_TABLE_GENERATION, (json_int_t)p->table->generation));
}

static void refuse_table(struct http_req *req, const struct cyg_err *err)
{
	cyg_log_warn("table", "refused: %s", err->msg);
	http_reply_err(req, err);
}

static void put_table(struct http_req *req)
{
	struct table *t = NULL;
	struct cyg_err err;

	if (table_parse(req->body, &t, &err) < 0) {
		refuse_table(req, &err);
		return;
	}
	force_table(req->ctx, t);
	reply_generation(req);
}

/* A change that builds on another generation gets a 409 and is not logged as an error: the hub does
 * not know which table a restarted proxy has, and sends the whole one then. */
static void patch_table(struct http_req *req)
{
	struct table_change *change = NULL;
	struct cyg_err err;
	int rc = table_change_parse(req->body, &change, &err);

	if (rc == 0)
		rc = force_change(req->ctx, change, &err);
	table_change_free(change);
	if (rc == -CYG_EEXIST) {
		cyg_log_info("table", "%s", err.msg);
		http_reply_err(req, &err);
	} else if (rc < 0) {
		refuse_table(req, &err);
	} else {
		reply_generation(req);
	}
}

static json_t *connections_json(const struct proxy *p)
{
	static const char *const names[CLIENT_CLOSED] = { "idle", "head", "connect", "answer",
		"body", "reply", "websocket", "linger" };
	json_t *list = json_object();

	for (size_t i = 0; i < CLIENT_CLOSED; i++)
		(void)json_object_set_new(list, names[i], json_integer((json_int_t)p->lists[i].n));
	return list;
}

static json_t *answers_json(const struct proxy *p)
{
	static const char *const names[] = { NULL, "1xx", "2xx", "3xx", "4xx", "5xx" };
	json_t *list = json_object();

	for (size_t i = 1; i < CYG_N(names); i++)
		(void)json_object_set_new(list, names[i], json_integer((json_int_t)p->n_status[i]));
	return list;
}

static void get_status(struct http_req *req)
{
	struct proxy *p = req->ctx;
	const struct table *t = p->table;

	reply_json(req, 200,
	    json_pack("{s:b,s:I,s:I,s:I,s:I,s:I,s:o,s:o}", "table", t != NULL, "generation",
		(json_int_t)(t != NULL ? t->generation : 0), "routes",
		(json_int_t)(t != NULL ? t->n_routes : 0), "credentials",
		(json_int_t)(t != NULL ? t->n_creds : 0), "accepted", (json_int_t)p->n_accepted,
		"cut", (json_int_t)p->n_cut, "connections", connections_json(p), "answers",
		answers_json(p)));
}

static void get_activity(struct http_req *req)
{
	struct proxy *p = req->ctx;
	json_t *servers = json_object();
	struct cyg_str key;
	void *value;
	size_t pos = 0;

	while (cyg_hash_next(p->activity, &pos, &key, &value)) {
		const struct activity *a = value;
		char *id = cyg_str_dup(key);

		if (a->n_routes > 0)
			(void)json_object_set_new(servers, id,
			    json_pack("{s:I}", "last_ms_ago",
				(json_int_t)(uv_now(p->loop) - a->last_ms)));
		free(id);
	}
	reply_json(req, 200, json_pack("{s:o}", "servers", servers));
}

static void get_metrics(struct http_req *req)
{
	struct cyg_buf out;
	struct cyg_err err;
	size_t len = 0;

	cyg_buf_init(&out, METRICS_TEXT_MAX);
	if (proxy_metrics_write(req->ctx, &out, &err) < 0) {
		cyg_buf_free(&out);
		http_reply_err(req, &err);
		return;
	}
	char *text = cyg_buf_take(&out, &len);
	http_reply_take(req, 200, METRICS_CONTENT_TYPE, text, len);
}

/* Who can open the socket may send tables: that is the hub, which may run as another uid. */
static bool authorize(struct http_req *req, const struct http_endpoint *endpoint)
{
	if (strcmp(endpoint->scope, SCOPE_ROOT) != 0 || http_peer_is_own(req))
		return true;
	http_reply_error(req, 403, "Only root, or the proxy's own user, may ask here.");
	return false;
}

static const struct http_endpoint endpoints[] = {
	{ HTTP_PUT, CYG_TABLE_TARGET, "proxy:control", put_table, CYG_TABLE_MAX },
	{ HTTP_PATCH, CYG_TABLE_TARGET, "proxy:control", patch_table, CYG_TABLE_PATCH_MAX },
	{ HTTP_GET, "/status", "proxy:control", get_status, 0 },
	{ HTTP_GET, "/activity", "proxy:control", get_activity, 0 },
	{ HTTP_GET, "/metrics", SCOPE_ROOT, get_metrics, 0 },
	{ .path = NULL },
};

int control_open(struct proxy *p, struct cyg_err *err)
{
	const struct http_mount mounts[] = { { .prefix = "", .endpoints = endpoints, .ctx = p },
		{ .endpoints = NULL } };
	const struct http_server_opts opts = { .mounts = mounts, .authorize = authorize };
	int fd = cyg_listen_fd("control");
	int rc;

	if (fd < 0 && p->options.control == NULL)
		return 0;
	if (fd < 0)
		fd = unixsock_listen(p->options.control, SOCK_STREAM, 0600, (gid_t)-1, err);
	if (fd < 0)
		return fd;
	rc = http_server_new(p->loop, &opts, &p->control, err);
	if (rc < 0) {
		cyg_close(fd);
		return rc;
	}
	return http_server_listen(p->control, fd, err);
}

void control_close(struct proxy *p)
{
	if (p->control != NULL)
		http_server_close(p->control);
	p->control = NULL;
}

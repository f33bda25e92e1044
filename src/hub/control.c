/* The hub's control socket: serves the metrics to root and to the hub's own uid. */
#include "hub/control.h"

#include "base/mem.h"
#include "base/num.h"
#include "cygnet/paths.h"
#include "daemon/options.h"
#include "daemon/unixsock.h"
#include "http/peer.h"
#include "http/server.h"
#include "http/url.h"
#include "hub/access/audit.h"
#include "hub/api/api.h"
#include "hub/link/scrape.h"
#include "hub/metrics.h"

#include <sys/socket.h>

enum { BODY_MAX = 4096 };

static void respond(struct http_req *req)
{
	struct cyg_buf out;
	struct cyg_err err;
	size_t len = 0;

	cyg_buf_init(&out, METRICS_TEXT_MAX);
	if (hub_metrics_write(req->ctx, &out, &err) < 0) {
		cyg_buf_free(&out);
		http_reply_err(req, &err);
		return;
	}
	char *text = cyg_buf_take(&out, &len);
	http_reply_take(req, 200, METRICS_CONTENT_TYPE, text, len);
}

static void get_metrics(struct http_req *req)
{
	const struct hub *hub = req->ctx;

	scrape_start(req, hub->spawners, hub->metrics, respond);
}

/* GET /audit?before=ID: a page, newest first; the caller asks on from the last id that it got. */
static void get_audit(struct http_req *req)
{
	const struct hub *hub = req->ctx;
	struct cyg_str text = CYG_STR("");
	uint64_t before = 0;
	bool found = false;
	struct cyg_buf out;
	struct cyg_err err;
	size_t len = 0;

	cyg_buf_init(&out, CYG_AUDIT_PAGE_MAX);
	if (url_query_get(req->arena, req->head->query, "before", &text, &found, &err) < 0 ||
	    (found && cyg_num_parse_u64(text, 1, INT64_MAX, &before, &err) < 0) ||
	    audit_page(hub->store, (int64_t)before, &out, &err) < 0) {
		cyg_buf_free(&out);
		http_reply_err(req, &err);
		return;
	}
	char *lines = cyg_buf_take(&out, &len);
	http_reply_take(req, 200, "application/jsonl", lines, len);
}

static bool authorize(struct http_req *req, const struct http_endpoint *endpoint)
{
	(void)endpoint;
	if (http_peer_is_own(req))
		return true;
	http_reply_error(req, 403, "Only root, or the hub's own user, may ask here.");
	return false;
}

static const struct http_endpoint endpoints[] = {
	{ HTTP_GET, "/metrics", "root", get_metrics, 0 },
	{ HTTP_GET, "/audit", "root", get_audit, 0 },
	{ .path = NULL },
};

/* As at the API, for who has no token. */
static const struct http_endpoint api_endpoints[] = {
	{ HTTP_GET, "/api/cygnet/users/{user}/former", "root", api_list_former, 0 },
	{ HTTP_POST, "/api/cygnet/users/{user}/hand-over", "root", api_hand_over_by_root,
	    BODY_MAX },
	{ .path = NULL },
};

int control_start(struct hub *hub, struct cyg_err *err)
{
	const struct http_mount mounts[] = {
		{ .prefix = "", .endpoints = endpoints, .ctx = hub },
		{ .prefix = CYG_HUB_PATH, .endpoints = api_endpoints, .ctx = hub->api },
		{ .endpoints = NULL },
	};
	const struct http_server_opts opts = { .mounts = mounts, .authorize = authorize };
	cyg_autofree char *path = cyg_xasprintf("%s/hub/control.sock", hub->config.run_dir);
	int fd = cyg_listen_fd("hub-control");
	int rc;

	if (fd < 0)
		fd = unixsock_listen(path, SOCK_STREAM, 0600, (gid_t)-1, err);
	if (fd < 0)
		return fd;
	rc = http_server_new(hub->uv, &opts, &hub->control, err);
	if (rc == 0)
		return http_server_listen(hub->control, fd, err);
	cyg_close(fd);
	return rc;
}

void control_close(struct hub *hub)
{
	http_server_close(hub->control);
	hub->control = NULL;
}

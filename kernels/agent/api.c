/* The agent's own endpoints: shutdown, which is refused, and GET /api when there are no pages. */
#include "kernels/agent/agent_priv.h"
#include "kernels/base/reply.h"

static void get_version(struct http_req *req)
{
	struct reply r;

	reply_begin(&r);
	jsonw_object(&r.w);
	jsonw_key_cstr(&r.w, "version", REPLY_JUPYTER_VERSION);
	jsonw_object_end(&r.w);
	reply_end(&r, req, 200);
}

static void refuse_shutdown(struct http_req *req)
{
	reply_error(req, 403, NULL, "This server is stopped from the hub's page.");
}

const struct http_endpoint agent_endpoints[] = {
	{ HTTP_POST, "/api/shutdown", "agent", refuse_shutdown, 0 },
	{ .path = NULL },
};

const struct http_endpoint bare_endpoints[] = {
	{ HTTP_GET, "/api", "agent", get_version, 0 },
	{ .path = NULL },
};

/* Responses to addresses without an endpoint. The proxy sends a server's address here while it has
 * no route for it: JupyterHub's 424 and its link (reference 2.2). */
#include "base/mem.h"
#include "cygnet/paths.h"
#include "http/url.h"
#include "hub/access/auth.h"
#include "hub/api/api.h"
#include "hub/api/pages.h"
#include "hub/base/reply.h"
#include "hub/server/srv.h"

#include <string.h>

/* "/user/NAME/SERVER/rest" → NAME and SERVER (empty when none follows). */
static bool split_user(struct cyg_str path, struct cyg_str *user, struct cyg_str *server)
{
	struct cyg_str rest = path, part;

	if (!cyg_str_starts(path, CYG_USER_PATH))
		return false;
	rest = cyg_str_skip(rest, strlen(CYG_USER_PATH));
	if (!cyg_str_next(&rest, '/', user) || user->len == 0)
		return false;
	*server = cyg_str_next(&rest, '/', &part) ? part : CYG_STR("");
	return true;
}

static bool is_navigation(const struct http_req *req)
{
	return (req->method == HTTP_GET || req->method == HTTP_HEAD) && !request_wants_json(req);
}

static void not_running(struct http_req *req, const struct who *who)
{
	reply_error(req, 424,
	    cyg_arena_printf(req->arena,
		"The server of %s is not running. It can be started at " CYG_HUB_PATH "/spawn/%s.",
		who->person->name, who->person->name));
}

static void lost_server(struct http_req *req, struct cyg_str user, struct cyg_str name)
{
	struct api *api = api_of(req);
	const struct who *who = auth_who(req);

	if (who->person == NULL) {
		reply_sign_in(req);
		return;
	}
	/* The response must not tell whether another user's server runs, or whether there is such a
	 * user: it is the same for all, decided before anything is looked up. The proxy sends such
	 * requests here in every case (edge.c: check_route). */
	if (!cyg_str_eq(user, who->person->name)) {
		reply_error(req, 404, "There is nothing here, or it is not yours.");
		return;
	}
	struct srv *srv = srvs_find(api->srvs, user, name);
	if (srv == NULL)
		srv = srvs_find(api->srvs, user, CYG_STR(""));
	const char *pending = srv != NULL ? srv_state_pending(srv->state) : NULL;
	if (is_navigation(req) && pending != NULL && strcmp(pending, "spawn") == 0) {
		/* "/user/alice/" → "/hub/spawn-pending/alice" */
		struct cyg_str names =
		    cyg_str_skip(cyg_str_of(srv->base_url), strlen(CYG_USER_PATH));
		names.len--;
		reply_redirect_next(req, 303,
		    cyg_arena_printf(
			req->arena, CYG_HUB_PATH "/spawn-pending/%.*s", CYG_STR_ARGS(names)),
		    req->head->target);
		return;
	}
	if (srv != NULL && srv->state == SRV_RUNNING) {
		reply_retry_after(req, 1000);
		reply_error(req, 503, "The way to your server is being opened. Please try again.");
		return;
	}
	not_running(req, who);
}

void page_not_found(struct http_req *req)
{
	struct cyg_str user, server;

	if (split_user(req->path, &user, &server)) {
		lost_server(req, user, server);
		return;
	}
	if (request_is_api(req))
		reply_api_fields(req);
	if (cyg_str_eq(req->path, CYG_BASE_PATH "/favicon.ico"))
		http_reply_redirect(req, 302, CYG_HUB_PATH "/static/mark.svg");
	else
		reply_error(req, 404, "Not Found");
}

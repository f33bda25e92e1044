/* The addresses that show the portal's static files. No HTML is made here. Next: pages_lost.c for
 * addresses without an endpoint. */
#include "hub/api/pages.h"

#include "base/num.h"
#include "cygnet/limits.h"
#include "cygnet/paths.h"
#include "http/url.h"
#include "hub/access/auth.h"
#include "hub/base/reply.h"
#include "hub/base/webfiles.h"

#include <stdio.h>

enum { LOCATION_MAX = CYG_HTTP_TARGET_MAX }; /* no longer one can be asked for */

static void show(struct http_req *req, const char *name)
{
	if (!webfiles_send(req, 200, name))
		http_reply_error(req, 404, "The portal's pages are not installed: see web-dir.");
}

static void page_home(struct http_req *req)
{
	show(req, "home.html");
}

static void page_spark(struct http_req *req)
{
	show(req, "spark.html");
}

static void page_root(struct http_req *req)
{
	http_reply_redirect(req, 302, CYG_HUB_PATH "/");
}

/* JupyterLab's "Log Out" leads here: a page with a button, because a GET must not sign users out.
 */
static void page_logout(struct http_req *req)
{
	if (auth_who(req)->session != NULL) {
		show(req, "home.html");
		return;
	}
	http_reply_field(req, "Cache-Control", "no-store");
	http_reply_redirect(req, 302, CYG_HUB_PATH "/login");
}

/* JupyterLab's links for sharing: the same address on the reader's own server. */
static void page_user_redirect(struct http_req *req)
{
	cyg_autobuf struct cyg_buf to;
	struct cyg_str query = req->head->query;

	cyg_buf_init(&to, LOCATION_MAX);
	if (cyg_buf_printf(&to, NULL, CYG_USER_PATH "%s/", auth_who(req)->person->name) < 0 ||
	    url_encode(&to, req->params[0], "/", NULL) < 0 ||
	    (query.p != NULL && cyg_buf_printf(&to, NULL, "?%.*s", CYG_STR_ARGS(query)) < 0)) {
		reply_error(req, 404, "The address is too long.");
		return;
	}
	http_reply_field(req, "Cache-Control", "no-store");
	http_reply_redirect(req, 302, to.data);
}

static void page_login(struct http_req *req)
{
	struct cyg_str next = CYG_STR("");
	bool found = false;

	if (url_query_get(req->arena, req->head->query, "next", &next, &found, NULL) < 0)
		next = CYG_STR("");
	if (auth_who(req)->session != NULL) {
		http_reply_field(req, "Cache-Control", "no-store");
		http_reply_redirect(req, 302, request_next(req, next));
		return;
	}
	show(req, "login.html");
}

static void page_starting(struct http_req *req)
{
	show(req, "starting.html");
}

/* The proxy's own pages link here; the page reads the address that was asked for from its query. */
static void page_error(struct http_req *req)
{
	uint64_t status = 0;
	char name[32];

	if (cyg_num_parse_u64(req->params[0], 400, 599, &status, NULL) < 0) {
		reply_error(req, 404, "There is no such page.");
		return;
	}
	(void)snprintf(name, sizeof(name), "error-%d.html", (int)status);
	if (!webfiles_send(req, 200, name))
		reply_error(req, 404, "There is no such page.");
}

static void page_static(struct http_req *req)
{
	char name[160];

	/* Names come from the folder as it was read, so no other file can be reached. */
	(void)snprintf(name, sizeof(name), "static/%.*s", CYG_STR_ARGS(req->params[0]));
	if (!webfiles_send(req, 200, name))
		reply_error(req, 404, "There is no such file.");
}

/* ---- the tables ---- */

const struct http_endpoint root_endpoints[] = {
	{ HTTP_GET, "/", "anyone", page_root, 0 },
	{ .path = NULL },
};

const struct http_endpoint page_endpoints[] = {
	{ HTTP_GET, "", "anyone", page_root, 0 },
	{ HTTP_GET, "/", "page", page_home, 0 },
	{ HTTP_GET, "/home", "page", page_home, 0 },
	{ HTTP_GET, "/spawn", "page", page_home, 0 },
	{ HTTP_GET, "/spawn/{user}", "page start:servers", page_home, 0 },
	{ HTTP_GET, "/spawn-pending/{user}", "page start:servers", page_starting, 0 },
	{ HTTP_GET, "/spawn-pending/{user}/{server}", "page start:servers", page_starting, 0 },
	{ HTTP_GET, "/spark", "page", page_spark, 0 },
	{ HTTP_GET, "/user-redirect/{path...}", "page", page_user_redirect, 0 },
	{ HTTP_GET, "/error/{code}", "anyone", page_error, 0 },
	{ HTTP_GET, "/static/{file}", "anyone", page_static, 0 },
	{ HTTP_GET, "/login", "anyone", page_login, 0 },
	{ HTTP_GET, "/logout", "anyone", page_logout, 0 },
	{ .path = NULL },
};

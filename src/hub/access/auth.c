/* Identity and scopes. Scope names are JupyterHub's (reference 3.1) where it has them; "page" and
 * "anyone" are ours. A scope that is in no row is refused at start. */
#include "hub/access/auth.h"

#include "base/clock.h"
#include "base/mem.h"
#include "http/cookie.h"
#include "http/origin.h"
#include "hub/reply.h"
#include "hub/srv.h"

#include <assert.h>
#include <string.h>

struct scope {
	const char *name;
	bool anyone;      /* also nobody */
	bool page;        /* nobody is sent to the sign-in */
	bool own;         /* the first parameter must be the person's own name */
	bool admin;       /* only the administrator's token */
	bool only_server; /* nobody else may */
	bool server;      /* a server may, for its own user, through the inner door */
};

static const struct scope scopes[] = {
	{ .name = "anyone", .anyone = true, .server = true },
	{ .name = "shutdown", .admin = true },
	{ .name = "page", .page = true },
	{ .name = "page:own", .page = true, .own = true },
	{ .name = "self" },
	{ .name = "self:server", .server = true },
	{ .name = "server", .server = true, .only_server = true },
	{ .name = "read:users", .own = true, .server = true },
	{ .name = "read:servers", .own = true },
	{ .name = "start:servers", .own = true },
	{ .name = "delete:servers", .own = true },
	{ .name = "users:activity", .own = true, .server = true },
};

static const struct scope *find_scope(const char *name)
{
	for (size_t i = 0; name != NULL && i < CYG_N(scopes); i++) {
		if (strcmp(scopes[i].name, name) == 0)
			return &scopes[i];
	}
	return NULL;
}

int auth_check_endpoints(const struct http_endpoint *endpoints, struct cyg_err *err)
{
	for (const struct http_endpoint *e = endpoints; e->path != NULL; e++) {
		const struct scope *scope = find_scope(e->scope);
		if (scope == NULL)
			return cyg_fail(err, CYG_EINVAL, "endpoint %s has no known scope", e->path);
		if (scope->own && strchr(e->path, '{') == NULL)
			return cyg_fail(err, CYG_EINVAL, "endpoint %s names no user", e->path);
	}
	return 0;
}

/* ---- who ---- */

/* The proxy sets these two at the inner door alone and strips them everywhere else. */
static bool by_inner_door(const struct hub *hub, const struct http_head *head, struct who *who)
{
	const struct http_field *id = http_head_find(head, "x-cygnet-server");
	const struct http_field *user = http_head_find(head, "x-cygnet-user");
	char text[CYG_SERVER_ID_LEN + 1];

	if (id == NULL)
		return false;
	if (user == NULL || !cyg_str_copy(text, sizeof(text), id->value))
		return true;
	struct srv *srv = srvs_find_id(hub, text);
	if (srv == NULL || !srv_is_active(srv) || !cyg_str_eq(user->value, srv->user))
		return true;
	who->srv = srv;
	who->person = people_find(hub, user->value);
	return true;
}

static bool is_admin(const struct hub *hub, struct cyg_str token)
{
	char sum[SECRET_SUM_SIZE];

	secret_sum(token, sum);
	return hub->admin_sum[0] != '\0' &&
	       cyg_str_same_secret(sum, hub->admin_sum, SECRET_SUM_SIZE - 1);
}

static void find_who(struct http_req *req, struct who *who)
{
	struct hub *hub = request_hub(req);
	int64_t now_us = cyg_clock_wall_us();
	struct cyg_str text = origin_token(req->head);

	if (by_inner_door(hub, req->head, who))
		return;
	who->admin = is_admin(hub, text);
	who->session = sessions_find(hub, text, now_us);
	/* As at the edge: a token that is not ours leaves the word to the cookie, with all that
	 * cookies need. */
	if (!who->admin && who->session == NULL && http_cookie_get(req->head, HUB_COOKIE, &text)) {
		who->session = sessions_find(hub, text, now_us);
		who->by_cookie = true;
	}
	if (who->session == NULL)
		return;
	who->person = who->session->person;
	people_active(hub, who->person, now_us);
}

const struct who *auth_who(struct http_req *req)
{
	if (req->user == NULL) {
		req->user = cyg_arena_alloc(req->arena, sizeof(struct who));
		find_who(req, req->user);
	}
	return req->user;
}

/* ---- forged state changes: checked at the edge too; here for what the edge may have missed ----
 */

/* The proxy tells what browsers speak; a request that came without it may have been either. A
 * missing Origin is the edge's to refuse. */
static bool is_forged(const struct http_req *req)
{
	const struct http_field *proto = http_head_find(req->head, "x-forwarded-proto");
	const char *scheme = NULL;

	if (req->method == HTTP_GET || req->method == HTTP_HEAD || req->method == HTTP_OPTIONS)
		return false;
	if (proto != NULL)
		scheme = cyg_str_eq(proto->value, "https") ? "https" : "http";
	return origin_check(req->head, scheme, true) != NULL;
}

/* JupyterHub treats a cookie's write that is not JSON as nobody's: forms can be made by any site.
 */
static bool is_odd_write(const struct http_req *req)
{
	const struct http_field *type = http_head_find(req->head, "content-type");
	bool body = req->head->framing == HTTP_BODY_CHUNKED || req->head->content_length > 0;

	return body && cyg_str_starts(req->path, "/hub/api/") &&
	       (type == NULL || !cyg_str_starts(type->value, "application/json"));
}

/* ---- the hook ---- */

static bool refuse(struct http_req *req, int status, const char *message)
{
	reply_error(req, status, message);
	return false;
}

bool auth_authorize(struct http_req *req, const struct http_endpoint *endpoint)
{
	const struct scope *scope = find_scope(endpoint->scope);
	const struct who *who = auth_who(req);

	assert(scope != NULL); /* auth_check_endpoints has looked at every row */
	if (cyg_str_starts(req->path, "/hub/api/"))
		reply_api_fields(req);
	if ((who->by_cookie || who->person == NULL) && is_forged(req))
		return refuse(req, 403, "The request came from another site.");
	if (scope->anyone || (scope->admin && who->admin))
		return true;
	if (who->person == NULL || (who->by_cookie && is_odd_write(req))) {
		if (scope->page)
			reply_sign_in(req);
		else
			http_reply_error(req, 403, "Missing or invalid credentials.");
		return false;
	}
	if (scope->admin)
		return refuse(req, 403,
		    cyg_arena_printf(req->arena,
			"Action is not authorized with current scopes; requires any of [%s]",
			scope->name));
	if (who->srv != NULL && !scope->server)
		return refuse(req, 403, "A server's own credential does not allow this.");
	if (who->srv == NULL && scope->only_server)
		return refuse(req, 403, "Only a server may ask for this, by its own door.");
	if (scope->own && !cyg_str_eq(req->params[0], who->person->name))
		return refuse(req, 404, "No access to resources or resources not found");
	return true;
}

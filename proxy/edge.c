/* The edge's decision, in the order of the checks. No sockets, no clock. */
#include "proxy/edge.h"

#include "cygnet/paths.h"
#include "http/cookie.h"
#include "http/origin.h"
#include "http/url.h"
#include "http/ws.h"

#include <ctype.h>
#include <string.h>

/* Fills a refusal and returns false, so that every check is one statement. */
static bool refuse(struct edge_decision *out, enum refusal cause, int status, const char *message)
{
	out->verdict = EDGE_REFUSE;
	out->cause = cause;
	out->status = status;
	out->message = message;
	return false;
}

bool edge_is_navigation(const struct http_head *head)
{
	const struct http_field *mode = http_head_find(head, "sec-fetch-mode");
	const struct http_field *accept = http_head_find(head, "accept");

	if (head->method != HTTP_GET && head->method != HTTP_HEAD)
		return false;
	if (mode != NULL)
		return cyg_str_case_eq(mode->value, "navigate");
	return accept != NULL && accept->value.len >= 9 &&
	       memmem(accept->value.p, accept->value.len, "text/html", 9) != NULL;
}

bool edge_is_websocket(const struct http_head *head)
{
	return head->upgrade && http_head_lists(head, "upgrade", "websocket");
}

static bool changes_something(const struct http_head *head)
{
	return head->method != HTTP_GET && head->method != HTTP_HEAD &&
	       head->method != HTTP_OPTIONS;
}

/* A server's credential is accepted at the inner listener only, a user's only at the public one;
 * some are accepted for one host only. */
static bool is_good_here(const struct edge_request *in, const struct cred *c)
{
	if (c->host[0] != '\0' && !cyg_str_case_eq(host_name(in->head->host), c->host))
		return false;
	return (c->server[0] != '\0') == (in->kind == LISTENER_INNER);
}

/* A token takes precedence over a cookie. A token that is not in the table may be meant for the
 * target; then the cookie counts, with the checks that a cookie needs. */
static void find_cred(const struct edge_request *in, struct edge_decision *out)
{
	struct cyg_str secret = origin_token(in->head);

	out->cred = table_find_cred(in->table, secret, in->now_s);
	out->by_token = out->cred != NULL;
	if (out->cred == NULL && in->kind == LISTENER_PUBLIC &&
	    http_cookie_get(in->head, EDGE_COOKIE, &secret))
		out->cred = table_find_cred(in->table, secret, in->now_s);
	if (out->cred != NULL && !is_good_here(in, out->cred)) {
		out->cred = NULL;
		out->by_token = false;
	}
}

static bool check_host(const struct edge_request *in, struct edge_decision *out)
{
	if (in->kind == LISTENER_INNER)
		return true;
	if (in->head->host.len == 0)
		return refuse(out, REFUSED_HOST, 400, "The request has no Host field");
	if (!hosts_allow(&in->policy->hosts, in->head->host))
		return refuse(out, REFUSED_HOST, 421,
		    "This address is not one of the hub's names. Open the hub under the address "
		    "you were given.");
	return true;
}

/* The Host in lower case, as the table has it; empty when no route of the table names a host. */
static struct cyg_str route_host(const struct edge_request *in)
{
	struct cyg_str name = host_name(in->head->host);
	char *lower;

	if (in->table->n_hosts == 0)
		return CYG_STR("");
	lower = cyg_arena_dup(in->arena, name);
	for (size_t i = 0; i < name.len; i++)
		lower[i] = (char)tolower((unsigned char)lower[i]);
	return (struct cyg_str){ lower, name.len };
}

static bool check_path(
    const struct edge_request *in, struct edge_decision *out, struct cyg_str *path)
{
	struct cyg_err err;

	if (cyg_str_eq(in->head->target, "*"))
		return refuse(out, REFUSED_PATH, 400, "OPTIONS * is not supported here");
	if (url_path_decode(in->arena, in->head->path, path, &err) < 0)
		return refuse(out, REFUSED_PATH, 400, "The path of the address is not valid");
	return in->table != NULL ||
	       refuse(out, REFUSED_NO_TABLE, 503,
		   "The hub is starting. Reload this page in a moment; nothing is lost.");
}

/* A user who may not use a route gets the response of a route that does not exist: nobody learns
 * whether somebody else's server runs. */
static bool check_route(
    const struct edge_request *in, struct edge_decision *out, struct cyg_str path, bool *slash)
{
	struct cyg_str host = route_host(in);

	out->route = table_find_route(in->table, host, path, slash);
	if (out->route != NULL && out->route->auth != ROUTE_NONE)
		find_cred(in, out);
	while (out->cred != NULL && out->route != NULL && !table_may_use(out->cred, out->route)) {
		out->route = table_find_shorter(in->table, host, path, out->route);
		*slash = false;
	}
	if (out->route == NULL)
		return refuse(out, REFUSED_NO_ROUTE, 404, "There is nothing at this address");
	if (out->route->auth == ROUTE_NONE) {
		out->cred = NULL;
		out->by_token = false;
	}
	return true;
}

/* Browsers send cookies with requests that other sites make, but never a token. On a route without
 * a sign-in check any Authorization field shows that no other site's page made the request (the
 * browser would have sent a preflight first); the target checks the field itself. */
static bool check_origin(const struct edge_request *in, struct edge_decision *out)
{
	const char *why;
	bool has_token = out->by_token;

	if (!changes_something(in->head) && !out->upgrade)
		return true;
	if (out->route->auth == ROUTE_NONE)
		has_token = http_head_find(in->head, "authorization") != NULL;
	why = origin_check(in->head, in->policy->scheme, has_token);
	return why == NULL || refuse(out, REFUSED_ORIGIN, 403, why);
}

static bool check_sign_in(struct edge_decision *out)
{
	if (out->route->auth == ROUTE_NONE || out->cred != NULL)
		return true;
	if (!out->is_navigation || out->upgrade)
		return refuse(out, REFUSED_CREDENTIAL, 403,
		    "Not signed in, or the session has ended. Sign in at " CYG_HUB_PATH "/login.");
	out->verdict = EDGE_LOGIN;
	return false;
}

static bool check_slash(const struct edge_request *in, struct edge_decision *out, bool slash)
{
	if (!slash)
		return true;
	if (changes_something(in->head) || out->upgrade)
		return refuse(out, REFUSED_NO_ROUTE, 404, "The address lacks its closing slash");
	out->verdict = EDGE_SLASH;
	return false;
}

static bool check_upgrade(const struct edge_request *in, struct edge_decision *out)
{
	struct cyg_err err;
	int status = 400;

	if (!out->upgrade)
		return true;
	if (in->head->framing != HTTP_BODY_NONE && in->head->content_length > 0)
		return refuse(out, REFUSED_UPGRADE, 400, "A WebSocket opening has no body");
	if (ws_request_check(in->head, &status, &err) < 0)
		return refuse(out, REFUSED_UPGRADE, status, "Not a valid WebSocket opening");
	return true;
}

static bool decide_inner(
    const struct edge_request *in, struct edge_decision *out, struct cyg_str path)
{
	bool slash;

	out->route = table_find_route(in->table, route_host(in), path, &slash);
	if (out->route == NULL || !cyg_str_starts(path, CYG_HUB_PATH "/api/"))
		return refuse(
		    out, REFUSED_NO_ROUTE, 404, "Only " CYG_HUB_PATH "/api/ is reached from here");
	find_cred(in, out);
	if (out->cred == NULL)
		return refuse(
		    out, REFUSED_CREDENTIAL, 403, "Not the credential of a server that is known");
	return true;
}

static bool decide(const struct edge_request *in, struct edge_decision *out)
{
	struct cyg_str path = CYG_STR("");
	bool slash = false;

	if (in->head->method == HTTP_OTHER)
		return refuse(out, REFUSED_HEAD, 501, "This method is not known here");
	if (!check_host(in, out) || !check_path(in, out, &path))
		return false;
	if (in->kind == LISTENER_INNER)
		return decide_inner(in, out, path);
	return check_upgrade(in, out) && check_route(in, out, path, &slash) &&
	       check_origin(in, out) && check_sign_in(out) && check_slash(in, out, slash);
}

void edge_decide(const struct edge_request *in, struct edge_decision *out)
{
	*out = (struct edge_decision){ .verdict = EDGE_PASS };
	out->is_navigation = in->kind == LISTENER_PUBLIC && edge_is_navigation(in->head);
	out->upgrade = in->kind == LISTENER_PUBLIC && edge_is_websocket(in->head);
	if (!decide(in, out) && out->verdict == EDGE_PASS)
		out->verdict = EDGE_REFUSE;
}

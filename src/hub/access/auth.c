/* Authorizes each request: who asks (who.c), what the endpoint's row demands (rule.c), which user
 * and server the path names, and JupyterHub's refusals (reference 1.1). */
#include "hub/access/auth.h"

#include "base/mem.h"
#include "cygnet/paths.h"
#include "http/origin.h"
#include "hub/access/access.h"
#include "hub/access/rule.h"
#include "hub/base/reply.h"

#include <assert.h>
#include <string.h>

/* What is remembered for a request. */
struct asking {
	struct who who;
	struct rule rule;
	struct scope_target target;
	struct person *about;
};

int auth_check_endpoints(const struct http_endpoint *endpoints, struct cyg_err *err)
{
	struct rule rule;

	for (const struct http_endpoint *e = endpoints; e->path != NULL; e++) {
		if (rule_parse(e->scope, e->path, &rule, err) < 0)
			return -CYG_EINVAL;
	}
	return 0;
}

static struct asking *asking_of(struct http_req *req)
{
	if (req->user == NULL) {
		struct asking *a = cyg_arena_alloc(req->arena, sizeof(*a));
		who_find(req, &a->who);
		req->user = a;
	}
	return req->user;
}

const struct who *auth_who(struct http_req *req)
{
	return &asking_of(req)->who;
}

void auth_forget(struct http_req *req)
{
	req->user = NULL;
}

struct person *auth_about(struct http_req *req)
{
	return asking_of(req)->about;
}

/* ---- what the path is about ---- */

static struct cyg_str param(const struct http_req *req, const char *name)
{
	int i = req->endpoint != NULL ? rule_param(req->endpoint->path, name) : -1;

	return i >= 0 && req->params[i].p != NULL ? req->params[i] : CYG_STR("");
}

struct cyg_str auth_server_name(const struct http_req *req)
{
	return param(req, "{server}");
}

static void resolve(struct http_req *req, struct asking *a)
{
	struct cyg_str user = param(req, "{user}");

	if (a->rule.own && a->who.person != NULL)
		user = cyg_str_of(a->who.person->name);
	a->about = user.len > 0 ? people_find(request_access(req), user) : NULL;
	a->target.kind = a->rule.about;
	switch (a->rule.about) {
	case SCOPE_ALL:
		break;
	case SCOPE_USER:
		a->target.name = user;
		break;
	case SCOPE_SERVER:
		a->target.name = cyg_str_of(cyg_arena_printf(req->arena, "%.*s/%.*s",
		    CYG_STR_ARGS(user), CYG_STR_ARGS(auth_server_name(req))));
		break;
	case SCOPE_GROUP:
		a->target.name = param(req, "{group}");
		break;
	case SCOPE_SERVICE:
		a->target.name = param(req, "{service}");
		break;
	}
}

/* ---- forged state changes: checked at the edge too; here for what the edge may have missed ----
 */

/* The proxy says whether the browser uses http or https; a request that came without the proxy may
 * have used either. A missing Origin is left to the proxy's check. */
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

/* JupyterHub treats a write that is not JSON and comes with a cookie as one without a credential:
 * any site can make forms. */
static bool is_odd_write(const struct http_req *req)
{
	const struct http_field *type = http_head_find(req->head, "content-type");
	bool body = req->head->framing == HTTP_BODY_CHUNKED || req->head->content_length > 0;

	return body && cyg_str_starts(req->path, CYG_HUB_PATH "/api/") &&
	       (type == NULL || !cyg_str_starts(type->value, "application/json"));
}

/* ---- refusals ---- */

static bool refuse(struct http_req *req, int status, const char *message)
{
	reply_error(req, status, message);
	return false;
}

static bool refuse_nobody(struct http_req *req, const struct rule *rule)
{
	if (rule->who == RULE_PAGE)
		reply_sign_in(req);
	else
		reply_error(req, 403, "Missing or invalid credentials.");
	return false;
}

static bool refuse_lacking(struct http_req *req, const struct rule *rule)
{
	char names[512];

	rule_names(rule, names, sizeof(names));
	return refuse(req, 403,
	    cyg_arena_printf(req->arena,
		"Action is not authorized with current scopes; requires any of [%s]", names));
}

static bool refuse_kind(struct http_req *req, const struct rule *rule, enum principal_kind kind)
{
	if (rule->who == RULE_SERVER)
		return refuse(req, 403, "Only a server may ask for this, with its own credential.");
	return refuse(req, 403,
	    kind == PRINCIPAL_SERVER ? "A server's own credential does not allow this."
				     : "Only a user may ask for this.");
}

static bool is_of_kind(const struct rule *rule, enum principal_kind kind)
{
	switch (rule->who) {
	case RULE_PAGE:
	case RULE_USER:
		return kind == PRINCIPAL_USER;
	case RULE_SERVER:
		return kind == PRINCIPAL_SERVER;
	case RULE_SCOPED:
		return !rule->own || kind == PRINCIPAL_USER || kind == PRINCIPAL_SERVER;
	case RULE_ANYONE:
	case RULE_WHOAMI:
		break;
	}
	return true;
}

/* JupyterHub responds 403 to a request for the tokens of another user, also of one that does not
 * exist. */
static bool refuse_plainly(struct http_req *req, const struct asking *a)
{
	return refuse(req, 403,
	    cyg_arena_printf(req->arena, "%s %.*s not found or no permissions to generate tokens",
		who_kind(&a->who), CYG_STR_ARGS(param(req, "{user}"))));
}

static bool holds_any(const struct asking *a)
{
	for (scope_bits any = a->rule.any; any != 0; any &= any - 1) {
		if (scope_set_holds(&a->who.principal.scopes, scope_first(any)))
			return true;
	}
	return false;
}

static bool check_scopes(struct http_req *req, struct asking *a)
{
	resolve(req, a);
	if (a->rule.list && holds_any(a))
		return true;
	enum scope_verdict verdict = scope_allows(&a->who.principal, a->rule.any, &a->target);
	struct cyg_str user = param(req, "{user}");
	bool is_missing = user.len > 0 && a->about == NULL && !a->rule.may_be_new;
	if (a->rule.forbids && (verdict != SCOPE_ALLOWED || is_missing))
		return refuse_plainly(req, a);
	if (verdict == SCOPE_LACKING)
		return refuse_lacking(req, &a->rule);
	if (verdict == SCOPE_HIDDEN)
		return refuse(req, 404, "No access to resources or resources not found");
	if (is_missing)
		return refuse(req, 404,
		    cyg_arena_printf(req->arena, "No such user: %.*s", CYG_STR_ARGS(user)));
	return true;
}

/* ---- the hook ---- */

bool auth_authorize(struct http_req *req, const struct http_endpoint *endpoint)
{
	struct asking *a = asking_of(req);
	enum principal_kind kind = a->who.principal.kind;
	struct cyg_err err;

	if (rule_parse(endpoint->scope, endpoint->path, &a->rule, &err) < 0)
		abort(); /* auth_check_endpoints has checked every row at the start */
	if (cyg_str_starts(req->path, CYG_HUB_PATH "/api/"))
		reply_api_fields(req);
	if ((a->who.by_cookie || kind == PRINCIPAL_NOBODY) && is_forged(req))
		return refuse(req, 403, "The request came from another site.");
	if (a->rule.who == RULE_ANYONE)
		return true;
	if (kind == PRINCIPAL_NOBODY || (a->who.by_cookie && is_odd_write(req)))
		return refuse_nobody(req, &a->rule);
	if (!is_of_kind(&a->rule, kind))
		return refuse_kind(req, &a->rule, kind);
	return a->rule.any == 0 || check_scopes(req, a);
}

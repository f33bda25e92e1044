/* From the request's credential to a principal: the inner listener's fields, the administrator's
 * token, a session by token or cookie. */
#include "hub/access/who.h"

#include "base/clock.h"
#include "base/mem.h"
#include "http/cookie.h"
#include "http/origin.h"
#include "hub/access/role.h"
#include "hub/reply.h"
#include "hub/srv.h"

#include <string.h>

/* ---- what they hold ---- */

static bool is_member(void *arg, struct cyg_str user, struct cyg_str group)
{
	const struct person *p = people_find(arg, user);

	return p != NULL && person_is_in(p, group);
}

static void begin(struct http_req *req, enum principal_kind kind, const struct scope_owner *owner,
    struct principal *ret)
{
	const struct scope_members members = { is_member, request_hub(req) };

	principal_init(ret, kind, owner, &members, req->arena);
}

/* Default roles are our own text: adding them cannot fail, and a failure would hold less. */
static void add_role(struct principal *p, const char *name)
{
	const struct role *role = role_find_default(cyg_str_of(name));
	struct scope_texts texts = { .items = role->scopes };

	while (role->scopes[texts.n] != NULL)
		texts.n++;
	(void)principal_add(p, &texts, NULL);
}

static void be_user(struct http_req *req, struct who *who)
{
	const struct scope_owner owner = { .user = cyg_str_of(who->person->name) };

	begin(req, PRINCIPAL_USER, &owner, &who->principal);
	add_role(&who->principal, "user");
	if (who->person->admin)
		add_role(&who->principal, "admin");
}

/* What the role "server" and its user both hold. */
static void be_server(struct http_req *req, struct who *who)
{
	const struct role *role = role_find_default(CYG_STR("server"));
	struct scope_texts texts = { .items = role->scopes };
	const char *full = cyg_arena_printf(req->arena, "%s/%s", who->srv->user, who->srv->name);
	const struct scope_owner client = { .server = cyg_str_of(full) };

	while (role->scopes[texts.n] != NULL)
		texts.n++;
	be_user(req, who);
	who->principal.kind = PRINCIPAL_SERVER;
	if (principal_narrow(&who->principal, &texts, &client, NULL) < 0)
		begin(req, PRINCIPAL_SERVER, NULL, &who->principal);
}

static void be_administrator(struct http_req *req, struct who *who)
{
	const struct scope_owner owner = { .service = CYG_STR("administrator") };

	begin(req, PRINCIPAL_ADMINISTRATOR, &owner, &who->principal);
	add_role(&who->principal, "admin");
}

/* ---- by what ---- */

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

static bool is_administrator(const struct hub *hub, struct cyg_str token)
{
	char sum[SECRET_SUM_SIZE];

	secret_sum(token, sum);
	return hub->admin_sum[0] != '\0' &&
	       cyg_str_same_secret(sum, hub->admin_sum, SECRET_SUM_SIZE - 1);
}

/* As at the edge: a token that is not ours leaves the word to the cookie, with all that cookies
 * need. */
static void by_session(struct http_req *req, struct cyg_str token, struct who *who)
{
	struct hub *hub = request_hub(req);
	int64_t now_us = cyg_clock_wall_us();
	struct cyg_str text;

	who->session = sessions_find(hub, token, now_us);
	if (who->session == NULL && http_cookie_get(req->head, HUB_COOKIE, &text)) {
		who->session = sessions_find(hub, text, now_us);
		who->by_cookie = true;
	}
	if (who->session == NULL)
		return;
	who->person = who->session->person;
	people_active(hub, who->person, now_us);
}

void who_find(struct http_req *req, struct who *ret)
{
	struct cyg_str token = origin_token(req->head);

	begin(req, PRINCIPAL_NOBODY, NULL, &ret->principal);
	if (by_inner_door(request_hub(req), req->head, ret)) {
		if (ret->person != NULL)
			be_server(req, ret);
	} else if (is_administrator(request_hub(req), token)) {
		be_administrator(req, ret);
	} else {
		by_session(req, token, ret);
		if (ret->person != NULL)
			be_user(req, ret);
	}
}

const char *who_kind(const struct who *who)
{
	return who->person != NULL ? "User" : "Service";
}

struct cyg_str who_name(const struct who *who)
{
	return who->person != NULL ? cyg_str_of(who->person->name) : who->principal.owner.service;
}

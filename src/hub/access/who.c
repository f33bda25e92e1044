/* Finds the principal of a request from its credential: the inner listener's fields, the
 * administrator's token, an API token, a session by token or cookie. */
#include "hub/access/who.h"

#include "base/clock.h"
#include "base/mem.h"
#include "http/cookie.h"
#include "http/origin.h"
#include "hub/access/access.h"
#include "hub/access/holdings.h"
#include "hub/access/service.h"
#include "hub/base/reply.h"

/* The proxy sets these two at the inner listener alone and removes them everywhere else. */
static bool by_inner_door(
    const struct access *access, const struct http_head *head, struct who *who)
{
	const struct http_field *id = http_head_find(head, "x-cygnet-server");
	const struct http_field *user = http_head_find(head, "x-cygnet-user");
	const struct access_opts *opts = &access->opts;
	char text[CYG_SERVER_ID_LEN + 1];

	if (id == NULL)
		return false;
	if (user == NULL || !cyg_str_copy(text, sizeof(text), id->value))
		return true;
	if (opts->find_server == NULL)
		return true;
	who->srv = opts->find_server(opts->arg, text, user->value, &who->server);
	if (who->srv != NULL)
		who->person = people_find(access, user->value);
	return true;
}

static bool is_administrator(const struct access *access, struct cyg_str token)
{
	char sum[SECRET_SUM_SIZE];

	if (token.len == 0 || access->admin_sum[0] == '\0')
		return false;
	secret_sum(token, sum);
	return cyg_str_same_secret(sum, access->admin_sum, SECRET_SUM_SIZE - 1);
}

/* As in the proxy: a token that is not ours is ignored, and the cookie counts, with all checks that
 * cookies need. */
static void by_session(struct http_req *req, struct cyg_str token, struct who *who)
{
	struct access *access = request_access(req);
	int64_t now_us = cyg_clock_wall_us();
	struct cyg_str text;

	who->session = sessions_find(access, token, now_us);
	if (who->session == NULL && http_cookie_get(req->head, HUB_COOKIE, &text)) {
		who->session = sessions_find(access, text, now_us);
		who->by_cookie = true;
	}
	if (who->session == NULL)
		return;
	who->person = who->session->person;
	people_active(access, who->person, now_us);
	holdings_of_user(access, who->person, req->arena, &who->principal);
}

static void by_token(struct http_req *req, struct token *token, struct who *who)
{
	struct access *access = request_access(req);
	int64_t now_us = cyg_clock_wall_us();

	who->token = token;
	who->person = token->person;
	token_active(access, token, now_us);
	if (who->person != NULL)
		people_active(access, who->person, now_us);
	holdings_of_token(access, token, req->arena, &who->principal);
}

static void by_server(struct http_req *req, struct who *who)
{
	if (who->person == NULL)
		return;
	const char *full = cyg_arena_printf(req->arena, "%s/%s", who->person->name, who->server);
	holdings_of_server(request_access(req), who->person, full, req->arena, &who->principal);
}

void who_find(struct http_req *req, struct who *ret)
{
	struct access *access = request_access(req);
	struct cyg_str text = origin_token(req->head);
	struct token *token = tokens_find(access, text, cyg_clock_wall_us());

	holdings_nobody(access, req->arena, &ret->principal);
	if (by_inner_door(access, req->head, ret))
		by_server(req, ret);
	else if (is_administrator(access, text))
		holdings_of_administrator(access, req->arena, &ret->principal);
	else if (token != NULL)
		by_token(req, token, ret);
	else
		by_session(req, text, ret);
}

bool who_is_admin(const struct who *who)
{
	if (who->person != NULL)
		return who->person->admin;
	if (who->token != NULL)
		return who->token->service->admin;
	return who->principal.kind == PRINCIPAL_ADMINISTRATOR;
}

const char *who_kind(const struct who *who)
{
	return who->person != NULL ? "User" : "Service";
}

struct cyg_str who_name(const struct who *who)
{
	return who->person != NULL ? cyg_str_of(who->person->name) : who->principal.owner.service;
}

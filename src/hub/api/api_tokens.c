/* API tokens of users, as JupyterHub's /users/{name}/tokens (reference 1.8): codes, texts and
 * model. The text of a token is shown once, when it is made. */
#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "daemon/log.h"
#include "hub/access/audit.h"
#include "hub/access/auth.h"
#include "hub/access/holdings.h"
#include "hub/access/role.h"
#include "hub/api/api.h"
#include "hub/base/reply.h"
#include "hub/link/in_force.h"

#include <string.h>

static const int64_t second_us = 1000 * 1000;
static const int64_t expires_max_s = 100LL * 365 * 24 * 3600; /* a century: more is a mistake */

/* ---- the model ---- */

static void on_scope(void *arg, const char *text)
{
	(void)json_array_append_new(arg, json_string(text));
}

static json_t *model(struct http_req *req, const struct token *t)
{
	json_t *scopes = json_array();
	struct principal p;

	holdings_of_token(api_of(req)->access, t, req->arena, &p);
	scope_set_each(&p.scopes, on_scope, scopes);
	return json_pack("{s:s, s:o, s:s, s:[], s:o, s:o, s:o, s:o, s:s, s:n, s:s}", "user",
	    t->person->name, "id", json_sprintf("a%lld", (long long)t->id), "kind", "api_token",
	    "roles", "scopes", scopes, "created", api_time(t->created_us), "last_activity",
	    api_time(t->last_activity_us), "expires_at", api_time(t->expires_us), "note", t->note,
	    "session_id", "oauth_client", "JupyterHub");
}

/* ---- GET ---- */

static int64_t order_of(const struct token *t)
{
	return t->last_activity_us != 0 ? t->last_activity_us : t->created_us;
}

static int compare(const void *a, const void *b)
{
	int64_t x = order_of(*(struct token *const *)a), y = order_of(*(struct token *const *)b);

	return (x > y) - (x < y);
}

void api_list_tokens(struct http_req *req)
{
	const struct person *about = auth_about(req);
	const struct token *all[TOKENS_OF_OWNER];
	int64_t now_us = cyg_clock_wall_us();
	json_t *list = json_array();
	size_t n = 0;

	cyg_list_each (it, &about->tokens) {
		const struct token *t = CYG_CONTAINER_OF(it, struct token, link);
		if (n < TOKENS_OF_OWNER && (t->expires_us == 0 || t->expires_us > now_us))
			all[n++] = t;
	}
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are sorted */
	qsort(all, n, sizeof(all[0]), compare);
	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list, model(req, all[i]));
	reply_json(req, 200, json_pack("{s:o}", "api_tokens", list));
}

/* The token that the path names; NULL when the response was 404. */
static struct token *find(struct http_req *req)
{
	struct cyg_str text = req->params[1];
	struct person *about = auth_about(req);
	struct token *t = NULL;
	uint64_t id = 0;

	if (text.len > 1 && text.p[0] == 'a' &&
	    cyg_num_parse_u64(cyg_str_skip(text, 1), 1, INT64_MAX, &id, NULL) == 0)
		t = tokens_find_of(about, (int64_t)id);
	if (t == NULL)
		reply_error(req, 404,
		    cyg_arena_printf(req->arena, "No such token %.*s for user %s",
			CYG_STR_ARGS(text), about->name));
	return t;
}

void api_get_token(struct http_req *req)
{
	const struct token *t = find(req);

	if (t != NULL)
		reply_json(req, 200, model(req, t));
}

/* ---- POST ---- */

static int read_expiry(const json_t *body, int64_t *ret, struct cyg_err *err)
{
	const json_t *value = json_object_get(body, "expires_in");

	*ret = 0;
	if (value == NULL || json_is_null(value))
		return 0;
	if (!json_is_integer(value))
		return cyg_fail(err, CYG_EINVAL, "token expires_in must be null or integer");
	json_int_t s = json_integer_value(value);
	if (s < 1)
		return cyg_fail(err, CYG_EINVAL,
		    "expires_in must be a positive integer or null, not %lld", (long long)s);
	if (s > expires_max_s)
		return cyg_fail(err, CYG_EINVAL, "token expires_in: %lld must not exceed %lld",
		    (long long)s, (long long)expires_max_s);
	*ret = cyg_clock_wall_us() + s * second_us;
	return 0;
}

/* A list of texts; *ret is NULL when there is none. Borrowed. */
static int read_list(const json_t *body, const char *key, json_t **ret, struct cyg_err *err)
{
	json_t *value = json_object_get(body, key), *one;
	size_t i;

	*ret = NULL;
	if (value == NULL || json_is_null(value))
		return 0;
	if (!json_is_array(value) || json_array_size(value) > TOKEN_SCOPES_MAX)
		return cyg_fail(err, CYG_EINVAL, "token %s must be null or a list of strings", key);
	json_array_foreach (value, i, one) {
		if (!json_is_string(one))
			return cyg_fail(
			    err, CYG_EINVAL, "token %s must be null or a list of strings", key);
	}
	*ret = value;
	return 0;
}

/* The scopes that the roles have now: later changes of the roles do not matter. */
static int add_roles(json_t *scopes, const json_t *roles, struct cyg_err *err)
{
	size_t i;
	json_t *one;

	json_array_foreach (roles, i, one) {
		const struct role *role = role_find_default(cyg_str_of(json_string_value(one)));
		if (role == NULL)
			return cyg_fail(
			    err, CYG_EINVAL, "No such role: %.64s", json_string_value(one));
		for (size_t k = 0; role->scopes[k] != NULL; k++)
			(void)json_array_append_new(scopes, json_string(role->scopes[k]));
	}
	return 0;
}

/* The scopes as they are kept; a new array even on failure. */
static int read_scopes(const json_t *body, json_t *scopes, struct cyg_err *err)
{
	json_t *asked = NULL, *roles = NULL;

	if (read_list(body, "roles", &roles, err) < 0 || read_list(body, "scopes", &asked, err) < 0)
		return -CYG_EINVAL;
	if (asked != NULL && roles != NULL)
		return cyg_fail(err, CYG_EINVAL,
		    "Can only assign one of scopes or roles when creating tokens.");
	if (roles != NULL)
		return add_roles(scopes, roles, err);
	if (asked != NULL)
		(void)json_array_extend(scopes, asked);
	else
		(void)json_array_append_new(scopes, json_string("inherit"));
	return 0;
}

static const char *read_note(struct http_req *req, const json_t *body)
{
	const char *note = json_string_value(json_object_get(body, "note"));
	const struct who *who = auth_who(req);

	if (note != NULL && note[0] != '\0')
		return note;
	if (who->person == auth_about(req))
		return "Requested via api";
	return cyg_arena_printf(req->arena, "Requested via api by %s %.*s",
	    who->person != NULL ? "user" : "service", CYG_STR_ARGS(who_name(who)));
}

static int check_grant(struct http_req *req, const json_t *scopes, struct cyg_err *err)
{
	struct scope_texts texts = holdings_texts(scopes, req->arena);
	struct principal owner;

	holdings_of_user(api_of(req)->access, auth_about(req), req->arena, &owner);
	return principal_may_grant(&auth_who(req)->principal, &owner, &texts, err);
}

static int read_spec(
    struct http_req *req, const json_t *body, struct token_spec *spec, struct cyg_err *err)
{
	spec->person = auth_about(req);
	spec->note = read_note(req, body);
	if (strlen(spec->note) >= TOKEN_NOTE_MAX)
		return cyg_fail(err, CYG_EINVAL, "The note is too long.");
	if (read_scopes(body, spec->scopes, err) < 0 ||
	    read_expiry(body, &spec->expires_us, err) < 0)
		return -CYG_EINVAL;
	return check_grant(req, spec->scopes, err);
}

static void make(struct http_req *req, const json_t *body)
{
	struct token_spec spec = { .scopes = json_array() };
	char text[CYG_CREDENTIAL_LEN + 1];
	struct token *t = NULL;
	struct cyg_err err;

	if (read_spec(req, body, &spec, &err) < 0 ||
	    token_make(api_of(req)->access, &spec, text, &t, &err) < 0) {
		reply_error(req, 400, err.msg);
		json_decref(spec.scopes);
		return;
	}
	json_decref(spec.scopes);
	json_t *told = model(req, t);
	(void)json_object_set_new(told, "token", json_string(text));
	cyg_cleanse(text, sizeof(text));
	cyg_log_info("token", "a%lld of %s made by %.*s", (long long)t->id, t->person->name,
	    CYG_STR_ARGS(who_name(auth_who(req))));
	const struct audit_actor by = audit_actor_of(auth_who(req));
	audit_token(api_of(req)->audit, &by, AUDIT_TOKEN_MAKE, t,
	    json_pack("{s:o}", "expires", audit_time(t->expires_us)));
	reply_in_force(api_of(req)->proxy, req, 201, told);
}

void api_make_token(struct http_req *req)
{
	json_t *body =
	    req->body.len > 0 ? json_loadb(req->body.p, req->body.len, 0, NULL) : json_object();

	if (body == NULL)
		reply_error(req, 400, "Invalid JSON in body of request");
	else if (!json_is_object(body) && !json_is_null(body))
		reply_error(req, 400, "Body must be a JSON dict or empty");
	else
		make(req, body);
	json_decref(body);
}

/* ---- DELETE ---- */

void api_delete_token(struct http_req *req)
{
	struct token *t = find(req);

	if (t == NULL)
		return;
	cyg_log_info("token", "a%lld of %s deleted by %.*s", (long long)t->id, t->person->name,
	    CYG_STR_ARGS(who_name(auth_who(req))));
	const struct audit_actor by = audit_actor_of(auth_who(req));
	audit_token(api_of(req)->audit, &by, AUDIT_TOKEN_DELETE, t, NULL);
	token_end(api_of(req)->access, t);
	if (auth_who(req)->token == t)
		auth_forget(req); /* it was the credential of this request */
	reply_in_force(api_of(req)->proxy, req, 204, NULL);
}

/* Sign-in by OpenID Connect, second half, in order: the provider's response → attempt ended and
 * committed → issuer → token call → keys → ID token → groups → session (signin_complete.c). Each
 * step starts the next; login_fail ends it from any of them. */
#include "base/clock.h"
#include "base/enc.h"
#include "base/mem.h"
#include "cygnet/paths.h"
#include "daemon/log.h"
#include "http/url.h"
#include "hub/base/reply.h"
#include "hub/signin/signin_oidc.h"

#include <string.h>

enum { BODY_MAX = 16 * 1024, FIELD_MAX = 8 * 1024 };

static const char *const algs[] = { "RS256", "PS256", "ES256", "ES384", "EdDSA", NULL };

struct login {
	struct signin *signin;
	struct http_req *req;
	struct signin_try *try; /* NULL until it is known whose response it is */
	struct oidc_row *row;
	struct attempt attempt;
	char cookie[ATTEMPT_COOKIE_SIZE]; /* its name */
	struct oidc_callback callback;
	struct cyg_str iss_raw; /* in the request */
	struct oidc_tokens tokens;
	struct oidc_wait wait;
	struct cyg_call *call;
	bool keys_read_again;
};

/* ---- the end ---- */

static void login_free(struct login *l)
{
	oidc_wait_cancel(&l->wait);
	cyg_call_cancel(l->call);
	store_forget(l->signin->opts.store, l);
	attempt_free(&l->attempt);
	oidc_callback_free(&l->callback);
	oidc_tokens_free(&l->tokens);
	free(l);
}

static void cancel(struct signin_try *t)
{
	login_free(t->data);
}

static void login_fail(struct login *l, const char *code, const struct cyg_err *why)
{
	struct signin_try *t = l->try;

	cyg_log_warn("sign-in", "%s: refused (%s): %s", l->row->config->id, code, why->msg);
	login_free(l);
	signin_done_refused(t, code);
}

/* A call without any response shows that the provider is down. */
static void login_fail_call(struct login *l, const struct cyg_err *why)
{
	oidc_provider_failed(l->row->provider, why);
	login_fail(l, "down", why);
}

/* ---- the ID token is verified: which user, and may they sign in? ---- */

static json_t *json_names(char *const *names)
{
	json_t *ret = json_array();

	for (; *names != NULL; names++)
		(void)json_array_append_new(ret, json_string(*names));
	return ret;
}

static int find_groups(
    const struct oidc_config *c, const json_t *claims, char ***ret, struct cyg_err *err)
{
	if (c->groups_claim != NULL)
		return oidc_groups(claims, c->groups_claim, ret, err);
	*ret = cyg_xcalloc(1, sizeof(**ret));
	return 0;
}

static void admit(struct login *l, const json_t *claims, const char *name, char **groups)
{
	const struct oidc_config *c = l->row->config;
	struct signin_try *t = l->try;
	enum oidc_verdict verdict = oidc_config_judge(c, groups);
	/* The account is found by issuer and subject, joined by a space: an issuer holds none. */
	cyg_autofree char *subject = cyg_xasprintf("%s %s", c->issuer, oidc_subject(claims));
	struct person_claim claim = { .provider = c->id, .subject = subject, .name = name };
	struct cyg_err err;

	if (verdict == OIDC_REFUSED) {
		t->name = cyg_str_of(cyg_arena_dup(t->req->arena, cyg_str_of(name)));
		(void)cyg_fail(&err, CYG_EDENIED, "%s is in none of the allowed groups", name);
		login_fail(l, "group", &err);
		return;
	}
	json_t *list = json_names(groups);
	claim.groups = list;
	claim.admin = verdict == OIDC_ADMIN;
	login_free(l);
	signin_done(t, &(struct signin_verdict){ .outcome = SIGNIN_PROVED, .claim = &claim });
	json_decref(list);
}

static void on_claims(struct login *l, const json_t *claims)
{
	const struct oidc_config *c = l->row->config;
	struct oidc_rules rules = {
		.issuer = c->issuer,
		.client_id = c->client_id,
		.nonce = l->attempt.nonce,
		.access_token = l->tokens.access_token,
		.now_s = cyg_clock_wall_us() / 1000000,
	};
	char name[33];
	char **groups = NULL;
	struct cyg_err err;

	if (oidc_idtoken_check(claims, &rules, &err) < 0) {
		login_fail(l, "provider", &err);
		return;
	}
	if (oidc_username(claims, c->name_claim, name, &err) < 0) {
		login_fail(l, "name", &err);
		return;
	}
	if (find_groups(c, claims, &groups, &err) < 0) {
		login_fail(l, "provider", &err);
		return;
	}
	admit(l, claims, name, groups);
	oidc_groups_free(groups);
}

/* ---- keys ---- */

static void want_keys(struct login *l, bool unknown);

/* NOLINTNEXTLINE(misc-no-recursion): once, keys_read_again */
static void verify(struct login *l)
{
	struct jose_outcome outcome = { .unknown_key = false };
	json_t *claims = NULL;
	struct cyg_err err;

	if (jose_jws_verify(cyg_str_of(l->tokens.id_token), oidc_provider_keys(l->row->provider),
		algs, &outcome, &claims, &err) == 0) {
		on_claims(l, claims);
		json_decref(claims);
		return;
	}
	if (!outcome.unknown_key || l->keys_read_again) {
		login_fail(l, "provider", &err);
		return;
	}
	l->keys_read_again = true; /* the provider may have changed its keys: once */
	want_keys(l, true);
}

static void on_keys(void *arg, const struct cyg_err *why)
{
	struct login *l = arg;

	if (why != NULL)
		login_fail(l, why->code == CYG_EPROTO ? "provider" : "down", why);
	else
		verify(l);
}

/* NOLINTNEXTLINE(misc-no-recursion): once, see verify */
static void want_keys(struct login *l, bool unknown)
{
	struct cyg_err err;
	int known = oidc_provider_want_keys(l->row->provider, unknown, &l->wait, on_keys, l, &err);

	if (known < 0)
		login_fail(l, "provider", &err);
	else if (known > 0)
		verify(l);
}

/* ---- the token call ---- */

static void on_token(void *arg, const struct cyg_call_result *res, const struct cyg_err *failed)
{
	struct login *l = arg;
	struct cyg_err err;

	l->call = NULL;
	if (res == NULL && failed->code != CYG_ELIMIT) {
		login_fail_call(l, failed);
		return;
	}
	if (res == NULL) {
		login_fail(l, "provider", failed);
		return;
	}
	if (oidc_token_parse(res->status, res->body, &l->tokens, &err) < 0)
		login_fail(l, res->status >= 500 ? "down" : "provider", &err);
	else
		want_keys(l, false);
}

/* RFC 6749 2.3.1: both are form-encoded before they are joined. */
static int write_basic(const struct oidc_config *c, struct cyg_buf *out, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf pair;

	cyg_buf_init(&pair, FIELD_MAX / 2);
	int rc = url_encode(&pair, cyg_str_of(c->client_id), "", err);
	if (rc == 0)
		rc = cyg_buf_add_str(&pair, ":", err);
	if (rc == 0)
		rc = url_encode(&pair, cyg_str_of(c->secret), "", err);
	if (rc == 0)
		rc = cyg_buf_add_str(out, "Basic ", err);
	if (rc == 0)
		rc = cyg_base64_write(out, pair.data, pair.len, err);
	cyg_cleanse(pair.data, pair.len);
	return rc;
}

static int start_call(
    struct login *l, struct cyg_buf *body, struct cyg_buf *basic, struct cyg_err *err)
{
	const struct oidc_config *c = l->row->config;
	const struct oidc_endpoints *e = oidc_provider_endpoints(l->row->provider);
	struct oidc_client client = signin_oidc_client(l->row);
	bool in_head = c->secret != NULL && e->basic_auth;

	if (in_head && write_basic(c, basic, err) < 0)
		return -(int)err->code;
	if (oidc_token_request(&client, l->callback.code, l->attempt.verifier,
		in_head ? NULL : c->secret, body, err) < 0)
		return -(int)err->code;
	struct cyg_call_request req = {
		.url = e->token,
		.body = cyg_buf_str(body),
		.content_type = "application/x-www-form-urlencoded",
		.accept = "application/json",
		.authorization = in_head ? basic->data : NULL,
		.ca_file = c->ca_file,
		.max = OIDC_TOKEN_ANSWER_MAX,
		.timeout_ms = c->timeout_ms,
		.plain_http = c->insecure_loopback,
	};
	return cyg_call_start(
	    oidc_provider_curl(l->row->provider), &req, on_token, l, &l->call, err);
}

static void call_token(struct login *l)
{
	cyg_autobuf struct cyg_buf body;
	cyg_autobuf struct cyg_buf basic;
	struct cyg_err err;

	cyg_buf_init(&body, BODY_MAX);
	cyg_buf_init(&basic, FIELD_MAX);
	int rc = start_call(l, &body, &basic, &err);
	cyg_cleanse(body.data, body.len);
	cyg_cleanse(basic.data, basic.len);
	if (rc < 0)
		login_fail(l, "provider", &err);
}

/* ---- from the response to the token call ---- */

static void on_document(void *arg, const struct cyg_err *why)
{
	struct login *l = arg;
	struct cyg_err err;

	if (why != NULL)
		login_fail(l, "down", why);
	else if (oidc_callback_check_issuer(
		     oidc_provider_endpoints(l->row->provider), l->iss_raw, &err) < 0)
		login_fail(l, "provider", &err);
	else if (l->callback.error != NULL) {
		(void)cyg_fail(&err, CYG_EDENIED, "the provider says %s", l->callback.error);
		bool cancelled = strcmp(l->callback.error, "access_denied") == 0;
		login_fail(l, cancelled ? "cancelled" : "provider", &err);
	} else
		call_token(l);
}

/* The attempt's row is removed for good; only now may the response be used. */
static void on_turn(void *arg, const struct cyg_err *why)
{
	struct login *l = arg;
	struct cyg_err err;

	/* The attempt is there again: its browser may come back with the response. */
	if (why != NULL) {
		login_fail(l, "store", why);
		return;
	}
	signin_oidc_drop_cookie(l->req, l->cookie);
	int known = oidc_provider_want_document(l->row->provider, &l->wait, on_document, l, &err);

	if (known < 0)
		login_fail(l, "down", &err);
	else if (known > 0)
		on_document(l, NULL);
}

static int take(struct login *l, struct cyg_err *err)
{
	struct cyg_str query = l->req->head->query;

	if (query.p == NULL)
		query = CYG_STR("");
	if (oidc_callback_parse(query, &l->callback, &l->iss_raw, err) < 0)
		return -(int)err->code;
	return attempts_take(
	    l->signin->attempts, l->req->head, l->callback.state, &l->attempt, l->cookie, err);
}

/* With several providers a response to an address that they share could be another provider's: a
 * hostile provider sends users on to an honest one, with its own state, and the honest one's code
 * would go to the hostile token address (RFC 9700 4.4, "mix-up"). Such a response is not used. */
static bool is_lost(struct http_req *req)
{
	if (req->params[0].p != NULL || oidc_configs_share_callback(signin_of(req)->oidc))
		return false;
	cyg_log_warn("sign-in", "a response came to " CYG_HUB_PATH
				"/oauth_callback, which several providers would share: register "
				"at each the redirect address that the hub tells at its start");
	signin_refuse(req, "callback", NULL);
	return true;
}

/* Whether the response came to the address of the attempt's own provider. */
static bool is_at_its_address(const struct login *l)
{
	struct cyg_str id = l->req->params[0];

	return id.p == NULL || cyg_str_eq(id, l->attempt.provider);
}

/* GET /hub/oauth_callback[/PROVIDER] */
void signin_oidc_callback(struct http_req *req)
{
	struct signin *signin = signin_of(req);
	struct cyg_err err;

	if (req->method == HTTP_HEAD || signin->attempts == NULL) {
		reply_error(req, 404, "There is no sign-in to go on with.");
		return;
	}
	http_reply_field(req, "Referrer-Policy", "no-referrer");
	if (is_lost(req))
		return;
	struct login *l = cyg_xcalloc(1, sizeof(*l));
	l->signin = signin;
	l->req = req;
	int rc = take(l, &err);
	if (rc == 0)
		l->row = signin_oidc_row(signin, l->attempt.provider);
	if (rc < 0 || l->row == NULL) {
		cyg_log_warn("sign-in", "a response without an attempt: %s",
		    rc < 0 ? err.msg : "its provider is not configured any more");
		if (rc == 0)
			signin_oidc_drop_cookie(req, l->cookie);
		login_free(l);
		signin_refuse(req, "expired", NULL);
		return;
	}
	l->try = signin_try_new(signin_find(signin, cyg_str_of(l->attempt.provider)), req,
	    cyg_arena_dup(req->arena, cyg_str_of(l->attempt.next)));
	l->try->data = l;
	l->try->cancel = cancel;
	if (!is_at_its_address(l)) {
		(void)cyg_fail(
		    &err, CYG_EDENIED, "its response came to another provider's address");
		signin_oidc_drop_cookie(req, l->cookie);
		login_fail(l, "provider", &err);
		return;
	}
	store_after_turn(signin->opts.store, on_turn, l);
}

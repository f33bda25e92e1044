/* Sign-in by OpenID Connect, first half: rows of the table, the redirect to the provider, and the
 * sign-out. Next: oidc_login.c, from the provider's response to the session. */
#include "hub/signin/signin_oidc.h"

#include "base/clock.h"
#include "base/mem.h"
#include "cygnet/paths.h"
#include "daemon/log.h"
#include "http/cookie.h"
#include "http/url.h"
#include "hub/access/auth.h"
#include "hub/base/ratelimit.h"
#include "hub/base/reply.h"

#include <string.h>

enum {
	LOCATION_MAX = 8 * 1024,
	FIELD_MAX = 512,
	BEGUN_BY_ADDRESS = 2000, /* a class behind one router, several times over */
	BEGUN_KEYS = 20000,
	COOKIES_DROPPED = 12,
};

/* ---- the rows ---- */

static void on_state(void *arg, int64_t since_us, const char *message)
{
	struct signin_provider *p = arg;

	p->down_since_us = since_us;
	(void)cyg_str_copy(p->message, sizeof(p->message), cyg_str_of(message));
}

static void close_row(struct signin_provider *p)
{
	struct oidc_row *row = p->ctx;

	oidc_provider_close(row->provider);
	free(row->begin_url);
	free(row->redirect_uri);
	free(row);
}

static void begin(struct signin_try *t);
static const char *sign_out(struct signin_provider *p, struct http_req *req);

static const struct signin_ops ops = { .begin = begin, .sign_out = sign_out, .close = close_row };

static int add_row(struct signin *signin, const struct oidc_config *config, struct cyg_err *err)
{
	struct oidc_row *row = cyg_xcalloc(1, sizeof(*row));
	struct cyg_str base = cyg_str_of(signin->opts.public_url);

	if (cyg_str_ends(base, "/"))
		base.len--;
	row->config = config;
	row->begin_url = cyg_xasprintf(CYG_HUB_PATH "/oauth_login?provider=%s", config->id);
	row->redirect_uri = oidc_config_redirect_uri(signin->oidc, config, base);
	struct signin_provider p = {
		.signin = signin,
		.id = config->id,
		.label = config->label,
		.kind = SIGNIN_OIDC,
		.url = row->begin_url,
		.ops = &ops,
		.ctx = row,
	};
	if (signin_add(signin, &p, err) < 0) {
		free(row->begin_url);
		free(row->redirect_uri);
		free(row);
		return -(int)err->code;
	}
	cyg_log_info("sign-in", "%s: its redirect address is %s", config->id, row->redirect_uri);
	row->provider = oidc_provider_new(signin->opts.uv, signin->curl, config, on_state,
	    signin_find(signin, cyg_str_of(config->id)));
	return 0;
}

/* The provider redirects browsers to a path below it, and browsers keep our cookie (__Host-,
 * Secure) only from https and from this machine. */
static int check_public_url(const char *url, struct cyg_err *err)
{
	struct cyg_str s = cyg_str_of(url), rest = s, scheme, host;
	bool is_root = cyg_str_next(&rest, ':', &scheme) && cyg_str_starts(rest, "//");

	if (is_root) {
		rest = cyg_str_skip(rest, 2);
		host = cyg_str_sub(rest, 0, cyg_str_chr(rest, '/'));
		is_root = host.len + 1 >= rest.len && cyg_str_chr(host, '?') == host.len;
	}
	if (is_root && (oidc_url_is_allowed(url, false) || signin_is_loopback(s)))
		return 0;
	return cyg_fail(err, CYG_EINVAL,
	    "public-url '%.100s': with providers it is https://HOST/ without a path (http only on "
	    "loopback)",
	    url);
}

int signin_oidc_add(struct signin *signin, struct cyg_err *err)
{
	if (check_public_url(signin->opts.public_url, err) < 0 ||
	    oidc_configs_load(signin->opts.providers, &signin->oidc, err) < 0 ||
	    attempts_load(signin->opts.store, &signin->attempts, err) < 0 ||
	    cyg_curl_new(signin->opts.uv, &signin->curl, err) < 0)
		return -(int)err->code;
	signin->begun = ratelimit_new(BEGUN_BY_ADDRESS, (uint64_t)ATTEMPT_TTL_S * 1000, BEGUN_KEYS);
	for (size_t i = 0; i < signin->oidc->n; i++) {
		if (add_row(signin, &signin->oidc->items[i], err) < 0)
			return -(int)err->code;
	}
	return 0;
}

void signin_oidc_close(struct signin *signin)
{
	cyg_curl_close(signin->curl);
	ratelimit_free(signin->begun);
	attempts_free(signin->attempts);
	oidc_configs_free(signin->oidc);
}

struct oidc_row *signin_oidc_row(struct signin *signin, const char *id)
{
	struct signin_provider *p = signin_find(signin, cyg_str_of(id));

	return p != NULL && p->ops == &ops ? p->ctx : NULL;
}

struct oidc_client signin_oidc_client(const struct oidc_row *row)
{
	return (struct oidc_client){
		.client_id = row->config->client_id,
		.redirect_uri = row->redirect_uri,
		.scopes = row->config->scopes,
	};
}

static void set_cookie(struct http_req *req, const char *name, const char *value, long age_s)
{
	cyg_autobuf struct cyg_buf b;

	cyg_buf_init(&b, FIELD_MAX);
	if (http_cookie_set(&b, name, value, age_s, NULL) < 0)
		return;
	http_reply_field(req, "Set-Cookie", b.data);
	cyg_cleanse(b.data, b.len);
}

void signin_oidc_drop_cookie(void *req, const char *name)
{
	set_cookie(req, name, "", 0);
}

/* ---- to the provider ---- */

struct beginning {
	struct signin_try *try;
	struct signin *signin;
	struct oidc_row *row;
	struct oidc_wait wait;
	struct oidc_attempt attempt;
	struct attempt_cookie cookie;
	unsigned dropped;
};

static void beginning_free(struct beginning *b)
{
	oidc_wait_cancel(&b->wait);
	store_forget(b->signin->opts.store, b);
	cyg_cleanse(&b->attempt, sizeof(b->attempt));
	cyg_cleanse(&b->cookie, sizeof(b->cookie));
	free(b);
}

static void cancel(struct signin_try *t)
{
	beginning_free(t->data);
}

static void give_up(struct beginning *b, const char *code, const struct cyg_err *why)
{
	struct signin_try *t = b->try;

	cyg_log_warn("sign-in", "%s: not begun (%s): %s", b->row->config->id, code, why->msg);
	beginning_free(b);
	signin_done_refused(t, code);
}

static void on_turn(void *arg, const struct cyg_err *why)
{
	struct beginning *b = arg;
	struct signin_try *t = b->try;
	struct oidc_client client = signin_oidc_client(b->row);
	cyg_autobuf struct cyg_buf url;
	struct cyg_err err;

	cyg_buf_init(&url, LOCATION_MAX);
	if (why != NULL) {
		give_up(b, "store", why);
		return;
	}
	if (oidc_authorize_url(
		oidc_provider_endpoints(b->row->provider), &client, &b->attempt, &url, &err) < 0) {
		give_up(b, "provider", &err);
		return;
	}
	set_cookie(t->req, b->cookie.name, b->cookie.value, ATTEMPT_TTL_S);
	beginning_free(b);
	signin_done(t, &(struct signin_verdict){ .outcome = SIGNIN_SENT, .location = url.data });
}

static void on_drop(void *arg, const char *name)
{
	struct beginning *b = arg;

	if (b->dropped++ < COOKIES_DROPPED)
		signin_oidc_drop_cookie(b->try->req, name);
}

static void on_document(void *arg, const struct cyg_err *why)
{
	struct beginning *b = arg;
	struct cyg_err err;

	if (why != NULL) {
		give_up(b, "down", why);
		return;
	}
	attempts_make_room(b->signin->attempts, b->try->req->head, on_drop, b);
	if (attempts_begin(b->signin->attempts, b->row->config->id, b->try->next, &b->attempt,
		&b->cookie, &err) < 0)
		give_up(b, "busy", &err);
	else
		store_after_turn(b->signin->opts.store, on_turn, b);
}

static bool is_over_limit(struct http_req *req, struct signin *signin)
{
	struct cyg_str address = request_client(req);
	uint64_t now_ms = cyg_clock_mono_ms();

	if (ratelimit_wait(signin->begun, address, now_ms) > 0)
		return true;
	ratelimit_count(signin->begun, address, now_ms);
	return false;
}

static void begin(struct signin_try *t)
{
	struct cyg_err err;

	if (is_over_limit(t->req, t->provider->signin)) {
		signin_done_refused(t, "busy");
		return;
	}
	struct beginning *b = cyg_xcalloc(1, sizeof(*b));
	b->try = t;
	b->signin = t->provider->signin;
	b->row = t->provider->ctx;
	t->data = b;
	t->cancel = cancel;
	int known = oidc_provider_want_document(b->row->provider, &b->wait, on_document, b, &err);
	if (known < 0)
		give_up(b, "down", &err);
	else if (known > 0)
		on_document(b, NULL);
}

/* ---- sign-out: RP-Initiated Logout 1.0, without a hint, so that no ID token need be kept ---- */

static const char *sign_out(struct signin_provider *p, struct http_req *req)
{
	const struct oidc_row *row = p->ctx;
	const struct oidc_endpoints *e = oidc_provider_endpoints(row->provider);

	/* No browser is sent to a provider that does not respond. */
	if (!row->config->end_session || p->down_since_us != 0 || e == NULL ||
	    e->end_session == NULL)
		return NULL;
	return cyg_arena_printf(req->arena, CYG_HUB_PATH "/oauth_logout?provider=%s", p->id);
}

static int write_leave_url(
    const struct signin *signin, const struct oidc_row *row, struct cyg_buf *out)
{
	const struct oidc_endpoints *e = oidc_provider_endpoints(row->provider);
	struct cyg_str base = cyg_str_of(signin->opts.public_url);

	if (e == NULL || e->end_session == NULL)
		return -CYG_ENOENT;
	if (cyg_str_ends(base, "/"))
		base.len--;
	const char *join = strchr(e->end_session, '?') == NULL ? "?" : "&";
	int rc = cyg_buf_printf(out, NULL, "%s%sclient_id=", e->end_session, join);
	if (rc == 0)
		rc = url_encode(out, cyg_str_of(row->config->client_id), "", NULL);
	if (rc == 0)
		rc = cyg_buf_add_str(out, "&post_logout_redirect_uri=", NULL);
	if (rc == 0)
		rc = url_encode(out, base, "", NULL);
	return rc == 0 ? url_encode(out, CYG_STR(CYG_HUB_PATH "/login"), "", NULL) : rc;
}

/* GET /hub/oauth_logout?provider=ID */
void signin_oidc_leave(struct http_req *req)
{
	struct cyg_str id = CYG_STR("");
	bool found = false;
	cyg_autobuf struct cyg_buf url;

	if (url_query_get(req->arena, req->head->query, "provider", &id, &found, NULL) < 0)
		found = false;
	const struct oidc_row *row =
	    found ? signin_oidc_row(signin_of(req), cyg_arena_dup(req->arena, id)) : NULL;
	cyg_buf_init(&url, LOCATION_MAX);
	http_reply_field(req, "Cache-Control", "no-store");
	if (row == NULL || write_leave_url(signin_of(req), row, &url) < 0)
		http_reply_redirect(req, 302, CYG_HUB_PATH "/login");
	else
		http_reply_redirect(req, 302, url.data);
}

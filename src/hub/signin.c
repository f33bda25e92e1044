/* The sign-in's beginning: the table of providers, the password form, the limit on failures. Next:
 * signin_complete.c. */
#include "hub/signin.h"

#include "base/clock.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "http/url.h"
#include "hub/ratelimit.h"
#include "hub/reply.h"
#include "hub/reserved.h"
#include "ipc/spawn_codec.h"

enum {
	FAILURES_PAIR = 10,     /* of one name from one address */
	FAILURES_ADDRESS = 100, /* of one address: a class behind one router still gets in */
	FAILURES_WINDOW_MS = 5 * 60 * 1000,
	FAILURES_KEYS = 20000,
	PASSWORD_MAX = 256,
};

struct signin {
	struct signin_provider providers[SIGNIN_PROVIDERS_MAX];
	size_t n;
	struct ratelimit *pairs, *addresses;
	struct reserved *reserved;
};

int signin_new(struct hub *hub, struct signin **ret, struct cyg_err *err)
{
	struct signin *signin = cyg_xcalloc(1, sizeof(*signin));

	signin->pairs = ratelimit_new(FAILURES_PAIR, FAILURES_WINDOW_MS, FAILURES_KEYS);
	signin->addresses = ratelimit_new(FAILURES_ADDRESS, FAILURES_WINDOW_MS, FAILURES_KEYS);
	if (reserved_new("/etc/passwd", hub->config.reserved_names, &signin->reserved, err) < 0 ||
	    (hub->config.sign_in == HUB_SIGN_IN_DEVELOPMENT &&
		signin_dev_add(hub, signin, err) < 0) ||
	    (hub->config.providers != NULL && signin_oidc_add(hub, signin, err) < 0)) {
		signin_free(signin);
		return -(int)err->code;
	}
	*ret = signin;
	return 0;
}

void signin_free(struct signin *signin)
{
	if (signin == NULL)
		return;
	for (size_t i = 0; i < signin->n; i++) {
		struct signin_provider *p = &signin->providers[i];
		if (p->ops->close != NULL)
			p->ops->close(p);
	}
	ratelimit_free(signin->pairs);
	ratelimit_free(signin->addresses);
	reserved_free(signin->reserved);
	free(signin);
}

int signin_add(struct signin *signin, const struct signin_provider *row, struct cyg_err *err)
{
	if (signin->n == SIGNIN_PROVIDERS_MAX)
		return cyg_fail(
		    err, CYG_ELIMIT, "at most %d sign-in providers", SIGNIN_PROVIDERS_MAX);
	signin->providers[signin->n++] = *row;
	return 0;
}

struct signin_provider *signin_at(struct signin *signin, size_t i)
{
	return i < signin->n ? &signin->providers[i] : NULL;
}

struct signin_provider *signin_find(struct signin *signin, struct cyg_str id)
{
	for (size_t i = 0; i < signin->n; i++) {
		if (cyg_str_eq(id, signin->providers[i].id))
			return &signin->providers[i];
	}
	return NULL;
}

bool signin_is_reserved(const struct signin *signin, const char *name)
{
	return reserved_has(signin->reserved, name);
}

bool signin_is_development(const struct signin *signin)
{
	for (size_t i = 0; i < signin->n; i++) {
		if (signin->providers[i].kind == SIGNIN_PASSWORD)
			return true;
	}
	return false;
}

static struct signin_provider *password_provider(struct signin *signin)
{
	for (size_t i = 0; i < signin->n; i++) {
		if (signin->providers[i].kind == SIGNIN_PASSWORD)
			return &signin->providers[i];
	}
	return NULL;
}

/* ---- the password form ---- */

struct attempt {
	struct cyg_str name, password, next;
	struct cyg_str address; /* of the browser, as the proxy tells */
	struct cyg_str pair;    /* "name address" */
};

static int read_attempt(struct http_req *req, struct attempt *a, struct cyg_err *err)
{
	bool name = false, password = false, next = false;

	*a = (struct attempt){ .next = CYG_STR("") };
	if (url_query_get(req->arena, req->body, "username", &a->name, &name, err) < 0 ||
	    url_query_get(req->arena, req->body, "password", &a->password, &password, err) < 0 ||
	    url_query_get(req->arena, req->body, "next", &a->next, &next, err) < 0)
		return -CYG_EINVAL;
	if (!name || !password || a->name.len >= CYG_NAME_MAX || a->password.len > PASSWORD_MAX)
		return cyg_fail(err, CYG_EINVAL, "A name and a password are needed.");
	if (!next)
		a->next = CYG_STR("");
	a->address = request_client(req);
	a->pair = cyg_str_of(cyg_arena_printf(
	    req->arena, "%.*s %.*s", CYG_STR_ARGS(a->name), CYG_STR_ARGS(a->address)));
	return 0;
}

static bool is_over_limit(struct http_req *req, struct signin *signin, const struct attempt *a)
{
	uint64_t now_ms = cyg_clock_mono_ms();
	uint64_t wait_ms = ratelimit_wait(signin->pairs, a->pair, now_ms);
	uint64_t other_ms = ratelimit_wait(signin->addresses, a->address, now_ms);

	if (other_ms > wait_ms)
		wait_ms = other_ms;
	if (wait_ms == 0)
		return false;
	reply_retry_after(req, wait_ms);
	signin_refuse(req, "limit");
	return true;
}

void signin_post(struct http_req *req)
{
	struct hub *hub = request_hub(req);
	struct signin_provider *p = password_provider(hub->signin);
	struct attempt a;
	struct cyg_err err;

	if (p == NULL) {
		reply_error(req, 404, "There is no sign-in by password here.");
		return;
	}
	if (read_attempt(req, &a, &err) < 0) {
		signin_refuse(req, "form");
		return;
	}
	if (is_over_limit(req, hub->signin, &a))
		return;
	const char *name = cyg_arena_dup(req->arena, a.name);
	if (!p->ops->check(p, a.name, a.password)) {
		ratelimit_count(hub->signin->pairs, a.pair, cyg_clock_mono_ms());
		ratelimit_count(hub->signin->addresses, a.address, cyg_clock_mono_ms());
		cyg_log_warn("sign-in", "refused from %.*s", CYG_STR_ARGS(a.address));
		signin_refuse(req, "password");
		return;
	}
	ratelimit_clear(hub->signin->pairs, a.pair);
	if (spawn_name_check(SPAWN_NAME_USER, name, NULL) < 0) {
		signin_refuse(req, "spelling");
		return;
	}
	struct person_claim claim = { .provider = p->id, .subject = name, .name = name };
	signin_complete(req, &claim, request_next(req, a.next));
}

/* GET /hub/oauth_login?provider=ID&next= */
void signin_begin(struct http_req *req)
{
	struct hub *hub = request_hub(req);
	struct cyg_str id = CYG_STR(""), next = CYG_STR("");
	bool found = false, has_next = false;

	if (url_query_get(req->arena, req->head->query, "provider", &id, &found, NULL) < 0 ||
	    url_query_get(req->arena, req->head->query, "next", &next, &has_next, NULL) < 0)
		found = false;
	struct signin_provider *p = found ? signin_find(hub->signin, id) : NULL;
	if (p == NULL || p->ops->begin == NULL) {
		reply_error(req, 404, "There is no such sign-in provider.");
		return;
	}
	p->ops->begin(p, req, request_next(req, has_next ? next : CYG_STR("")));
}

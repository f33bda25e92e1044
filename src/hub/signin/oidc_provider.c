/* Reads and keeps a provider's discovery document and keys. Each is a source: one call at a time, a
 * list of those who wait for it, the time of the last reading. Before it: oidc_config.c; after it:
 * signin_oidc.c and oidc_login.c, which use them. */
#include "hub/signin/oidc_provider.h"

#include "base/clock.h"
#include "base/mem.h"
#include "daemon/log.h"

#include <stdio.h>
#include <string.h>

enum {
	KEYS_AGE_MS = 3600 * 1000, /* older keys are not used: they may be withdrawn */
	SOON_MS = 5 * 1000,        /* how soon a provider that is down is tried again, at most */
};

struct source {
	struct oidc_provider *p;
	struct cyg_call *call;
	struct cyg_list waiters;
	uint64_t read_ms;   /* 0: never */
	uint64_t forced_ms; /* when it was last read because of an unknown key */
	int (*parse)(struct oidc_provider *p, struct cyg_str text, struct cyg_err *err);
};

struct oidc_provider {
	const struct oidc_config *config;
	struct cyg_curl *curl;
	uv_timer_t timer;
	struct source document, keys;
	struct oidc_endpoints *endpoints;
	struct jose_jwks *jwks;
	int64_t down_since_us;
	oidc_state_fn on_state;
	void *arg;
};

/* ---- up and down ---- */

static void say_state(struct oidc_provider *p, const struct cyg_err *why)
{
	char message[OIDC_MESSAGE_SIZE] = "";

	if (why == NULL && p->down_since_us == 0)
		return;
	if (why == NULL) {
		cyg_log_info("sign-in", "provider %s answers again", p->config->id);
		p->down_since_us = 0;
	} else {
		if (p->down_since_us == 0) {
			p->down_since_us = cyg_clock_wall_us();
			cyg_log_warn("sign-in", "provider %s: %s", p->config->id, why->msg);
		}
		(void)snprintf(message, sizeof(message), "%s",
		    why->code == CYG_ETIMEOUT ? "It does not answer in time."
		    : why->code == CYG_EBUSY  ? "It cannot be reached."
					      : "It answers, but not as it should.");
	}
	p->on_state(p->arg, p->down_since_us, message);
}

static void look_again(struct oidc_provider *p);

static void on_timer(uv_timer_t *timer)
{
	look_again(timer->data);
}

static void set_timer(struct oidc_provider *p)
{
	uint64_t ms = p->config->check_interval_ms;

	if (p->down_since_us != 0 && ms > SOON_MS)
		ms = SOON_MS;
	(void)uv_timer_start(&p->timer, on_timer, ms, 0);
}

void oidc_provider_failed(struct oidc_provider *p, const struct cyg_err *why)
{
	say_state(p, why);
	set_timer(p);
}

/* ---- one reading ---- */

static void tell(struct source *s, const struct cyg_err *why)
{
	/* One who waits again from inside a callback waits for the next reading. */
	for (size_t n = s->waiters.n; n > 0 && s->waiters.n > 0; n--) {
		struct oidc_wait *w =
		    CYG_CONTAINER_OF(cyg_list_first(&s->waiters), struct oidc_wait, link);
		oidc_wait_cancel(w);
		w->fn(w->arg, why);
	}
}

static void end_reading(struct source *s, const struct cyg_err *why)
{
	struct oidc_provider *p = s->p;

	if (why == NULL)
		s->read_ms = cyg_clock_mono_ms();
	say_state(p, why);
	set_timer(p);
	tell(s, why);
}

static void on_response(void *arg, const struct cyg_call_result *res, const struct cyg_err *failed)
{
	struct source *s = arg;
	struct cyg_err err;

	s->call = NULL;
	if (res == NULL) {
		end_reading(s, failed);
		return;
	}
	if (res->status != 200)
		(void)cyg_fail(&err, CYG_EPROTO, "responded with status %d", res->status);
	else if (s->parse(s->p, res->body, &err) == 0) {
		end_reading(s, NULL);
		return;
	}
	end_reading(s, &err);
}

static int start_reading(struct source *s, const char *url, size_t max, struct cyg_err *err)
{
	const struct oidc_config *c = s->p->config;
	struct cyg_call_request req = {
		.url = url,
		.accept = "application/json",
		.ca_file = c->ca_file,
		.max = max,
		.timeout_ms = c->timeout_ms,
		.plain_http = c->insecure_loopback,
	};

	if (s->call != NULL)
		return 0;
	return cyg_call_start(s->p->curl, &req, on_response, s, &s->call, err);
}

static int parse_document(struct oidc_provider *p, struct cyg_str text, struct cyg_err *err)
{
	struct oidc_endpoints *found = NULL;

	if (oidc_discovery_parse(
		text, p->config->issuer, p->config->insecure_loopback, &found, err) < 0)
		return -(int)err->code;
	/* The address of the keys has changed: the kept keys are dropped. */
	if (p->endpoints != NULL && strcmp(p->endpoints->jwks, found->jwks) != 0)
		p->keys.read_ms = 0;
	oidc_endpoints_free(p->endpoints);
	p->endpoints = found;
	return 0;
}

static int parse_keys(struct oidc_provider *p, struct cyg_str text, struct cyg_err *err)
{
	struct jose_jwks *found = NULL;

	if (jose_jwks_parse(text, &found, err) < 0)
		return -(int)err->code;
	jose_jwks_free(p->jwks);
	p->jwks = found;
	return 0;
}

static int read_document(struct oidc_provider *p, struct cyg_err *err)
{
	size_t len = strlen(p->config->issuer);

	/* Discovery 1.0, 4.1: a closing slash of the issuer is left out before the suffix. */
	if (len > 0 && p->config->issuer[len - 1] == '/')
		len--;
	cyg_autofree char *url =
	    cyg_xasprintf("%.*s/.well-known/openid-configuration", (int)len, p->config->issuer);
	return start_reading(&p->document, url, OIDC_DOC_MAX, err);
}

static void look_again(struct oidc_provider *p)
{
	struct cyg_err err;

	if (read_document(p, &err) < 0)
		oidc_provider_failed(p, &err);
}

/* ---- requests for a document ---- */

static bool is_fresh(const struct source *s, uint64_t age_ms)
{
	return s->read_ms != 0 && cyg_clock_mono_ms() - s->read_ms < age_ms;
}

static void wait_for(struct source *s, struct oidc_wait *w, oidc_ready_fn fn, void *arg)
{
	w->fn = fn;
	w->arg = arg;
	w->list = &s->waiters;
	cyg_list_add(w->list, &w->link);
}

void oidc_wait_cancel(struct oidc_wait *w)
{
	if (w->list != NULL)
		cyg_list_remove(w->list, &w->link);
	w->list = NULL;
}

int oidc_provider_want_document(
    struct oidc_provider *p, struct oidc_wait *w, oidc_ready_fn fn, void *arg, struct cyg_err *err)
{
	if (p->down_since_us == 0 && is_fresh(&p->document, p->config->check_interval_ms))
		return 1;
	if (read_document(p, err) < 0)
		return -(int)err->code;
	wait_for(&p->document, w, fn, arg);
	return 0;
}

int oidc_provider_want_keys(struct oidc_provider *p, bool unknown, struct oidc_wait *w,
    oidc_ready_fn fn, void *arg, struct cyg_err *err)
{
	uint64_t now_ms = cyg_clock_mono_ms();
	struct source *s = &p->keys;

	if (!unknown && is_fresh(s, KEYS_AGE_MS))
		return 1;
	if (p->endpoints == NULL)
		return cyg_fail(err, CYG_EBUSY, "the provider's document was never read");
	if (s->call == NULL && unknown && s->forced_ms != 0 &&
	    now_ms - s->forced_ms < p->config->keys_interval_ms)
		return cyg_fail(err, CYG_EDENIED, "no key of the provider fits the ID token");
	if (s->call == NULL && unknown)
		s->forced_ms = now_ms;
	if (start_reading(s, p->endpoints->jwks, JOSE_JWKS_MAX, err) < 0)
		return -(int)err->code;
	wait_for(s, w, fn, arg);
	return 0;
}

const struct oidc_endpoints *oidc_provider_endpoints(const struct oidc_provider *p)
{
	return p->endpoints;
}

const struct jose_jwks *oidc_provider_keys(const struct oidc_provider *p)
{
	return p->jwks;
}

const struct oidc_config *oidc_provider_config(const struct oidc_provider *p)
{
	return p->config;
}

struct cyg_curl *oidc_provider_curl(const struct oidc_provider *p)
{
	return p->curl;
}

/* ---- new, close ---- */

static void source_init(struct source *s, struct oidc_provider *p,
    int (*parse)(struct oidc_provider *p, struct cyg_str text, struct cyg_err *err))
{
	s->p = p;
	s->parse = parse;
	cyg_list_init(&s->waiters);
}

struct oidc_provider *oidc_provider_new(uv_loop_t *loop, struct cyg_curl *curl,
    const struct oidc_config *config, oidc_state_fn on_state, void *arg)
{
	struct oidc_provider *p = cyg_xcalloc(1, sizeof(*p));

	p->config = config;
	p->curl = curl;
	p->on_state = on_state;
	p->arg = arg;
	source_init(&p->document, p, parse_document);
	source_init(&p->keys, p, parse_keys);
	(void)uv_timer_init(loop, &p->timer);
	p->timer.data = p;
	(void)uv_timer_start(&p->timer, on_timer, 0, 0);
	return p;
}

static void on_closed(uv_handle_t *handle)
{
	struct oidc_provider *p = handle->data;

	oidc_endpoints_free(p->endpoints);
	jose_jwks_free(p->jwks);
	free(p);
}

void oidc_provider_close(struct oidc_provider *p)
{
	if (p == NULL)
		return;
	cyg_call_cancel(p->document.call);
	cyg_call_cancel(p->keys.call);
	(void)uv_timer_stop(&p->timer);
	uv_close((uv_handle_t *)&p->timer, on_closed);
}

/* The password form: its fields, and the limit on failures of a name and of an address. A provider
 * may take its time to check the password; its verdict goes through signin_form_judge. */
#include "hub/signin/signin_form.h"

#include "base/clock.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "http/url.h"
#include "hub/base/ratelimit.h"
#include "hub/base/reply.h"
#include "hub/signin/signin_priv.h"
#include "hub/signin/signin_try.h"
#include "ipc/spawn_codec.h"

#include <string.h>

enum {
	FAILURES_PAIR = 10,     /* of one name from one address */
	FAILURES_ADDRESS = 100, /* of one address: a class behind one router still gets in */
	FAILURES_WINDOW_MS = 5 * 60 * 1000,
	FAILURES_KEYS = 20000,
	PASSWORD_MAX = 256,
};

struct signin_form {
	struct ratelimit *pairs, *addresses;
};

struct signin_form *signin_form_new(void)
{
	struct signin_form *form = cyg_xcalloc(1, sizeof(*form));

	form->pairs = ratelimit_new(FAILURES_PAIR, FAILURES_WINDOW_MS, FAILURES_KEYS);
	form->addresses = ratelimit_new(FAILURES_ADDRESS, FAILURES_WINDOW_MS, FAILURES_KEYS);
	return form;
}

void signin_form_free(struct signin_form *form)
{
	if (form == NULL)
		return;
	ratelimit_free(form->pairs);
	ratelimit_free(form->addresses);
	free(form);
}

struct fields {
	struct cyg_str name, password;
	struct cyg_str next, provider; /* empty: not there */
};

static int read_fields(struct http_req *req, struct fields *f, struct cyg_err *err)
{
	const struct {
		const char *name;
		struct cyg_str *ret;
		bool required;
	} table[] = {
		{ "username", &f->name, true },
		{ "password", &f->password, true },
		{ "next", &f->next, false },
		{ "provider", &f->provider, false },
	};

	for (size_t i = 0; i < CYG_N(table); i++) {
		bool found = false;
		if (url_query_get(req->arena, req->body, table[i].name, table[i].ret, &found, err) <
		    0)
			return -CYG_EINVAL;
		if (!found && table[i].required)
			return cyg_fail(err, CYG_EINVAL, "A name and a password are needed.");
		if (!found)
			*table[i].ret = CYG_STR("");
	}
	if (f->name.len >= CYG_NAME_MAX || f->password.len > PASSWORD_MAX)
		return cyg_fail(err, CYG_EINVAL, "A name and a password are needed.");
	return 0;
}

/* "name address": failures from one address do not keep the name from signing in elsewhere. */
static struct cyg_str pair_of(struct http_req *req, struct cyg_str name)
{
	return cyg_str_of(cyg_arena_printf(
	    req->arena, "%.*s %.*s", CYG_STR_ARGS(name), CYG_STR_ARGS(request_client(req))));
}

static bool is_over_limit(struct http_req *req, const struct signin_form *form, struct cyg_str name)
{
	uint64_t now_ms = cyg_clock_mono_ms();
	uint64_t wait_ms = ratelimit_wait(form->pairs, pair_of(req, name), now_ms);
	uint64_t other_ms = ratelimit_wait(form->addresses, request_client(req), now_ms);

	if (other_ms > wait_ms)
		wait_ms = other_ms;
	if (wait_ms == 0)
		return false;
	reply_retry_after(req, wait_ms);
	signin_refuse(req, "limit", NULL);
	return true;
}

/* The provider that the form names, else the first that has one. */
static struct signin_provider *find_provider(struct signin *signin, struct cyg_str id)
{
	struct signin_provider *p;

	for (size_t i = 0; (p = signin_at(signin, i)) != NULL; i++) {
		if (p->kind == SIGNIN_PASSWORD && (id.len == 0 || cyg_str_eq(id, p->id)))
			return p;
	}
	return NULL;
}

void signin_post(struct http_req *req)
{
	struct signin *signin = signin_of(req);
	struct fields f;
	struct cyg_err err;

	if (find_provider(signin, CYG_STR("")) == NULL) {
		reply_error(req, 404, "There is no sign-in by password here.");
		return;
	}
	int rc = read_fields(req, &f, &err);
	struct signin_provider *p = rc == 0 ? find_provider(signin, f.provider) : NULL;
	if (p == NULL) {
		signin_refuse(req, "form", NULL);
		return;
	}
	if (is_over_limit(req, signin->form, f.name))
		return;
	/* It counts as failed until it has succeeded, so that many tries at once, at a provider
	 * that takes its time, do not get round the limit. */
	ratelimit_count(signin->form->pairs, pair_of(req, f.name), cyg_clock_mono_ms());
	ratelimit_count(signin->form->addresses, request_client(req), cyg_clock_mono_ms());
	struct signin_try *t = signin_try_new(p, req, request_next(req, f.next));
	t->name = f.name;
	t->password = f.password;
	p->ops->verify(t);
}

const char *signin_form_judge(const struct signin_try *t, const struct signin_verdict *verdict)
{
	const struct signin_form *form = t->provider->signin->form;
	struct cyg_str address = request_client(t->req), pair = pair_of(t->req, t->name);

	if (verdict->outcome == SIGNIN_REFUSED && strcmp(verdict->refusal, "password") == 0) {
		cyg_log_warn("sign-in", "refused from %.*s", CYG_STR_ARGS(address));
		return NULL;
	}
	ratelimit_uncount(form->pairs, pair);
	ratelimit_uncount(form->addresses, address);
	if (verdict->outcome != SIGNIN_PROVED)
		return NULL;
	ratelimit_clear(form->pairs, pair);
	return spawn_name_check(SPAWN_NAME_USER, verdict->claim->name, NULL) < 0 ? "spelling"
										 : NULL;
}

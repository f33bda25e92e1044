/* The table of providers, filled from the table of their kinds. Next: signin_try.c. */
#include "hub/signin/signin_priv.h"

#include "base/mem.h"
#include "http/url.h"
#include "hub/access/reserved.h"
#include "hub/base/reply.h"
#include "hub/signin/signin_form.h"
#include "hub/signin/signin_try.h"

/* ---- kinds: each adds the rows that the configuration asks for ---- */

static bool has_development(const struct signin_opts *opts)
{
	return opts->development;
}

static bool has_oidc(const struct signin_opts *opts)
{
	return opts->providers != NULL;
}

static const struct {
	bool (*is_configured)(const struct signin_opts *opts);
	int (*add)(struct signin *signin, struct cyg_err *err);
	void (*close)(struct signin *signin); /* what its rows used; may be NULL */
} kinds[] = {
	{ has_development, signin_dev_add, NULL },
	{ has_oidc, signin_oidc_add, signin_oidc_close },
};

static int add_kinds(struct signin *signin, struct cyg_err *err)
{
	for (size_t i = 0; i < CYG_N(kinds); i++) {
		if (kinds[i].is_configured(&signin->opts) && kinds[i].add(signin, err) < 0)
			return -(int)err->code;
	}
	return 0;
}

int signin_new(const struct signin_opts *opts, struct signin **ret, struct cyg_err *err)
{
	struct signin *signin = cyg_xcalloc(1, sizeof(*signin));

	signin->opts = *opts;
	signin->form = signin_form_new();
	if (reserved_new("/etc/passwd", opts->reserved_names, &signin->reserved, err) < 0 ||
	    add_kinds(signin, err) < 0) {
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
	for (size_t i = 0; i < CYG_N(kinds); i++) {
		if (kinds[i].close != NULL)
			kinds[i].close(signin);
	}
	signin_form_free(signin->form);
	reserved_free(signin->reserved);
	free(signin);
}

/* ---- rows ---- */

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
	return has_development(&signin->opts);
}

/* GET /hub/oauth_login?provider=ID&next= */
void signin_begin(struct http_req *req)
{
	struct cyg_str id = CYG_STR(""), next = CYG_STR("");
	bool found = false, has_next = false;

	if (url_query_get(req->arena, req->head->query, "provider", &id, &found, NULL) < 0 ||
	    url_query_get(req->arena, req->head->query, "next", &next, &has_next, NULL) < 0)
		found = false;
	struct signin_provider *p = found ? signin_find(signin_of(req), id) : NULL;
	if (p == NULL || p->ops->begin == NULL) {
		reply_error(req, 404, "There is no such sign-in provider.");
		return;
	}
	if (req->method == HTTP_HEAD) {
		reply_error(req, 405, "Only GET begins a sign-in.");
		return;
	}
	p->ops->begin(signin_try_new(p, req, request_next(req, has_next ? next : CYG_STR(""))));
}

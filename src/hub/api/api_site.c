/* What the portal's pages need: the site, the user's start form, how their server last ended. */
#include "base/mem.h"
#include "cygnet/version.h"
#include "hub/access/auth.h"
#include "hub/api/api.h"
#include "hub/base/reply.h"
#include "hub/link/in_force.h"
#include "hub/link/spawner_link.h"
#include "hub/link/spawners.h"
#include "hub/offer/offer.h"
#include "hub/offer/policy.h"
#include "hub/signin/signin.h"

#include <string.h>

static json_t *text_or_null(const char *text)
{
	return text != NULL && text[0] != '\0' ? json_string(text) : json_null();
}

/* ---- the site ---- */

static json_t *providers(struct signin *signin)
{
	json_t *ret = json_array();
	struct signin_provider *p;

	for (size_t i = 0; (p = signin_at(signin, i)) != NULL; i++)
		(void)json_array_append_new(
		    ret, json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "id", p->id, "label", p->label,
			     "kind", p->kind == SIGNIN_PASSWORD ? "password" : "oidc", "url",
			     text_or_null(p->url), "down_since", api_time(p->down_since_us),
			     "message", text_or_null(p->message)));
	return ret;
}

void api_get_site(struct http_req *req)
{
	struct api *api = api_of(req);
	const struct api_opts *c = &api->opts;
	const struct spawn_hello *hello = spawners_hello(api->spawners);
	const char *statement =
	    hello != NULL ? hello->statement : "The service that runs servers is not connected.";
	json_t *site = json_pack("{s:s, s:o, s:s, s:o, s:b, s:s, s:s}", "name", c->name, "accent",
	    text_or_null(c->accent), "version", CYGNET_VERSION, "providers", providers(api->signin),
	    "development", (int)signin_is_development(api->signin), "isolation",
	    spawner_isolation_name(hello), "isolation_message", statement);

	(void)json_object_set_new(site, "status_url", text_or_null(c->status_url));
	(void)json_object_set_new(site, "help_url", text_or_null(c->help_url));
	(void)json_object_set_new(site, "privacy_url", text_or_null(c->privacy_url));
	reply_json(req, 200, site);
}

/* ---- the form ---- */

static json_t *list(const struct profile_list *items)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < items->n; i++)
		(void)json_array_append_new(ret, json_string(items->items[i]));
	return ret;
}

static void add_availability(
    json_t *to, const struct policy_person *who, const struct profile_list *groups)
{
	bool available = policy_is_in(who, groups);
	char reason[160] = "";

	if (!available)
		policy_reason(groups, reason, sizeof(reason));
	(void)json_object_set_new(to, "available", json_boolean(available));
	(void)json_object_set_new(to, "reason", text_or_null(reason));
}

static json_t *stacks(
    const struct profiles *p, const struct profile *f, const struct policy_person *who)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < f->stacks.n; i++) {
		const struct profile_stack *s = profiles_find_stack(p, f->stacks.items[i]);
		json_t *one =
		    json_pack("{s:s, s:s, s:o, s:o, s:o, s:b}", "id", s->id, "label", s->label,
			"description", text_or_null(s->description), "kernels", list(&s->kernels),
			"spark", text_or_null(s->spark), "recommended", (int)s->recommended);
		(void)json_object_set_new(one, "platform", text_or_null(s->platform));
		add_availability(one, who, &s->groups);
		if (s->unavailable != NULL && policy_is_in(who, &s->groups)) {
			(void)json_object_set_new(one, "available", json_false());
			(void)json_object_set_new(one, "reason", json_string(s->unavailable));
		}
		(void)json_array_append_new(ret, one);
	}
	return ret;
}

static json_t *clusters(
    const struct profiles *p, const struct profile *f, const struct policy_person *who)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < f->clusters.n; i++) {
		const struct profile_cluster *c = profiles_find_cluster(p, f->clusters.items[i]);
		json_t *facts = json_array();
		for (size_t k = 0; k < c->n_facts; k++)
			(void)json_array_append_new(
			    facts, json_pack("{s:s, s:s}", "label", c->facts[k].name, "value",
				       c->facts[k].value));
		bool is_usual = f->usual_cluster != NULL && strcmp(f->usual_cluster, c->id) == 0;
		json_t *one = json_pack("{s:s, s:s, s:o, s:b, s:o}", "id", c->id, "label", c->label,
		    "description", text_or_null(c->description), "default", (int)is_usual, "facts",
		    facts);
		add_availability(one, who, &c->groups);
		(void)json_array_append_new(ret, one);
	}
	return ret;
}

static json_t *amounts(const struct profile_amounts *a)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < a->n; i++)
		(void)json_array_append_new(
		    ret, json_pack("{s:I, s:b}", "value", (json_int_t)a->values[i], "default",
			     (int)(a->values[i] == a->usual)));
	return ret;
}

static json_t *profile(
    const struct profiles *p, const struct profile *f, const struct policy_person *who)
{
	json_t *one = json_pack("{s:s, s:s, s:o, s:b, s:o, s:o, s:o, s:o, s:b, s:b}", "id", f->id,
	    "label", f->label, "description", text_or_null(f->description), "default",
	    (int)(f == policy_default(who, p)), "stacks", stacks(p, f, who), "cores",
	    amounts(&f->cores), "memory_mb", amounts(&f->memory_mb), "clusters",
	    clusters(p, f, who), "user_script", (int)f->user_script, "home_packages",
	    (int)f->home_packages);

	add_availability(one, who, &f->groups);
	return one;
}

static void add_last(struct api *api, const struct policy_person *who, json_t *form)
{
	cyg_autofree char *text = store_choice_find(api->store, who->user);
	json_t *last = text != NULL ? json_loads(text, 0, NULL) : NULL;
	char line[CHOICE_LINE_SIZE] = "";
	const char *field = NULL;
	struct choice c;

	/* A choice that is no longer offered is left out. */
	if (last == NULL || choice_read(last, api->offer->profiles, &c, &field, NULL) < 0 ||
	    policy_check(who, api->offer->profiles, &c, &field, NULL) < 0) {
		json_decref(last);
		last = json_null();
	} else {
		choice_line(&c, api->offer->profiles, line);
	}
	(void)json_object_set_new(form, "last", last);
	(void)json_object_set_new(form, "last_line", text_or_null(line));
}

void api_get_form(struct http_req *req)
{
	struct api *api = api_of(req);
	const struct person *person = auth_about(req);
	struct policy_person who = { .user = person->name, .groups = person->groups };
	json_t *all = json_array();

	for (size_t i = 0; i < api->offer->profiles->n_profiles; i++)
		(void)json_array_append_new(
		    all, profile(api->offer->profiles, &api->offer->profiles->profiles[i], &who));
	json_t *form = json_pack("{s:o}", "profiles", all);
	add_last(api, &who, form);
	reply_json(req, 200, form);
}

void api_dismiss_end(struct http_req *req)
{
	store_end_dismiss(api_of(req)->store, auth_about(req)->name);
	reply_committed(api_of(req)->store, req, 204, NULL);
}

/* Expands roles and tokens to scopes, and decides whether a principal may do what an endpoint
 * demands. JupyterHub: scopes.py, get_scopes_for and needs_scope. */
#include "hub/access/principal.h"

#include <string.h>

void principal_init(struct principal *p, enum principal_kind kind, const struct scope_owner *owner,
    const struct scope_members *members, struct cyg_arena *arena)
{
	*p = (struct principal){ .kind = kind };
	if (owner != NULL)
		p->owner = *owner;
	if (members != NULL)
		p->members = *members;
	scope_set_init(&p->scopes, arena);
}

static int add_texts(struct scope_set *set, const struct scope_texts *texts,
    const struct scope_owner *owner, struct cyg_err *err)
{
	for (size_t i = 0; i < texts->n; i++) {
		if (scope_set_add_text(set, cyg_str_of(texts->items[i]), owner, err) < 0)
			return -(int)err->code;
	}
	return 0;
}

int principal_add(struct principal *p, const struct scope_texts *scopes, struct cyg_err *err)
{
	struct cyg_err own;

	return add_texts(&p->scopes, scopes, &p->owner, err != NULL ? err : &own);
}

static bool inherits(const struct scope_texts *texts)
{
	for (size_t i = 0; i < texts->n; i++) {
		if (strcmp(texts->items[i], scope_name(SCOPE_INHERIT)) == 0)
			return true;
	}
	return false;
}

/* Every token may tell whose it is, and reach what it was made for. */
static int add_basics(struct scope_set *set, const struct scope_owner *owner,
    const struct scope_owner *client, struct cyg_err *err)
{
	struct scope_target user = { SCOPE_USER, owner->user };
	struct scope_target own = { SCOPE_SERVICE, owner->service };
	struct scope_target server = { SCOPE_SERVER, client->server };
	struct scope_target service = { SCOPE_SERVICE, client->service };
	scope_bits told = SCOPE_BIT(SCOPE_READ_USERS_NAME) | SCOPE_BIT(SCOPE_READ_USERS_GROUPS);
	int code = 0;

	if (owner->user.len > 0)
		code = scope_set_add_bits(set, told, &user, err);
	else if (owner->service.len > 0)
		code = scope_set_add_bits(set, SCOPE_BIT(SCOPE_READ_SERVICES_NAME), &own, err);
	if (code == 0 && server.name.len > 0)
		return scope_set_add_bits(set, SCOPE_BIT(SCOPE_ACCESS_SERVERS), &server, err);
	if (code == 0 && service.name.len > 0)
		return scope_set_add_bits(set, SCOPE_BIT(SCOPE_ACCESS_SERVICES), &service, err);
	return code;
}

int principal_narrow(struct principal *p, const struct scope_texts *scopes,
    const struct scope_owner *client, struct cyg_err *err)
{
	static const struct scope_owner none = { .user = { "", 0 } };
	struct scope_owner owner = p->owner;
	struct scope_set token, both;
	struct cyg_err own;

	if (err == NULL)
		err = &own;
	if (inherits(scopes))
		return 0;
	if (client == NULL)
		client = &none;
	owner.server = client->server;
	if (client->service.len > 0)
		owner.service = client->service;
	scope_set_init(&token, p->scopes.arena);
	scope_set_init(&both, p->scopes.arena);
	if (add_texts(&token, scopes, &owner, err) < 0 ||
	    add_basics(&token, &p->owner, client, err) < 0 ||
	    scope_set_intersect(&both, &token, &p->scopes, &p->members, err) < 0)
		return -(int)err->code;
	p->scopes = both;
	return 0;
}

/* The first scope of part that set lacks, for the message. */
struct excess {
	const struct scope_set *set;
	const char *first;
};

static void on_scope(void *arg, const char *text)
{
	struct excess *e = arg;
	struct scope s;
	struct scope_set one;

	scope_set_init(&one, e->set->arena);
	if (e->first != NULL || scope_parse(cyg_str_of(text), &s, NULL) < 0 ||
	    scope_set_add_bits(&one, SCOPE_BIT(s.id), &s.target, NULL) < 0 ||
	    scope_set_has(e->set, &one))
		return;
	e->first = text;
}

/* The scopes asked for, compared with what p holds. */
static int check_held(const struct principal *p, const struct scope_set *asked, struct cyg_err *err)
{
	bool is_user = p->owner.user.len > 0;
	struct cyg_str name = is_user ? p->owner.user : p->owner.service;
	struct scope_set both;

	scope_set_init(&both, p->scopes.arena);
	if (scope_set_intersect(&both, asked, &p->scopes, &p->members, err) < 0)
		return -(int)err->code;
	if (scope_set_has(&both, asked))
		return 0;
	struct excess excess = { .set = &both };
	scope_set_each(asked, on_scope, &excess);
	return cyg_fail(err, CYG_EINVAL, "Not assigning requested scopes %s not held by %s %.*s",
	    excess.first != NULL ? excess.first : "", is_user ? "User" : "Service",
	    CYG_STR_ARGS(name));
}

int principal_may_grant(const struct principal *maker, const struct principal *owner,
    const struct scope_texts *scopes, struct cyg_err *err)
{
	struct scope_set asked;
	struct cyg_err own;

	if (err == NULL)
		err = &own;
	scope_set_init(&asked, owner->scopes.arena);
	for (size_t i = 0; i < scopes->n; i++) {
		struct cyg_str text = cyg_str_of(scopes->items[i]);
		if (!cyg_str_eq(text, scope_name(SCOPE_INHERIT)) &&
		    scope_set_add_text(&asked, text, &owner->owner, err) < 0)
			return -(int)err->code;
	}
	if (check_held(owner, &asked, err) < 0)
		return -(int)err->code;
	return check_held(maker, inherits(scopes) ? &owner->scopes : &asked, err);
}

enum scope_verdict scope_allows(
    const struct principal *p, scope_bits any, const struct scope_target *target)
{
	bool held = false;

	for (; any != 0; any &= any - 1) {
		enum scope_id id = scope_first(any);
		if (scope_set_allows(&p->scopes, id, target, &p->members))
			return SCOPE_ALLOWED;
		held = held || scope_set_holds(&p->scopes, id);
	}
	return held && target->kind != SCOPE_ALL ? SCOPE_HIDDEN : SCOPE_LACKING;
}

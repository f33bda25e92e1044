/* Expands the roles of users and services to the scopes that they hold. After a failure they hold
 * less, never more. */
#include "hub/access/holdings.h"

#include "base/mem.h"
#include "hub/access/role.h"
#include "hub/access/roles.h"

#include <string.h>

static bool is_member(const void *arg, struct cyg_str user, struct cyg_str group)
{
	const struct person *p = people_find(arg, user);

	return p != NULL && person_is_in(p, group);
}

static void begin(const struct access *access, enum principal_kind kind,
    const struct scope_owner *owner, struct cyg_arena *arena, struct principal *ret)
{
	const struct scope_members members = { is_member, access };

	principal_init(ret, kind, owner, &members, arena);
}

void holdings_nobody(const struct access *access, struct cyg_arena *arena, struct principal *ret)
{
	begin(access, PRINCIPAL_NOBODY, NULL, arena, ret);
}

static struct scope_texts default_role(const char *name)
{
	const struct role *role = role_find_default(cyg_str_of(name));
	struct scope_texts texts = { .items = role->scopes };

	while (role->scopes[texts.n] != NULL)
		texts.n++;
	return texts;
}

static void add_role(struct principal *p, const char *name)
{
	struct scope_texts texts = default_role(name);

	(void)principal_add(p, &texts, NULL);
}

struct scope_texts holdings_texts(const json_t *scopes, struct cyg_arena *arena)
{
	size_t n = json_array_size(scopes), i;
	const char **items = cyg_arena_alloc(arena, (n + 1) * sizeof(*items));
	struct scope_texts ret = { .items = items };
	json_t *one;

	json_array_foreach (scopes, i, one) {
		if (json_is_string(one))
			items[ret.n++] = json_string_value(one);
	}
	return ret;
}

/* The site's roles of a holder. */
static void add_roles(
    const struct access *access, enum role_holder kind, struct cyg_str name, struct principal *p)
{
	const json_t *names = roles_of(access, kind, name);
	size_t i;
	json_t *one;

	json_array_foreach (names, i, one) {
		struct cyg_str role = cyg_str_of(json_string_value(one));
		struct scope_texts texts =
		    holdings_texts(role_scopes(access, role), p->scopes.arena);
		(void)principal_add(p, &texts, NULL);
	}
}

static void add_roles_of_groups(
    const struct access *access, const struct person *person, struct principal *p)
{
	size_t i;
	json_t *one;

	json_array_foreach (person->groups, i, one) {
		if (json_is_string(one))
			add_roles(access, ROLE_OF_GROUP, cyg_str_of(json_string_value(one)), p);
	}
}

void holdings_of_user(const struct access *access, const struct person *person,
    struct cyg_arena *arena, struct principal *ret)
{
	const struct scope_owner owner = { .user = cyg_str_of(person->name) };

	begin(access, PRINCIPAL_USER, &owner, arena, ret);
	add_role(ret, "user");
	if (person->admin)
		add_role(ret, "admin");
	add_roles(access, ROLE_OF_USER, owner.user, ret);
	add_roles_of_groups(access, person, ret);
}

void holdings_of_service(const struct access *access, const struct service *service,
    struct cyg_arena *arena, struct principal *ret)
{
	const struct scope_owner owner = { .service = cyg_str_of(service->name) };

	begin(access, PRINCIPAL_SERVICE, &owner, arena, ret);
	if (service->admin)
		add_role(ret, "admin");
	add_roles(access, ROLE_OF_SERVICE, owner.service, ret);
}

static void narrow(
    struct principal *p, const struct scope_texts *scopes, const struct scope_owner *client)
{
	if (principal_narrow(p, scopes, client, NULL) < 0)
		scope_set_init(&p->scopes, p->scopes.arena);
}

void holdings_of_token(const struct access *access, const struct token *token,
    struct cyg_arena *arena, struct principal *ret)
{
	struct scope_texts scopes = holdings_texts(token->scopes, arena);

	if (token->person != NULL)
		holdings_of_user(access, token->person, arena, ret);
	else
		holdings_of_service(access, token->service, arena, ret);
	narrow(ret, &scopes, NULL);
}

bool holdings_open_servers(const struct access *access, const struct token *token)
{
	struct cyg_arena arena;
	struct principal p;
	bool opens;

	if (token->person == NULL)
		return false;
	const struct scope_target own = { SCOPE_USER, cyg_str_of(token->person->name) };
	cyg_arena_init(&arena);
	holdings_of_token(access, token, &arena, &p);
	opens = scope_allows(&p, SCOPE_BIT(SCOPE_ACCESS_SERVERS), &own) == SCOPE_ALLOWED;
	cyg_arena_free(&arena);
	return opens;
}

void holdings_of_server(const struct access *access, const struct person *person, const char *full,
    struct cyg_arena *arena, struct principal *ret)
{
	const struct scope_owner client = { .server = cyg_str_of(full) };
	struct scope_texts scopes = default_role("server");

	holdings_of_user(access, person, arena, ret);
	ret->kind = PRINCIPAL_SERVER;
	narrow(ret, &scopes, &client);
}

void holdings_of_administrator(
    const struct access *access, struct cyg_arena *arena, struct principal *ret)
{
	const struct scope_owner owner = { .service = CYG_STR("administrator") };

	begin(access, PRINCIPAL_ADMINISTRATOR, &owner, arena, ret);
	add_role(ret, "admin");
}

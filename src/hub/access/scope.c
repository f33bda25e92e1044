/* The table of scopes: JupyterHub's 6.1, which 5's are a part of. Sorted by name, as scope_find
 * needs it. Next: scope_set.c. */
#include "hub/access/scope.h"

#include "base/mem.h"

#include <string.h>

#define BIT(name) SCOPE_BIT(SCOPE_##name)

/* A scope and all that is in it, at any depth: known when this is compiled, because every request
 * asks. */
#define ALL_GROUPS_SHARES  (BIT(GROUPS_SHARES) | BIT(READ_GROUPS_SHARES))
#define ALL_LIST_GROUPS    (BIT(LIST_GROUPS) | BIT(READ_GROUPS_NAME))
#define ALL_LIST_SERVICES  (BIT(LIST_SERVICES) | BIT(READ_SERVICES_NAME))
#define ALL_LIST_USERS     (BIT(LIST_USERS) | BIT(READ_USERS_NAME))
#define ALL_READ_GROUPS    (BIT(READ_GROUPS) | BIT(READ_GROUPS_NAME))
#define ALL_READ_SERVERS   (BIT(READ_SERVERS) | BIT(READ_USERS_NAME))
#define ALL_READ_SERVICES  (BIT(READ_SERVICES) | BIT(READ_SERVICES_NAME))
#define ALL_TOKENS         (BIT(TOKENS) | BIT(READ_TOKENS))
#define ALL_USERS_ACTIVITY (BIT(USERS_ACTIVITY) | BIT(READ_USERS_ACTIVITY))
#define ALL_USERS_SHARES   (BIT(USERS_SHARES) | BIT(READ_USERS_SHARES))
#define ALL_READ_ROLES                                                                             \
	(BIT(READ_ROLES) | BIT(READ_ROLES_USERS) | BIT(READ_ROLES_SERVICES) |                      \
	    BIT(READ_ROLES_GROUPS))
#define ALL_READ_USERS                                                                             \
	(BIT(READ_USERS) | BIT(READ_USERS_NAME) | BIT(READ_USERS_GROUPS) | BIT(READ_USERS_ACTIVITY))
#define ALL_GROUPS  (BIT(GROUPS) | ALL_READ_GROUPS | ALL_LIST_GROUPS)
#define ALL_SERVERS (BIT(SERVERS) | ALL_READ_SERVERS | BIT(START_SERVERS) | BIT(DELETE_SERVERS))
#define ALL_SHARES                                                                                 \
	(BIT(SHARES) | BIT(ACCESS_SERVERS) | BIT(READ_SHARES) | ALL_USERS_SHARES |                 \
	    ALL_GROUPS_SHARES)
#define ALL_USERS (BIT(USERS) | ALL_READ_USERS | ALL_LIST_USERS | ALL_USERS_ACTIVITY)
#define ALL_ADMIN_GROUPS                                                                           \
	(BIT(ADMIN_GROUPS) | ALL_GROUPS | BIT(READ_ROLES_GROUPS) | BIT(DELETE_GROUPS))
#define ALL_ADMIN_SERVERS (BIT(ADMIN_SERVERS) | BIT(ADMIN_SERVER_STATE) | ALL_SERVERS)
#define ALL_ADMIN_SERVICES                                                                         \
	(BIT(ADMIN_SERVICES) | ALL_LIST_SERVICES | ALL_READ_SERVICES | BIT(READ_ROLES_SERVICES))
#define ALL_ADMIN_USERS                                                                            \
	(BIT(ADMIN_USERS) | BIT(ADMIN_AUTH_STATE) | ALL_USERS | BIT(READ_ROLES_USERS) |            \
	    BIT(DELETE_USERS))

_Static_assert(SCOPE_N <= 64, "a scope is one bit");

static const struct {
	const char *name;
	scope_bits all; /* it is one of them itself; 0: it alone */
} scopes[SCOPE_N] = {
	[SCOPE_NO_SCOPE] = { "(no_scope)", 0 },
	[SCOPE_ACCESS_SERVERS] = { "access:servers", 0 },
	[SCOPE_ACCESS_SERVICES] = { "access:services", 0 },
	[SCOPE_ADMIN_UI] = { "admin-ui", 0 },
	[SCOPE_ADMIN_AUTH_STATE] = { "admin:auth_state", 0 },
	[SCOPE_ADMIN_GROUPS] = { "admin:groups", ALL_ADMIN_GROUPS },
	[SCOPE_ADMIN_SERVER_STATE] = { "admin:server_state", 0 },
	[SCOPE_ADMIN_SERVERS] = { "admin:servers", ALL_ADMIN_SERVERS },
	[SCOPE_ADMIN_SERVICES] = { "admin:services", ALL_ADMIN_SERVICES },
	[SCOPE_ADMIN_USERS] = { "admin:users", ALL_ADMIN_USERS },
	[SCOPE_DELETE_GROUPS] = { "delete:groups", 0 },
	[SCOPE_DELETE_SERVERS] = { "delete:servers", 0 },
	[SCOPE_DELETE_USERS] = { "delete:users", 0 },
	[SCOPE_GROUPS] = { "groups", ALL_GROUPS },
	[SCOPE_GROUPS_SHARES] = { "groups:shares", ALL_GROUPS_SHARES },
	[SCOPE_INHERIT] = { "inherit", 0 },
	[SCOPE_LIST_GROUPS] = { "list:groups", ALL_LIST_GROUPS },
	[SCOPE_LIST_SERVICES] = { "list:services", ALL_LIST_SERVICES },
	[SCOPE_LIST_USERS] = { "list:users", ALL_LIST_USERS },
	[SCOPE_PROXY] = { "proxy", 0 },
	[SCOPE_READ_GROUPS] = { "read:groups", ALL_READ_GROUPS },
	[SCOPE_READ_GROUPS_NAME] = { "read:groups:name", 0 },
	[SCOPE_READ_GROUPS_SHARES] = { "read:groups:shares", 0 },
	[SCOPE_READ_HUB] = { "read:hub", 0 },
	[SCOPE_READ_METRICS] = { "read:metrics", 0 },
	[SCOPE_READ_ROLES] = { "read:roles", ALL_READ_ROLES },
	[SCOPE_READ_ROLES_GROUPS] = { "read:roles:groups", 0 },
	[SCOPE_READ_ROLES_SERVICES] = { "read:roles:services", 0 },
	[SCOPE_READ_ROLES_USERS] = { "read:roles:users", 0 },
	[SCOPE_READ_SERVERS] = { "read:servers", ALL_READ_SERVERS },
	[SCOPE_READ_SERVICES] = { "read:services", ALL_READ_SERVICES },
	[SCOPE_READ_SERVICES_NAME] = { "read:services:name", 0 },
	[SCOPE_READ_SHARES] = { "read:shares", 0 },
	[SCOPE_READ_TOKENS] = { "read:tokens", 0 },
	[SCOPE_READ_USERS] = { "read:users", ALL_READ_USERS },
	[SCOPE_READ_USERS_ACTIVITY] = { "read:users:activity", 0 },
	[SCOPE_READ_USERS_GROUPS] = { "read:users:groups", 0 },
	[SCOPE_READ_USERS_NAME] = { "read:users:name", 0 },
	[SCOPE_READ_USERS_SHARES] = { "read:users:shares", 0 },
	[SCOPE_SELF] = { "self", 0 },
	[SCOPE_SERVERS] = { "servers", ALL_SERVERS },
	[SCOPE_SHARES] = { "shares", ALL_SHARES },
	[SCOPE_SHUTDOWN] = { "shutdown", 0 },
	[SCOPE_START_SERVERS] = { "start:servers", 0 },
	[SCOPE_TOKENS] = { "tokens", ALL_TOKENS },
	[SCOPE_USERS] = { "users", ALL_USERS },
	[SCOPE_USERS_ACTIVITY] = { "users:activity", ALL_USERS_ACTIVITY },
	[SCOPE_USERS_SHARES] = { "users:shares", ALL_USERS_SHARES },
};

static const struct {
	const char *name;
	enum scope_kind kind;
	bool own; /* may stand alone: the holder's own */
} filters[] = {
	{ "user", SCOPE_USER, true },
	{ "server", SCOPE_SERVER, true },
	{ "group", SCOPE_GROUP, false },
	{ "service", SCOPE_SERVICE, true },
};

const char *scope_name(enum scope_id id)
{
	return scopes[id].name;
}

bool scope_find(struct cyg_str name, enum scope_id *ret)
{
	size_t low = 0, high = CYG_N(scopes);

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const char *other = scopes[mid].name;
		size_t len = strlen(other);
		int cmp = memcmp(name.p, other, name.len < len ? name.len : len);
		if (cmp == 0 && name.len == len) {
			*ret = (enum scope_id)mid;
			return true;
		}
		if (cmp < 0 || (cmp == 0 && name.len < len))
			high = mid;
		else
			low = mid + 1;
	}
	return false;
}

scope_bits scope_with_contained(enum scope_id id)
{
	return SCOPE_BIT(id) | scopes[id].all;
}

/* NOLINTBEGIN(misc-redundant-expression): the groups overlap */
scope_bits scope_self(void)
{
	return ALL_READ_USERS | ALL_USERS_SHARES | BIT(READ_SHARES) | ALL_USERS_ACTIVITY |
	       ALL_SERVERS | ALL_TOKENS | BIT(ACCESS_SERVERS);
}
/* NOLINTEND(misc-redundant-expression) */

scope_bits scope_about_servers(void)
{
	return BIT(ADMIN_SERVERS) | BIT(ADMIN_SERVER_STATE) | BIT(SERVERS) | BIT(READ_SERVERS) |
	       BIT(START_SERVERS) | BIT(DELETE_SERVERS) | BIT(ACCESS_SERVERS);
}

scope_bits scope_of_servers(scope_bits bits)
{
	return bits & ~(BIT(READ_USERS) | BIT(READ_USERS_ACTIVITY) | BIT(READ_USERS_GROUPS) |
			  BIT(READ_USERS_NAME) | BIT(READ_USERS_SHARES));
}

struct cyg_str scope_server_user(struct cyg_str server)
{
	return cyg_str_sub(server, 0, cyg_str_chr(server, '/'));
}

/* ---- reading ---- */

static int parse_filter(struct cyg_str text, struct scope *s, struct cyg_err *err)
{
	size_t at = cyg_str_chr(text, '=');
	bool has_name = at < text.len;
	struct cyg_str kind = cyg_str_sub(text, 0, at);

	for (size_t i = 0; i < CYG_N(filters); i++) {
		if (!cyg_str_eq(kind, filters[i].name))
			continue;
		s->target.kind = filters[i].kind;
		s->own = !has_name;
		if (has_name)
			s->target.name = cyg_str_skip(text, at + 1);
		return has_name || filters[i].own
			   ? 0
			   : cyg_fail(err, CYG_EINVAL, "the filter !group needs a name");
	}
	return cyg_fail(err, CYG_EINVAL, "there is no filter !%.*s",
	    (int)(kind.len < 32 ? kind.len : 32), kind.p);
}

static int check_name(const struct scope_target *t, struct cyg_err *err)
{
	if (t->name.len == 0 || t->name.len >= SCOPE_NAME_MAX || !cyg_str_is_text(t->name))
		return cyg_fail(
		    err, CYG_EINVAL, "the name in a scope's filter is empty or too long");
	if (t->kind == SCOPE_SERVER &&
	    (cyg_str_chr(t->name, '/') == 0 || cyg_str_chr(t->name, '/') == t->name.len))
		return cyg_fail(err, CYG_EINVAL, "the filter !server needs USER/SERVER");
	return 0;
}

static int parse(struct cyg_str text, struct scope *s, struct cyg_err *err)
{
	size_t at = cyg_str_chr(text, '!');

	if (!scope_find(cyg_str_sub(text, 0, at), &s->id))
		return cyg_fail(err, CYG_EINVAL, "Scope '%.*s' does not exist", CYG_STR_ARGS(text));
	if (at < text.len && parse_filter(cyg_str_skip(text, at + 1), s, err) < 0)
		return -CYG_EINVAL;
	return s->target.kind == SCOPE_ALL || s->own ? 0 : check_name(&s->target, err);
}

int scope_parse(struct cyg_str text, struct scope *ret, struct cyg_err *err)
{
	struct scope s = { .own = false };

	if (text.len >= SCOPE_TEXT_MAX || !cyg_str_is_text(text))
		return cyg_fail(err, CYG_EINVAL, "a scope is too long or not text");
	if (parse(text, &s, err) < 0)
		return -CYG_EINVAL;
	*ret = s;
	return 0;
}

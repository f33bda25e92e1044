/* The site's roles by name, and the list of roles of each holder. */
#include "hub/access/roles.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "hub/access/role.h"
#include "hub/access/scope.h"
#include "store/undo.h"

#include <stdio.h>
#include <string.h>

enum { KEY_MAX = 16 + SCOPE_NAME_MAX };

struct roles {
	struct cyg_hash *scopes; /* role → array of texts */
	struct cyg_hash *held;   /* "KIND\nNAME" → array of names of roles */
};

static const char *const kinds[] = {
	[ROLE_OF_USER] = "user",
	[ROLE_OF_GROUP] = "group",
	[ROLE_OF_SERVICE] = "service",
};

static void array_free(void *value)
{
	json_decref(value);
}

/* Names are shorter than KEY_MAX by far; one that is not holds nothing. */
static struct cyg_str key_of(const char *kind, struct cyg_str name, char out[KEY_MAX])
{
	int len = snprintf(out, KEY_MAX, "%s\n%.*s", kind, CYG_STR_ARGS(name));

	return (struct cyg_str){ out, len > 0 && len < KEY_MAX ? (size_t)len : 0 };
}

/* ---- rows ---- */

static void on_role(void *arg, const void *found)
{
	const struct store_role *row = found;
	struct roles *roles = arg;
	json_t *scopes = json_loads(row->scopes, 0, NULL);

	/* A row that cannot be read allows nothing. */
	if (!json_is_array(scopes)) {
		json_decref(scopes);
		scopes = json_array();
	}
	array_free(cyg_hash_set(roles->scopes, cyg_str_of(row->name), scopes));
}

/* As a row says: for the start. */
static void add_held(struct roles *roles, const char *kind, const char *name, const char *role)
{
	char text[KEY_MAX];
	struct cyg_str key = key_of(kind, cyg_str_of(name), text);
	json_t *list = cyg_hash_find(roles->held, key);

	if (list == NULL) {
		list = json_array();
		(void)cyg_hash_set(roles->held, key, list);
	}
	(void)json_array_append_new(list, json_string(role));
}

static void on_holder(void *arg, const void *found)
{
	const struct store_holder *row = found;

	add_held(arg, row->kind, row->name, row->role);
}

int roles_load(struct access *access, struct cyg_err *err)
{
	access->roles = cyg_xcalloc(1, sizeof(*access->roles));
	access->roles->scopes = cyg_hash_new();
	access->roles->held = cyg_hash_new();
	if (store_read(access->opts.store, &store_roles, on_role, access->roles, err) < 0)
		return -(int)err->code;
	return store_read(access->opts.store, &store_holders, on_holder, access->roles, err);
}

void roles_free(struct roles *roles)
{
	if (roles == NULL)
		return;
	cyg_hash_free(roles->scopes, array_free);
	cyg_hash_free(roles->held, array_free);
	free(roles);
}

/* ---- roles ---- */

static int check_scopes(const json_t *scopes, struct cyg_err *err)
{
	struct scope scope;
	size_t i;
	json_t *one;

	if (!json_is_array(scopes) || json_array_size(scopes) > ROLE_SCOPES_MAX)
		return cyg_fail(
		    err, CYG_EINVAL, "A role has a list of at most %d scopes.", ROLE_SCOPES_MAX);
	json_array_foreach (scopes, i, one) {
		if (!json_is_string(one))
			return cyg_fail(err, CYG_EINVAL, "A role's scopes are texts.");
		if (scope_parse(cyg_str_of(json_string_value(one)), &scope, err) < 0)
			return -CYG_EINVAL;
	}
	return 0;
}

int role_put(struct access *access, const char *name, const char *description, const json_t *scopes,
    struct cyg_err *err)
{
	if (role_name_check(cyg_str_of(name), err) < 0 || check_scopes(scopes, err) < 0)
		return -CYG_EINVAL;
	if (role_find_default(cyg_str_of(name)) != NULL)
		return cyg_fail(err, CYG_EINVAL, "The role %s is a default one.", name);
	cyg_autofree char *text = json_dumps(scopes, JSON_COMPACT);
	const struct store_role row = { name, description, text };
	store_put(access->opts.store, &store_roles, &row);
	store_hash_set(access->opts.store, access->roles->scopes, cyg_str_of(name),
	    json_deep_copy(scopes), array_free);
	return 0;
}

static size_t index_of(const json_t *list, const char *role)
{
	size_t i;
	json_t *one;

	json_array_foreach (list, i, one) {
		if (strcmp(json_string_value(one), role) == 0)
			break;
	}
	return i;
}

static json_t *without(const json_t *list, const char *role)
{
	json_t *ret = json_array();
	size_t i;
	json_t *one;

	json_array_foreach (list, i, one) {
		if (strcmp(json_string_value(one), role) != 0)
			(void)json_array_append(ret, one);
	}
	return ret;
}

/* A holder's roles become the list, which is taken; an empty one is not kept. The old list comes
 * back with a turn that cannot be written, so it is never changed itself. */
static void set_held(struct access *access, struct cyg_str key, json_t *list)
{
	if (json_array_size(list) > 0) {
		store_hash_set(access->opts.store, access->roles->held, key, list, array_free);
		return;
	}
	array_free(list);
	store_hash_remove(access->opts.store, access->roles->held, key, array_free);
}

/* Keys of those who have it: what is changed meanwhile is not walked through. */
static json_t *holders_of(const struct roles *roles, const char *role)
{
	json_t *ret = json_array();
	struct cyg_str key;
	void *list;
	size_t pos = 0;

	while (cyg_hash_next(roles->held, &pos, &key, &list)) {
		if (index_of(list, role) < json_array_size(list))
			(void)json_array_append_new(ret, json_stringn(key.p, key.len));
	}
	return ret;
}

void role_remove(struct access *access, const char *name)
{
	cyg_autofree char *own = cyg_xstrdup(name);
	json_t *holders = holders_of(access->roles, own);
	size_t i;
	json_t *one;

	store_remove(access->opts.store, &store_roles, &(struct store_role){ .name = own });
	store_hash_remove(access->opts.store, access->roles->scopes, cyg_str_of(own), array_free);
	json_array_foreach (holders, i, one) {
		struct cyg_str key = cyg_str_of(json_string_value(one));
		set_held(access, key, without(cyg_hash_find(access->roles->held, key), own));
	}
	json_decref(holders);
}

const json_t *role_scopes(const struct access *access, struct cyg_str name)
{
	return cyg_hash_find(access->roles->scopes, name);
}

/* ---- holders ---- */

const json_t *roles_of(const struct access *access, enum role_holder kind, struct cyg_str name)
{
	char key[KEY_MAX];

	return cyg_hash_find(access->roles->held, key_of(kinds[kind], name, key));
}

int role_grant(struct access *access, const char *role, enum role_holder kind, const char *name,
    struct cyg_err *err)
{
	const json_t *list = roles_of(access, kind, cyg_str_of(name));
	char text[KEY_MAX];

	if (role_scopes(access, cyg_str_of(role)) == NULL)
		return cyg_fail(err, CYG_ENOENT, "No such role: %s", role);
	if (list != NULL && index_of(list, role) < json_array_size(list))
		return 0;
	if (json_array_size(list) >= ROLES_OF_HOLDER)
		return cyg_fail(err, CYG_ELIMIT, "%s has %d roles already.", name, ROLES_OF_HOLDER);
	const struct store_holder row = { role, kinds[kind], name, cyg_clock_wall_us() };
	(void)store_add(access->opts.store, &store_holders, &row);
	json_t *more = without(list, role);
	(void)json_array_append_new(more, json_string(role));
	set_held(access, key_of(kinds[kind], cyg_str_of(name), text), more);
	return 0;
}

void role_revoke(struct access *access, const char *role, enum role_holder kind, const char *name)
{
	char text[KEY_MAX];
	struct cyg_str key = key_of(kinds[kind], cyg_str_of(name), text);
	const json_t *list = cyg_hash_find(access->roles->held, key);
	const struct store_holder row = { .role = role, .kind = kinds[kind], .name = name };

	if (list == NULL)
		return;
	store_remove(access->opts.store, &store_holders, &row);
	set_held(access, key, without(list, role));
}

void roles_follow(struct access *access, enum role_holder kind, const char *name, const char *now)
{
	char text[KEY_MAX];
	struct cyg_str key = key_of(kinds[kind], cyg_str_of(name), text);
	json_t *list = json_incref(cyg_hash_find(access->roles->held, key));

	store_hash_remove(access->opts.store, access->roles->held, key, array_free);
	if (list == NULL || now == NULL)
		array_free(list);
	else
		store_hash_set(access->opts.store, access->roles->held,
		    key_of(kinds[kind], cyg_str_of(now), text), list, array_free);
}

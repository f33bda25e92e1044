/* Groups in memory, each with a row, and the rows of their members. A user has the list of their
 * groups; a group has only the number of its members. */
#include "hub/access/group.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "hub/access/roles.h"
#include "store/undo.h"

#include <string.h>

struct groups {
	struct cyg_hash *by_name;
};

static void group_free(void *p)
{
	struct group *group = p;

	json_decref(group->properties);
	free(group);
}

static void free_json(void *value)
{
	json_decref(value);
}

static struct group *group_new(const char *name)
{
	struct group *group = cyg_xcalloc(1, sizeof(*group));

	(void)cyg_str_copy(group->name, sizeof(group->name), cyg_str_of(name));
	group->properties = json_object();
	return group;
}

static void on_group(void *arg, const void *found)
{
	const struct store_group *row = found;
	struct access *access = arg;
	struct group *group = group_new(row->name);
	json_t *properties = json_loads(row->properties, 0, NULL);

	(void)cyg_hash_set(access->groups->by_name, cyg_str_of(group->name), group);
	group->created_us = row->created_us;
	if (!json_is_object(properties)) {
		json_decref(properties);
		return;
	}
	json_decref(group->properties);
	group->properties = properties;
}

static void on_member(void *arg, const void *found)
{
	const struct store_member *row = found;
	struct group *group = groups_find(arg, cyg_str_of(row->of_group));
	struct person *person = people_find(arg, cyg_str_of(row->user));

	if (group == NULL || person == NULL)
		return;
	person_found_in(person, group->name);
	group->members++;
}

int groups_load(struct access *access, struct cyg_err *err)
{
	access->groups = cyg_xcalloc(1, sizeof(*access->groups));
	access->groups->by_name = cyg_hash_new();
	if (store_read(access->opts.store, &store_groups, on_group, access, err) < 0)
		return -(int)err->code;
	return store_read(access->opts.store, &store_members, on_member, access, err);
}

void groups_free(struct groups *groups)
{
	if (groups == NULL)
		return;
	cyg_hash_free(groups->by_name, group_free);
	free(groups);
}

struct group *groups_find(const struct access *access, struct cyg_str name)
{
	return cyg_hash_find(access->groups->by_name, name);
}

static void save(struct access *access, const struct group *group)
{
	cyg_autofree char *properties = json_dumps(group->properties, JSON_COMPACT);
	const struct store_group row = { group->name, properties, group->created_us };

	store_put(access->opts.store, &store_groups, &row);
}

int group_make(struct access *access, const char *name, struct group **ret, struct cyg_err *err)
{
	struct cyg_str text = cyg_str_of(name);

	if (text.len == 0 || text.len >= GROUP_NAME_MAX || !cyg_str_is_text(text))
		return cyg_fail(
		    err, CYG_EINVAL, "A group's name has 1 to %d characters.", GROUP_NAME_MAX - 1);
	if (groups_find(access, text) != NULL)
		return cyg_fail(err, CYG_EEXIST, "Group %s already exists", name);
	struct group *group = group_new(name);
	group->created_us = cyg_clock_wall_us();
	store_hash_set(access->opts.store, access->groups->by_name, cyg_str_of(group->name), group,
	    group_free);
	save(access, group);
	*ret = group;
	return 0;
}

int group_set_properties(
    struct access *access, struct group *group, const json_t *properties, struct cyg_err *err)
{
	cyg_autofree char *text =
	    json_is_object(properties) ? json_dumps(properties, JSON_COMPACT) : NULL;

	if (text == NULL)
		return cyg_fail(err, CYG_EINVAL, "Properties are a JSON object.");
	if (strlen(text) > GROUP_PROPERTIES_MAX)
		return cyg_fail(
		    err, CYG_ELIMIT, "Properties have at most %d bytes.", GROUP_PROPERTIES_MAX);
	store_replace(
	    access->opts.store, &group->properties, json_deep_copy(properties), free_json);
	save(access, group);
	return 0;
}

/* ---- members ---- */

static void keep_members(struct access *access, struct group *group)
{
	store_keep(access->opts.store, &group->members, sizeof(group->members));
}

void group_add(struct access *access, struct group *group, struct person *person)
{
	const struct store_member row = { group->name, person->name, cyg_clock_wall_us() };

	if (!person_put_in(access, person, group->name))
		return;
	keep_members(access, group);
	group->members++;
	(void)store_add(access->opts.store, &store_members, &row);
}

void group_drop(struct access *access, struct group *group, struct person *person)
{
	const struct store_member row = { .of_group = group->name, .user = person->name };

	if (!person_take_out(access, person, group->name))
		return;
	keep_members(access, group);
	group->members--;
	store_remove(access->opts.store, &store_members, &row);
}

void groups_forget(struct access *access, struct person *person)
{
	size_t i;
	json_t *one;

	json_array_foreach (person->by_hand, i, one) {
		struct group *group = groups_find(access, cyg_str_of(json_string_value(one)));
		if (group == NULL)
			continue;
		keep_members(access, group);
		group->members--;
	}
}

/* Groups are removed seldom, so every user is looked at. */
void group_remove(struct access *access, struct group *group)
{
	const struct person *person = NULL;
	size_t pos = 0;

	while (people_next(access, &pos, &person))
		(void)person_take_out(
		    access, people_find(access, cyg_str_of(person->name)), group->name);
	roles_follow(access, ROLE_OF_GROUP, group->name, NULL);
	store_remove(
	    access->opts.store, &store_groups, &(struct store_group){ .name = group->name });
	store_hash_remove(
	    access->opts.store, access->groups->by_name, cyg_str_of(group->name), group_free);
}

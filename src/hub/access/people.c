/* Users: loaded at start, made at the first sign-in. */
#include "hub/access/people.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "ipc/spawn_codec.h"

#include <string.h>

enum { ACTIVE_RESOLUTION_US = 30 * 1000 * 1000 };

struct people {
	struct cyg_hash *by_name;
};

static void person_free(void *p)
{
	struct person *person = p;

	json_decref(person->groups);
	free(person);
}

static struct person *add(struct people *people, const char *name)
{
	struct person *p = cyg_xcalloc(1, sizeof(*p));

	(void)cyg_str_copy(p->name, sizeof(p->name), cyg_str_of(name));
	p->groups = json_array();
	(void)cyg_hash_set(people->by_name, cyg_str_of(p->name), p);
	return p;
}

static void on_row(void *arg, const void *found)
{
	const struct store_user *row = found;
	struct person *p = add(arg, row->name);
	json_t *groups = json_loads(row->groups, 0, NULL);

	(void)cyg_str_copy(p->provider, sizeof(p->provider), cyg_str_of(row->provider));
	(void)cyg_str_copy(p->subject, sizeof(p->subject), cyg_str_of(row->subject));
	p->id = row->id;
	p->admin = row->admin;
	p->created_us = row->created_us;
	p->last_activity_us = row->last_activity_us;
	if (!json_is_array(groups)) {
		json_decref(groups);
		return;
	}
	json_decref(p->groups);
	p->groups = groups;
}

int people_load(struct hub *hub, struct cyg_err *err)
{
	hub->people = cyg_xcalloc(1, sizeof(*hub->people));
	hub->people->by_name = cyg_hash_new();
	return store_read(hub->store, &store_users, on_row, hub->people, err);
}

void people_free(struct people *people)
{
	if (people == NULL)
		return;
	cyg_hash_free(people->by_name, person_free);
	free(people);
}

struct person *people_find(const struct hub *hub, struct cyg_str name)
{
	return cyg_hash_find(hub->people->by_name, name);
}

/* A new person gets an id here. */
static void save(struct hub *hub, struct person *p)
{
	cyg_autofree char *groups = json_dumps(p->groups, JSON_COMPACT);
	const struct store_user row = {
		.id = p->id,
		.name = p->name,
		.provider = p->provider,
		.subject = p->subject,
		.groups = groups,
		.admin = p->admin,
		.created_us = p->created_us,
		.last_activity_us = p->last_activity_us,
	};

	if (p->id == 0)
		p->id = store_add(hub->store, &store_users, &row);
	else
		store_put(hub->store, &store_users, &row);
}

static struct person *find_subject(const struct people *people, const struct person_claim *claim)
{
	size_t pos = 0;
	struct cyg_str key;
	void *value;

	while (cyg_hash_next(people->by_name, &pos, &key, &value)) {
		struct person *p = value;
		if (strcmp(p->provider, claim->provider) == 0 &&
		    strcmp(p->subject, claim->subject) == 0)
			return p;
	}
	return NULL;
}

/* NULL when it may not be; *err says why. */
static struct person *make(
    struct hub *hub, const struct person_claim *claim, bool may_create, struct cyg_err *err)
{
	if (spawn_name_check(SPAWN_NAME_USER, claim->name, err) < 0)
		return NULL;
	/* Whoever has the name stays its owner: nobody inherits a home by being called alike. */
	if (people_find(hub, cyg_str_of(claim->name)) != NULL) {
		(void)cyg_fail(err, CYG_EEXIST,
		    "The name belongs to another account. Please ask the administrator.");
		return NULL;
	}
	if (!may_create) {
		(void)cyg_fail(err, CYG_ENOENT, "Nobody of that name has an account here.");
		return NULL;
	}
	if (strlen(claim->subject) >= PEOPLE_SUBJECT_MAX ||
	    strlen(claim->provider) >= CYG_NAME_MAX) {
		(void)cyg_fail(err, CYG_EINVAL, "The provider's identifier is too long.");
		return NULL;
	}
	struct person *p = add(hub->people, claim->name);
	(void)cyg_str_copy(p->provider, sizeof(p->provider), cyg_str_of(claim->provider));
	(void)cyg_str_copy(p->subject, sizeof(p->subject), cyg_str_of(claim->subject));
	p->created_us = cyg_clock_wall_us();
	return p;
}

int people_admit(struct hub *hub, const struct person_claim *claim, bool may_create,
    struct person **ret, struct cyg_err *err)
{
	struct person *p = find_subject(hub->people, claim);

	if (p == NULL)
		p = make(hub, claim, may_create, err);
	if (p == NULL)
		return -(int)err->code;
	json_decref(p->groups);
	p->groups = claim->groups != NULL ? json_deep_copy(claim->groups) : json_array();
	p->admin = claim->admin;
	p->last_activity_us = cyg_clock_wall_us();
	save(hub, p);
	*ret = p;
	return 0;
}

bool people_next(const struct hub *hub, size_t *pos, const struct person **ret)
{
	struct cyg_str key;
	void *value;

	if (!cyg_hash_next(hub->people->by_name, pos, &key, &value))
		return false;
	*ret = value;
	return true;
}

bool person_is_in(const struct person *p, struct cyg_str group)
{
	size_t i;
	json_t *one;

	json_array_foreach (p->groups, i, one) {
		if (json_is_string(one) && cyg_str_eq(group, json_string_value(one)))
			return true;
	}
	return false;
}

void people_active(struct hub *hub, struct person *p, int64_t now_us)
{
	if (now_us < p->last_activity_us + ACTIVE_RESOLUTION_US)
		return;
	p->last_activity_us = now_us;
	store_update(hub->store, &store_users,
	    &(struct store_user){ .id = p->id, .last_activity_us = now_us }, "last_activity");
}

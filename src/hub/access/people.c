/* Users: loaded at the start, made at the first sign-in or by an administrator, renamed, deleted.
 */
#include "hub/access/people.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "hub/access/credentials.h"
#include "hub/access/group.h"
#include "hub/access/roles.h"
#include "hub/access/sessions.h"
#include "hub/access/token.h"
#include "ipc/spawn_codec.h"
#include "store/undo.h"

#include <stdio.h>
#include <string.h>

enum { ACTIVE_RESOLUTION_US = 30 * 1000 * 1000 };
enum { SUBJECT_KEY_MAX = CYG_NAME_MAX + PEOPLE_SUBJECT_MAX };

struct people {
	struct cyg_hash *by_name;
	struct cyg_hash *by_subject; /* "PROVIDER\nSUBJECT" of those that come from a provider */
};

static void person_free(void *p)
{
	struct person *person = p;

	json_decref(person->groups);
	json_decref(person->claimed);
	json_decref(person->by_hand);
	free(person);
}

static struct person *person_new(const char *name)
{
	struct person *p = cyg_xcalloc(1, sizeof(*p));

	(void)cyg_str_copy(p->name, sizeof(p->name), cyg_str_of(name));
	p->groups = json_array();
	p->claimed = json_array();
	p->by_hand = json_array();
	cyg_list_init(&p->sessions);
	cyg_list_init(&p->tokens);
	return p;
}

/* A provider's id has no line feed in it. */
static struct cyg_str subject_key(const char *provider, const char *subject, char *out, size_t size)
{
	int len = snprintf(out, size, "%s\n%s", provider, subject);

	return (struct cyg_str){ out, len > 0 && (size_t)len < size ? (size_t)len : 0 };
}

/* Users that an administrator made have no provider until their first sign-in. */
static void index_person(struct people *people, struct person *p)
{
	char key[SUBJECT_KEY_MAX];

	(void)cyg_hash_set(people->by_name, cyg_str_of(p->name), p);
	if (p->provider[0] != '\0')
		(void)cyg_hash_set(
		    people->by_subject, subject_key(p->provider, p->subject, key, sizeof(key)), p);
}

static bool has(const json_t *list, const char *name)
{
	size_t i;
	json_t *one;

	json_array_foreach (list, i, one) {
		if (json_is_string(one) && strcmp(json_string_value(one), name) == 0)
			return true;
	}
	return false;
}

/* What the provider says, and what is by hand: a new array. */
static json_t *united(const struct person *p)
{
	json_t *ret = json_copy(p->claimed);
	size_t i;
	json_t *one;

	json_array_foreach (p->by_hand, i, one) {
		if (!has(ret, json_string_value(one)))
			(void)json_array_append(ret, one);
	}
	return ret;
}

static void unite_groups(struct person *p)
{
	json_decref(p->groups);
	p->groups = united(p);
}

/* A text that is no array counts as an empty one. */
static void claim_groups(struct person *p, const json_t *groups)
{
	json_decref(p->claimed);
	p->claimed = json_is_array(groups) ? json_deep_copy(groups) : json_array();
	unite_groups(p);
}

static void on_row(void *arg, const void *found)
{
	const struct store_user *row = found;
	struct person *p = person_new(row->name);
	json_t *groups = json_loads(row->groups, 0, NULL);

	(void)cyg_str_copy(p->name_before, sizeof(p->name_before), cyg_str_of(row->name_before));
	(void)cyg_str_copy(p->provider, sizeof(p->provider), cyg_str_of(row->provider));
	(void)cyg_str_copy(p->subject, sizeof(p->subject), cyg_str_of(row->subject));
	p->id = row->id;
	p->admin = row->admin;
	p->admin_by_hand = row->admin_by_hand;
	index_person(arg, p);
	p->created_us = row->created_us;
	p->last_activity_us = row->last_activity_us;
	claim_groups(p, groups);
	json_decref(groups);
}

int people_load(struct access *access, struct cyg_err *err)
{
	access->people = cyg_xcalloc(1, sizeof(*access->people));
	access->people->by_name = cyg_hash_new();
	access->people->by_subject = cyg_hash_new();
	return store_read(access->opts.store, &store_users, on_row, access->people, err);
}

void people_free(struct people *people)
{
	if (people == NULL)
		return;
	cyg_hash_free(people->by_subject, NULL);
	cyg_hash_free(people->by_name, person_free);
	free(people);
}

struct person *people_find(const struct access *access, struct cyg_str name)
{
	return cyg_hash_find(access->people->by_name, name);
}

/* A new user gets an id here. */
static void save(struct access *access, struct person *p)
{
	cyg_autofree char *groups = json_dumps(p->claimed, JSON_COMPACT);
	const struct store_user row = {
		.id = p->id,
		.name = p->name,
		.name_before = p->name_before,
		.provider = p->provider,
		.subject = p->subject,
		.groups = groups,
		.admin = p->admin,
		.admin_by_hand = p->admin_by_hand,
		.created_us = p->created_us,
		.last_activity_us = p->last_activity_us,
	};

	if (p->id == 0)
		p->id = store_add(access->opts.store, &store_users, &row);
	else
		store_put(access->opts.store, &store_users, &row);
}

static struct person *find_subject(const struct people *people, const struct person_claim *claim)
{
	char key[SUBJECT_KEY_MAX];

	return cyg_hash_find(
	    people->by_subject, subject_key(claim->provider, claim->subject, key, sizeof(key)));
}

const struct person *people_find_claim(
    const struct access *access, const struct person_claim *claim)
{
	const struct person *p = find_subject(access->people, claim);

	if (p != NULL)
		return p;
	p = people_find(access, cyg_str_of(claim->name));
	return p != NULL && p->provider[0] == '\0' ? p : NULL;
}

static int check_claim(const struct person_claim *claim, struct cyg_err *err)
{
	if (strlen(claim->subject) >= PEOPLE_SUBJECT_MAX ||
	    strlen(claim->provider) >= CYG_NAME_MAX || claim->provider[0] == '\0')
		return cyg_fail(err, CYG_EINVAL, "The provider's identifier is too long.");
	return 0;
}

int person_make(struct access *access, const char *name, struct person **ret, struct cyg_err *err)
{
	if (spawn_name_check(SPAWN_NAME_USER, name, err) < 0)
		return -CYG_EINVAL;
	if (people_find(access, cyg_str_of(name)) != NULL)
		return cyg_fail(err, CYG_EEXIST, "User %s already exists", name);
	struct person *p = person_new(name);
	store_hash_set(
	    access->opts.store, access->people->by_name, cyg_str_of(p->name), p, person_free);
	(void)cyg_str_copy(p->subject, sizeof(p->subject), cyg_str_of(name));
	p->created_us = cyg_clock_wall_us();
	save(access, p);
	*ret = p;
	return 0;
}

/* From now on the user belongs to that provider's subject. */
static void take_subject(struct access *access, struct person *p, const struct person_claim *claim)
{
	char key[SUBJECT_KEY_MAX];

	store_keep(access->opts.store, p->provider, sizeof(p->provider));
	store_keep(access->opts.store, p->subject, sizeof(p->subject));
	(void)cyg_str_copy(p->provider, sizeof(p->provider), cyg_str_of(claim->provider));
	(void)cyg_str_copy(p->subject, sizeof(p->subject), cyg_str_of(claim->subject));
	store_hash_set(access->opts.store, access->people->by_subject,
	    subject_key(p->provider, p->subject, key, sizeof(key)), p, store_free_nothing);
	const struct store_user row = {
		.id = p->id, .provider = p->provider, .subject = p->subject
	};
	store_update(access->opts.store, &store_users, &row, "provider,subject");
}

/* The user of that name that has no provider yet, or a new one. NULL when there may be none; *err
 * says why. */
static struct person *make(
    struct access *access, const struct person_claim *claim, bool may_create, struct cyg_err *err)
{
	struct person *p = people_find(access, cyg_str_of(claim->name));

	if (spawn_name_check(SPAWN_NAME_USER, claim->name, err) < 0 || check_claim(claim, err) < 0)
		return NULL;
	/* The name stays with the account that has it: a subject of the same name does not get its
	 * home. */
	if (p != NULL && p->provider[0] != '\0') {
		(void)cyg_fail(err, CYG_EEXIST,
		    "The name belongs to another account. Please ask the administrator.");
		return NULL;
	}
	if (p == NULL && !may_create) {
		(void)cyg_fail(err, CYG_ENOENT, "There is no account of that name here.");
		return NULL;
	}
	if (p == NULL && person_make(access, claim->name, &p, err) < 0)
		return NULL;
	take_subject(access, p, claim);
	return p;
}

static void free_json(void *value)
{
	json_decref(value);
}

int people_admit(struct access *access, const struct person_claim *claim, bool may_create,
    struct person **ret, struct cyg_err *err)
{
	struct person *p = find_subject(access->people, claim);

	if (p == NULL)
		p = make(access, claim, may_create, err);
	if (p == NULL)
		return -(int)err->code;
	if (p->leaving)
		return cyg_fail(err, CYG_EEXIST, "The account is being deleted.");
	store_replace(access->opts.store, &p->groups, json_incref(p->groups), free_json);
	store_replace(access->opts.store, &p->claimed, json_incref(p->claimed), free_json);
	store_keep(access->opts.store, &p->admin, sizeof(p->admin));
	store_keep(access->opts.store, &p->last_activity_us, sizeof(p->last_activity_us));
	claim_groups(p, claim->groups);
	p->admin = claim->admin || p->admin_by_hand;
	p->last_activity_us = cyg_clock_wall_us();
	save(access, p);
	*ret = p;
	return 0;
}

/* ---- by an administrator ---- */

int person_rename(struct access *access, struct person *p, const char *name, struct cyg_err *err)
{
	if (strcmp(p->name, name) == 0)
		return 0;
	if (spawn_name_check(SPAWN_NAME_USER, name, err) < 0)
		return -CYG_EINVAL;
	if (people_find(access, cyg_str_of(name)) != NULL)
		return cyg_fail(
		    err, CYG_EEXIST, "User %s already exists, username must be unique", name);
	roles_follow(access, ROLE_OF_USER, p->name, name);
	struct cyg_hash *by_name = access->people->by_name;
	store_hash_remove(access->opts.store, by_name, cyg_str_of(p->name), store_free_nothing);
	store_keep(access->opts.store, p->name, sizeof(p->name));
	store_keep(access->opts.store, p->subject, sizeof(p->subject));
	(void)cyg_str_copy(p->name, sizeof(p->name), cyg_str_of(name));
	store_hash_set(access->opts.store, by_name, cyg_str_of(p->name), p, store_free_nothing);
	/* A user without a provider is found by the name. */
	if (p->provider[0] == '\0')
		(void)cyg_str_copy(p->subject, sizeof(p->subject), cyg_str_of(name));
	const struct store_user row = { .id = p->id, .name = p->name, .subject = p->subject };
	store_update(access->opts.store, &store_users, &row, "name,subject");
	credentials_of_person(access, p);
	return 0;
}

void person_set_admin(struct access *access, struct person *p, bool admin)
{
	store_keep(access->opts.store, &p->admin, sizeof(p->admin));
	store_keep(access->opts.store, &p->admin_by_hand, sizeof(p->admin_by_hand));
	p->admin = p->admin_by_hand = admin;
	save(access, p);
	credentials_of_person(access, p);
}

void person_remove(struct access *access, struct person *p)
{
	char key[SUBJECT_KEY_MAX];

	roles_follow(access, ROLE_OF_USER, p->name, NULL);
	groups_forget(access, p);
	sessions_forget(access, p);
	tokens_forget(access, &p->tokens);
	if (p->provider[0] != '\0')
		store_hash_remove(access->opts.store, access->people->by_subject,
		    subject_key(p->provider, p->subject, key, sizeof(key)), store_free_nothing);
	store_hash_remove(
	    access->opts.store, access->people->by_name, cyg_str_of(p->name), person_free);
	const struct store_former former = { .id = p->id,
		.name = p->name,
		.created_us = p->created_us,
		.deleted_us = cyg_clock_wall_us() };
	store_remove(access->opts.store, &store_users, &(struct store_user){ .id = p->id });
	store_put(access->opts.store, &store_formers, &former);
}

bool people_next(const struct access *access, size_t *pos, const struct person **ret)
{
	struct cyg_str key;
	void *value;

	if (!cyg_hash_next(access->people->by_name, pos, &key, &value))
		return false;
	*ret = value;
	return true;
}

void person_found_in(struct person *p, const char *group)
{
	(void)json_array_append_new(p->by_hand, json_string(group));
	unite_groups(p);
}

/* Both arrays are made anew: the old ones come back with a turn that cannot be written. */
static void set_by_hand(struct access *access, struct person *p, json_t *by_hand)
{
	store_replace(access->opts.store, &p->by_hand, by_hand, free_json);
	store_replace(access->opts.store, &p->groups, united(p), free_json);
}

bool person_put_in(struct access *access, struct person *p, const char *group)
{
	if (has(p->by_hand, group))
		return false;
	json_t *by_hand = json_copy(p->by_hand);
	(void)json_array_append_new(by_hand, json_string(group));
	set_by_hand(access, p, by_hand);
	return true;
}

bool person_take_out(struct access *access, struct person *p, const char *group)
{
	json_t *by_hand = json_array();
	size_t i;
	json_t *one;

	json_array_foreach (p->by_hand, i, one) {
		if (strcmp(json_string_value(one), group) != 0)
			(void)json_array_append(by_hand, one);
	}
	if (json_array_size(by_hand) == json_array_size(p->by_hand)) {
		json_decref(by_hand);
		return false;
	}
	set_by_hand(access, p, by_hand);
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

void people_active(struct access *access, struct person *p, int64_t now_us)
{
	if (now_us < p->last_activity_us + ACTIVE_RESOLUTION_US)
		return;
	p->last_activity_us = now_us;
	store_update(access->opts.store, &store_users,
	    &(struct store_user){ .id = p->id, .last_activity_us = now_us }, "last_activity");
}

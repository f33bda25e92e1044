/* The policy: compares the groups of profiles, stacks and clusters with the groups of a user. */
#include "hub/offer/policy.h"

#include "base/buf.h"

#include <string.h>

bool policy_is_in(const struct policy_person *who, const struct profile_list *groups)
{
	size_t i;
	json_t *group;

	if (groups->n == 0)
		return true;
	json_array_foreach ((json_t *)(uintptr_t)who->groups, i, group) {
		if (json_is_string(group) && profile_list_has(groups, json_string_value(group)))
			return true;
	}
	return false;
}

void policy_reason(const struct profile_list *groups, char *out, size_t size)
{
	cyg_autobuf struct cyg_buf b;

	cyg_buf_init(&b, size - 1);
	for (size_t i = 0; i < groups->n; i++)
		(void)cyg_buf_printf(
		    &b, NULL, "%s%s", i == 0 ? "Needs the group " : " or ", groups->items[i]);
	(void)cyg_buf_add_str(&b, ".", NULL);
	(void)cyg_str_copy(out, size, cyg_buf_str(&b));
}

static int refuse(struct cyg_err *err, const char *what, const struct profile_list *groups)
{
	char reason[160];

	policy_reason(groups, reason, sizeof(reason));
	return cyg_fail(err, CYG_EDENIED, "You may not have this %s. %s", what, reason);
}

int policy_check(const struct policy_person *who, const struct profiles *p, const struct choice *c,
    const char **field, struct cyg_err *err)
{
	const struct profile *f = profiles_find(p, c->profile);
	const struct profile_stack *s = profiles_find_stack(p, c->stack);
	const struct profile_cluster *cluster = profiles_find_cluster(p, c->cluster);

	*field = "profile";
	if (f == NULL)
		return cyg_fail(err, CYG_EDENIED, "There is no such profile.");
	if (!policy_is_in(who, &f->groups))
		return refuse(err, "profile", &f->groups);
	*field = "stack";
	if (s == NULL)
		return cyg_fail(err, CYG_EDENIED, "There is no such environment.");
	if (!policy_is_in(who, &s->groups))
		return refuse(err, "environment", &s->groups);
	if (s->unavailable != NULL)
		return cyg_fail(
		    err, CYG_EBUSY, "%s cannot be started now. %s", s->label, s->unavailable);
	*field = "cluster";
	if (c->cluster[0] != '\0' && cluster == NULL)
		return cyg_fail(err, CYG_EDENIED, "There is no such Spark cluster.");
	if (cluster != NULL && !policy_is_in(who, &cluster->groups))
		return refuse(err, "Spark cluster", &cluster->groups);
	*field = NULL;
	return 0;
}

const struct profile *policy_default(const struct policy_person *who, const struct profiles *p)
{
	const struct profile *f = profiles_default(p);

	if (f != NULL && policy_is_in(who, &f->groups))
		return f;
	for (size_t i = 0; i < p->n_profiles; i++) {
		if (policy_is_in(who, &p->profiles[i].groups))
			return &p->profiles[i];
	}
	return NULL;
}

static bool is_in_group(const struct policy_person *who, const char *name)
{
	const struct profile_list one = { &name, 1 };

	return policy_is_in(who, &one);
}

/* NULL: the user is in none of them. */
static const char *first_of_rule(const struct policy_person *who, const struct profile_list *groups)
{
	for (size_t i = 0; i < groups->n; i++) {
		if (is_in_group(who, groups->items[i]))
			return groups->items[i];
	}
	return NULL;
}

static const char *first_by_name(const struct policy_person *who)
{
	const char *first = NULL;

	for (size_t i = 0; i < json_array_size(who->groups); i++) {
		const char *name = json_string_value(json_array_get(who->groups, i));

		if (name != NULL && (first == NULL || strcmp(name, first) < 0))
			first = name;
	}
	return first;
}

const char *policy_account_group(
    const struct policy_person *who, const struct profile *f, const struct profile_cluster *cluster)
{
	const char *group = cluster != NULL ? first_of_rule(who, &cluster->groups) : NULL;

	if (group == NULL && f != NULL)
		group = first_of_rule(who, &f->groups);
	if (group == NULL)
		group = first_by_name(who);
	return group != NULL ? group : "";
}

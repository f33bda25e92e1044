/* Who may have what: pure decisions from a user's groups, the profiles and the user options. */
#ifndef HUB_POLICY_H
#define HUB_POLICY_H

#include "hub/offer/choice.h"

struct policy_person {
	const char *user;
	const json_t *groups; /* array of strings; NULL: none */
};

/* True when the list names no group, or one of the user's. */
bool policy_is_in(const struct policy_person *who, const struct profile_list *groups);
/* Whether the user may start what was chosen; on refusal -CYG_EDENIED, *field names the option (a
 * literal) and the message says which group is missing. The choice was checked by choice_read. */
int policy_check(const struct policy_person *who, const struct profiles *p, const struct choice *c,
    const char **field, struct cyg_err *err);
/* "Needs the group a (or b)." into out; out[size] is always terminated. */
void policy_reason(const struct profile_list *groups, char *out, size_t size);
/* The group of the user that their use of a cluster is counted for: the first group of the
 * cluster's rule that they are in, else of the profile's, else their first by name, else "". Each
 * may be NULL.
 */
const char *policy_account_group(const struct policy_person *who, const struct profile *f,
    const struct profile_cluster *cluster);
/* The first profile that the user may have (the default one first), or NULL. */
const struct profile *policy_default(const struct policy_person *who, const struct profiles *p);

#endif

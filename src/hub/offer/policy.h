/* Who may have what: pure questions about a person's groups, the profiles and a choice. */
#ifndef HUB_POLICY_H
#define HUB_POLICY_H

#include "hub/offer/choice.h"

struct policy_person {
	const char *user;
	const json_t *groups; /* array of strings; NULL: none */
};

/* True when the list names no group, or one that the person is in. */
bool policy_is_in(const struct policy_person *who, const struct profile_list *groups);
/* Whether the person may start what was chosen; on refusal -CYG_EDENIED, *field names the answer
 * (a literal) and the message says which group is missing. The choice was checked by choice_read.
 */
int policy_check(const struct policy_person *who, const struct profiles *p, const struct choice *c,
    const char **field, struct cyg_err *err);
/* "Needs the group a (or b)." into out; out[size] is always terminated. */
void policy_reason(const struct profile_list *groups, char *out, size_t size);
/* The first profile the person may have (the default one first), or NULL. */
const struct profile *policy_default(const struct policy_person *who, const struct profiles *p);

#endif

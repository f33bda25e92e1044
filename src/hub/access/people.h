/* The users known here, in memory and in the store. */
#ifndef HUB_PEOPLE_H
#define HUB_PEOPLE_H

#include "base/list.h"
#include "hub/access/access.h"

#include <jansson.h>

enum { PEOPLE_SUBJECT_MAX = 768 };

struct person {
	int64_t id; /* never returns, whatever becomes of the name */
	char name[CYG_NAME_MAX];
	char name_before[CYG_NAME_MAX];   /* when users got ids; "": made after that */
	char provider[CYG_NAME_MAX];      /* who vouched for the name first */
	char subject[PEOPLE_SUBJECT_MAX]; /* identifier there; OpenID: "ISSUER SUB" */
	json_t *groups;                   /* array of strings: the next two together */
	json_t *claimed;                  /* as the provider said at the last sign-in */
	json_t *by_hand;                  /* group.c's */
	bool admin;                       /* by the provider or by hand */
	bool admin_by_hand;
	bool leaving; /* is being deleted: no sign-in, no start */
	int64_t created_us, last_activity_us;
	struct cyg_list sessions, tokens; /* sessions.c's and token.c's */
};

/* Who signed in, as a provider says. */
struct person_claim {
	const char *provider, *subject, *name;
	const json_t *groups; /* array of strings, or NULL: none */
	bool admin;
};

int people_load(struct access *access, struct cyg_err *err);
void people_free(struct people *people);
/* Borrowed for as long as the daemon lives, or NULL. */
struct person *people_find(const struct access *access, struct cyg_str name);
/* The person of a claim: found by provider and subject, whatever the name has become there; made
 * when it is new (and may_create); its groups are replaced. Two subjects never get one name:
 * -CYG_EEXIST when the name is another's; -CYG_ENOENT when it may not be made; -CYG_EINVAL for a
 * name that nobody may have. The row is written in this turn. */
int people_admit(struct access *access, const struct person_claim *claim, bool may_create,
    struct person **ret, struct cyg_err *err);
/* A new one that nobody vouches for yet: the first provider whose claim has the name does.
 * -CYG_EINVAL for a name that nobody may have, -CYG_EEXIST. The row is written in this turn. */
int person_make(struct access *access, const char *name, struct person **ret, struct cyg_err *err);
/* Another name; id, sessions, tokens and rows stay theirs. -CYG_EINVAL, -CYG_EEXIST. Servers'
 * records are the caller's matter, and so is the proxy's table. */
int person_rename(struct access *access, struct person *p, const char *name, struct cyg_err *err);
/* What an administrator says; a provider may still say more. */
void person_set_admin(struct access *access, struct person *p, bool admin);
/* Sessions, tokens and every row go, and the user is freed. Servers are gone already; the caller
 * pushes the proxy's table. */
void person_remove(struct access *access, struct person *p);
/* Iterates as cyg_hash_next does. */
bool people_next(const struct access *access, size_t *pos, const struct person **ret);
/* In a group by hand, as its row says: for the start. */
void person_found_in(struct person *p, const char *group);
/* Into, or out of, a group by hand, in memory, and back when the turn cannot be written; false when
 * it changes nothing. */
bool person_put_in(struct access *access, struct person *p, const char *group);
bool person_take_out(struct access *access, struct person *p, const char *group);
bool person_is_in(const struct person *p, struct cyg_str group);
/* Activity of the person now; written at most every 30 s. */
void people_active(struct access *access, struct person *p, int64_t now_us);

#endif

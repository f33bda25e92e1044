/* The users of the hub, in memory and in the store. */
#ifndef HUB_PEOPLE_H
#define HUB_PEOPLE_H

#include "base/list.h"
#include "hub/access/access.h"

#include <jansson.h>

enum { PEOPLE_SUBJECT_MAX = 768 };

struct person {
	int64_t id; /* never given twice, whatever becomes of the name */
	char name[CYG_NAME_MAX];
	char name_before[CYG_NAME_MAX];   /* the name when users got ids; "": made after that */
	char provider[CYG_NAME_MAX];      /* provider of the first sign-in */
	char subject[PEOPLE_SUBJECT_MAX]; /* identifier there; OpenID: "ISSUER SUB" */
	json_t *groups;                   /* array of strings: the next two together */
	json_t *claimed;                  /* as the provider reported at the last sign-in */
	json_t *by_hand;                  /* group.c's */
	bool admin;                       /* by the provider or by an administrator */
	bool admin_by_hand;
	bool leaving; /* is being deleted: no sign-in, no start */
	int64_t created_us, last_activity_us;
	struct cyg_list sessions, tokens; /* sessions.c's and token.c's */
};

/* A sign-in, as a provider reports it. */
struct person_claim {
	const char *provider, *subject, *name;
	const json_t *groups; /* array of strings, or NULL: none */
	bool admin;
};

int people_load(struct access *access, struct cyg_err *err);
void people_free(struct people *people);
/* Borrowed for as long as the daemon lives, or NULL. */
struct person *people_find(const struct access *access, struct cyg_str name);
/* The user that the claim would find: by provider and subject, else the one of that name without a
 * provider yet. NULL: there is none, so a new user, or a refusal. */
const struct person *people_find_claim(
    const struct access *access, const struct person_claim *claim);
/* The user of a claim: found by provider and subject, even when the name has changed there; made
 * when new (and may_create); the groups are replaced. Two subjects never get one name: -CYG_EEXIST
 * when another user has the name; -CYG_ENOENT when a new user may not be made; -CYG_EINVAL for a
 * name that is not allowed. The row is written in this turn. */
int people_admit(struct access *access, const struct person_claim *claim, bool may_create,
    struct person **ret, struct cyg_err *err);
/* A new user without a provider yet: the first provider whose claim has the name gets it.
 * -CYG_EINVAL for a name that is not allowed, -CYG_EEXIST. The row is written in this turn. */
int person_make(struct access *access, const char *name, struct person **ret, struct cyg_err *err);
/* Renames the user; id, sessions, tokens and rows stay. -CYG_EINVAL, -CYG_EEXIST. The caller takes
 * care of the servers' records and of the proxy's table. */
int person_rename(struct access *access, struct person *p, const char *name, struct cyg_err *err);
/* The administrator's choice; a provider may still make the user an admin. */
void person_set_admin(struct access *access, struct person *p, bool admin);
/* Removes sessions, tokens and every row, and frees the user; store_formers keeps that there was
 * one. Servers are gone already; the caller pushes the proxy's table. */
void person_remove(struct access *access, struct person *p);
/* Iterates as cyg_hash_next does. */
bool people_next(const struct access *access, size_t *pos, const struct person **ret);
/* Into a group that an administrator made, as its row says: for the start. */
void person_found_in(struct person *p, const char *group);
/* Into, or out of, a group that an administrator made, in memory, and back when the turn cannot be
 * written; false when nothing changes. */
bool person_put_in(struct access *access, struct person *p, const char *group);
bool person_take_out(struct access *access, struct person *p, const char *group);
bool person_is_in(const struct person *p, struct cyg_str group);
/* The user is active now; written at most every 30 s. */
void people_active(struct access *access, struct person *p, int64_t now_us);

#endif

/* Sessions: one sign-in of one browser. Only the SHA-256 of the cookie is kept. */
#ifndef HUB_SESSIONS_H
#define HUB_SESSIONS_H

#include "hub/access/people.h"
#include "hub/base/secret.h"

struct session {
	struct cyg_link link; /* on its user's list */
	char sum[SECRET_SUM_SIZE];
	char provider[CYG_NAME_MAX];
	struct person *person;
	int64_t created_us, expires_us;
};

/* of one user: more browsers than a user has. A script that signs in again and again must not fill
 * the proxy's table, which all users share. */
enum { SESSIONS_OF_PERSON = 100 };

int sessions_load(struct access *access, struct cyg_err *err);
void sessions_free(struct sessions *sessions);
/* The live session of a cookie's text, or NULL. */
struct session *sessions_find(const struct access *access, struct cyg_str cookie, int64_t now_us);
/* A new one; the cookie's text goes to the browser and nowhere else. Written in this turn; the
 * caller waits until the proxies know it before it responds. The user's oldest one ends when there
 * are SESSIONS_OF_PERSON already. */
struct session *sessions_make(struct access *access, struct person *person, const char *provider,
    char cookie[CYG_CREDENTIAL_LEN + 1]);
/* Ends and frees it. */
void sessions_end(struct access *access, struct session *session);
/* Ends those that have expired; true when there were any. */
bool sessions_expire(struct access *access, int64_t now_us);
/* Forgets those of a user who is removed; their rows go with the user's. */
void sessions_forget(struct access *access, struct person *person);
/* Iterates as cyg_hash_next does. */
bool sessions_next(const struct access *access, size_t *pos, const struct session **ret);

#endif

/* Which credentials are good at the edge: sessions, and tokens that reach every server of their
 * user. Who tells the proxies watches them here. */
#ifndef HUB_ACCESS_CREDENTIALS_H
#define HUB_ACCESS_CREDENTIALS_H

#include "hub/access/sessions.h"
#include "hub/access/token.h"

struct credential {
	const char *sum; /* SHA-256 of its text, in hexadecimal */
	const struct person *person;
	int64_t expires_us; /* 0: never */
};

/* One begins or is another than before (live), or ends. */
typedef void (*credential_fn)(void *arg, const struct credential *c, bool live);

/* From now on fn is told of each change, and at once of all that there are. NULL: nobody is. */
void credentials_watch(struct access *access, credential_fn fn, void *arg);
/* Something of a session or token has changed, or it is about to be freed (not live). */
void credential_session(const struct access *access, const struct session *s, bool live);
void credential_token(const struct access *access, const struct token *t, bool live);
/* The user has another name, or holds more or less than before. */
void credentials_of_person(const struct access *access, const struct person *person);

#endif

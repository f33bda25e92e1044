/* The credentials that the proxies accept: sessions, and tokens that reach every server of their
 * user. The link to the proxies watches them here. */
#ifndef HUB_ACCESS_CREDENTIALS_H
#define HUB_ACCESS_CREDENTIALS_H

#include "hub/access/sessions.h"
#include "hub/access/token.h"

struct credential {
	const char *sum; /* SHA-256 of its text, in hexadecimal */
	const struct person *person;
	int64_t expires_us; /* 0: never */
};

/* A credential begins or changes (live), or ends. */
typedef void (*credential_fn)(void *arg, const struct credential *c, bool live);

/* From now on fn is called at each change, and at once for all that there are. fn NULL: no watcher.
 */
void credentials_watch(struct access *access, credential_fn fn, void *arg);
/* A session or token has changed, or it is about to be freed (not live). */
void credential_session(const struct access *access, const struct session *s, bool live);
void credential_token(const struct access *access, const struct token *t, bool live);
/* The user has another name, or has gained or lost rights. */
void credentials_of_person(const struct access *access, const struct person *person);

#endif

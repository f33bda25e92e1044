/* Attempts to sign in at an OpenID provider: begun here, ended by the provider's response or by
 * time. They are rows of the store, so that they survive a restart of the hub. Neither memory nor
 * store holds what could end one: only the sum of the state (which is in an address) and of a
 * secret in that browser's cookie, from which nonce and PKCE verifier are derived. */
#ifndef HUB_ATTEMPTS_H
#define HUB_ATTEMPTS_H

#include "http/head.h"
#include "hub/base/secret.h"
#include "oidc/oidc.h"
#include "store/store.h"

enum {
	ATTEMPT_TTL_S = 300,
	ATTEMPTS_OF_BROWSER = 8,
	ATTEMPTS_MAX = 20000, /* all together: some 10 MB */
	ATTEMPT_ID_LEN = 16,  /* digits: the beginning of the state's sum */
	ATTEMPT_COOKIE_SIZE = 48,
	ATTEMPT_NEXT_MAX = 2048,
};

#define ATTEMPT_COOKIE "__Host-cygnet-oidc-"

struct attempts;

/* A taken attempt: what is needed to go on. */
struct attempt {
	char provider[CYG_NAME_MAX];
	char nonce[OIDC_RANDOM_HEX];
	char verifier[OIDC_RANDOM_HEX];
	char *next; /* heap */
};

int attempts_load(struct store *store, struct attempts **ret, struct cyg_err *err);
void attempts_free(struct attempts *attempts);

/* Begins one: fills *a (which parameters go to the provider), the cookie's name and value. The row
 * is written in this turn. -CYG_EBUSY when too many are open. */
struct attempt_cookie {
	char name[ATTEMPT_COOKIE_SIZE];
	char value[CYG_CREDENTIAL_LEN + 1];
};
int attempts_begin(struct attempts *all, const char *provider, const char *next,
    struct oidc_attempt *a, struct attempt_cookie *cookie, struct cyg_err *err);

/* Drops attempts of this browser so that it may begin one more. For each cookie the browser no
 * longer needs, drop(arg, name) is called. */
void attempts_make_room(struct attempts *all, const struct http_head *head,
    void (*drop)(void *arg, const char *name), void *arg);

/* Takes the attempt of a state and of the browser that began it, and ends it in any case (the row
 * is removed in this turn). name gets the name of its cookie. -CYG_ENOENT: never begun, expired,
 * ended before, or begun by another browser. */
int attempts_take(struct attempts *all, const struct http_head *head, const char *state,
    struct attempt *ret, char name[ATTEMPT_COOKIE_SIZE], struct cyg_err *err);
void attempt_free(struct attempt *a);

#endif

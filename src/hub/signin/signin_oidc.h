/* Private to the sign-in by OpenID Connect: what signin_oidc.c and oidc_login.c share. */
#ifndef HUB_SIGNIN_OIDC_H
#define HUB_SIGNIN_OIDC_H

#include "hub/signin/attempts.h"
#include "hub/signin/oidc_provider.h"
#include "hub/signin/signin_priv.h"
#include "hub/signin/signin_try.h"

/* ctx of a provider's row in the table of sign-ins. */
struct oidc_row {
	struct oidc_provider *provider;
	const struct oidc_config *config;
	char *begin_url; /* where the button leads */
	char *redirect_uri;
};

/* The row of a provider's id, or NULL. */
struct oidc_row *signin_oidc_row(struct signin *signin, const char *id);
/* Client parameters of its messages. */
struct oidc_client signin_oidc_client(const struct oidc_row *row);
/* Tells the browser to forget the cookie of an attempt. */
void signin_oidc_drop_cookie(void *req, const char *name);

#endif

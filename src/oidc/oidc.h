/* OpenID Connect as a relying party (OpenID Connect Core 1.0, Discovery 1.0, RFC 7636, RFC 9207):
 * what is sent, and what is demanded of each response. Pure: bytes in, decisions out; time is a
 * parameter; the hub does the calls. Code flow with PKCE S256 only. */
#ifndef OIDC_OIDC_H
#define OIDC_OIDC_H

#include "base/buf.h"
#include "oidc/jose.h"

#include <stdint.h>

enum {
	OIDC_DOC_MAX = 256 * 1024, /* discovery document */
	OIDC_TOKEN_ANSWER_MAX = 256 * 1024,
	OIDC_SLACK_S = 120,   /* how far clocks may differ */
	OIDC_RANDOM_HEX = 65, /* state, nonce and verifier: 32 bytes as hex and a NUL */
	OIDC_GROUPS_MAX = 1000,
};

/* ---- discovery ---- */
struct oidc_endpoints {
	char *issuer, *authorization, *token, *jwks;
	char *userinfo, *end_session; /* NULL when the provider has none */
	bool iss_in_response;         /* RFC 9207: then the parameter is required */
	bool basic_auth; /* client_secret_basic is offered (or nothing is said); else post */
};

/* Checks a discovery document: its issuer is exactly the one asked for; every endpoint is https
 * (plain http only when insecure_loopback, and only to 127.0.0.1, [::1] or localhost); S256 is
 * offered when methods are listed at all. */
int oidc_discovery_parse(struct cyg_str text, const char *issuer, bool insecure_loopback,
    struct oidc_endpoints **ret, struct cyg_err *err);
void oidc_endpoints_free(struct oidc_endpoints *e);
/* Whether a URL may be called under those rules. */
bool oidc_url_is_allowed(const char *url, bool insecure_loopback);

/* ---- one attempt to sign in ---- */
struct oidc_attempt {
	char state[OIDC_RANDOM_HEX]; /* in the URL; its hash is the row's key */
	char nonce[OIDC_RANDOM_HEX];
	char verifier[OIDC_RANDOM_HEX]; /* PKCE code_verifier */
};

void oidc_attempt_init(struct oidc_attempt *a);

struct oidc_client {
	const char *client_id, *redirect_uri, *scopes;
};

/* Appends the whole URL to send the browser to. */
int oidc_authorize_url(const struct oidc_endpoints *e, const struct oidc_client *c,
    const struct oidc_attempt *a, struct cyg_buf *out, struct cyg_err *err);

/* What came back to the redirect URI. */
struct oidc_callback {
	char *code; /* NULL when the provider refused */
	char *state;
	char *error; /* the provider's error code, cleaned for showing */
};

/* Reads the callback's query: state, code, iss and error may each be there once. Checks iss (RFC
 * 9207) when e is not NULL. Free with oidc_callback_free, also after failure. */
int oidc_callback_parse(
    struct cyg_str query, struct oidc_callback *ret, struct cyg_str *iss_raw, struct cyg_err *err);
void oidc_callback_free(struct oidc_callback *cb);
/* iss_raw is what oidc_callback_parse found (percent-encoded, p NULL when absent). */
int oidc_callback_check_issuer(
    const struct oidc_endpoints *e, struct cyg_str iss_raw, struct cyg_err *err);

/* Body of the token request; with secret != NULL it goes into the body (client_secret_post). */
int oidc_token_request(const struct oidc_client *c, const char *code, const char *verifier,
    const char *secret, struct cyg_buf *out, struct cyg_err *err);

struct oidc_tokens {
	char *id_token, *access_token,
	    *refresh_token;   /* the last may be NULL; cleansed when freed */
	int64_t expires_in_s; /* 0 when not said */
};

int oidc_token_parse(int status, struct cyg_str body, struct oidc_tokens *ret, struct cyg_err *err);
void oidc_tokens_free(struct oidc_tokens *t);

/* ---- the ID token ---- */
struct oidc_rules {
	const char *issuer, *client_id, *nonce;
	const char *access_token; /* for at_hash, when the token has one */
	int64_t now_s;
};

/* Demands of a verified payload: iss, aud (contains us, others only with azp), azp, exp, iat, nbf,
 * nonce, sub, at_hash (OpenID Connect Core 3.1.3.7). */
int oidc_idtoken_check(const json_t *claims, const struct oidc_rules *rules, struct cyg_err *err);
const char *oidc_subject(const json_t *claims);

/* ---- from claims to an account ---- */
/* The value at a path: names joined by '.', "\." for a dot in a name ("resource_access.hub.roles").
 */
const json_t *oidc_claim_find(const json_t *claims, const char *path);
/* The user name from a claim: folded to lower case, 1 to 32 of [a-z0-9._-] starting with a letter
 * or digit; anything else is refused, never mended. */
int oidc_username(const json_t *claims, const char *path, char out[33], struct cyg_err *err);
/* Group names at a path: an array of strings, or one string; not there is no group. Strings with
 * control bytes are refused. *ret: NULL-ended heap array; free with oidc_groups_free. */
int oidc_groups(const json_t *claims, const char *path, char ***ret, struct cyg_err *err);
void oidc_groups_free(char **groups);

#endif

/* JOSE on OpenSSL: key sets (RFC 7517) and verification of compact signatures (RFC 7515, 7518,
 * 8037). Pure: no sockets, files, clock or log. The algorithm comes from the configuration's list
 * and the key, never from the token alone; jku, jwk, x5u and x5c in a header are ignored and crit
 * is refused. */
#ifndef OIDC_JOSE_H
#define OIDC_JOSE_H

#include "base/str.h"
#include "cygnet/err.h"

#include <jansson.h>

enum {
	JOSE_TOKEN_MAX = 64 * 1024,
	JOSE_HEADER_MAX = 4 * 1024,
	JOSE_JWKS_MAX = 256 * 1024,
	JOSE_KEYS_MAX = 64,
};

struct jose_jwks;

/* Reads a key set. Keys of other uses or kinds, weak (RSA under 2048 or over 8192 bits, even or
 * small exponent) or broken ones are left out; private members are never looked at. Fails only when
 * the document is no key set. */
int jose_jwks_parse(struct cyg_str text, struct jose_jwks **ret, struct cyg_err *err);
void jose_jwks_free(struct jose_jwks *keys);
size_t jose_jwks_count(const struct jose_jwks *keys);

/* What came of a verification, besides failure: no key has the token's kid (or it has none, and no
 * key fits), so that a fresh key set may help (the caller limits how often it asks for one). */
struct jose_outcome {
	bool unknown_key;
};

/* Verifies a compact JWS and gives its payload, a JSON object without duplicate keys (new
 * reference). algs: NULL-ended allow-list out of RS256 PS256 ES256 ES384 EdDSA. A token without kid
 * is tried with every key that fits its algorithm. */
int jose_jws_verify(struct cyg_str compact, const struct jose_jwks *keys, const char *const *algs,
    struct jose_outcome *outcome, json_t **payload, struct cyg_err *err);

/* SHA-256 of data. */
void jose_sha256(const void *data, size_t len, unsigned char out[32]);

#endif

/* What jwk.c and jws.c share. */
#ifndef OIDC_JOSE_INTERNAL_H
#define OIDC_JOSE_INTERNAL_H

#include "oidc/jose.h"

#include <openssl/evp.h>

struct jose_key {
	char *kid; /* NULL when it has none */
	char *alg; /* the one alg it is for, or NULL */
	int type;  /* EVP_PKEY_RSA, EVP_PKEY_EC, EVP_PKEY_ED25519 */
	int curve; /* of EC: 256 or 384 */
	EVP_PKEY *pkey;
};

struct jose_jwks {
	struct jose_key *keys;
	size_t n;
};

#endif

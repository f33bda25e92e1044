/* Fuzz target: key sets as a provider might send them. */
#include "oidc/jose.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct jose_jwks *keys = NULL;

	if (jose_jwks_parse((struct cyg_str){ (const char *)data, size }, &keys, NULL) == 0 &&
	    jose_jwks_count(keys) > JOSE_KEYS_MAX)
		abort();
	jose_jwks_free(keys);
	return 0;
}

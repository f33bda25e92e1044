/* Fuzz target: the query a browser brings back from the provider. */
#include "oidc/oidc.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct oidc_callback cb;
	struct cyg_str iss;

	if (oidc_callback_parse((struct cyg_str){ (const char *)data, size }, &cb, &iss, NULL) ==
		0 &&
	    (cb.state == NULL || (cb.code == NULL) == (cb.error == NULL)))
		abort();
	oidc_callback_free(&cb);
	return 0;
}

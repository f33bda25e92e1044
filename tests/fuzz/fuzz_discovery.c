/* Fuzz target: discovery documents and token responses. */
#include "oidc/oidc.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cyg_str text = { (const char *)data, size };
	struct oidc_endpoints *e = NULL;
	struct oidc_tokens tokens;

	if (oidc_discovery_parse(text, "https://idp.example", false, &e, NULL) == 0 &&
	    (!oidc_url_is_allowed(e->token, false) || !oidc_url_is_allowed(e->jwks, false)))
		abort();
	oidc_endpoints_free(e);
	if (oidc_token_parse(200, text, &tokens, NULL) == 0)
		oidc_tokens_free(&tokens);
	return 0;
}

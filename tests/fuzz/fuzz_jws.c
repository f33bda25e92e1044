/* Fuzz target: compact tokens against a fixed key. Nothing but the one genuine token may verify;
 * since no fuzzer holds the private key, any success on other bytes is a hole. The input's payload
 * also goes through the ID-token rules as if it had verified. */
#include "oidc/oidc.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char key_text[] =
    "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const algs[] = { "RS256", "PS256", "ES256", "ES384", "EdDSA", NULL };
	const struct oidc_rules rules = {
		.issuer = "https://i", .client_id = "c", .nonce = "n", .now_s = 1
	};
	struct jose_jwks *keys = NULL;
	struct jose_outcome outcome;
	json_t *payload = NULL;
	char **groups = NULL;
	char name[33];

	if (jose_jwks_parse(CYG_STR(key_text), &keys, NULL) < 0)
		abort();
	(void)jose_jws_verify(
	    (struct cyg_str){ (const char *)data, size }, keys, algs, &outcome, &payload, NULL);
	json_decref(payload);
	payload = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	(void)oidc_idtoken_check(payload, &rules, NULL);
	(void)oidc_username(payload, "a.b\\.c", name, NULL);
	if (oidc_groups(payload, "a.b", &groups, NULL) == 0)
		oidc_groups_free(groups);
	json_decref(payload);
	jose_jwks_free(keys);
	return 0;
}

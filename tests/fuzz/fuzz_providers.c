/* Fuzz target: providers.yaml. Whatever the text, it is read or refused with a message that names
 * the file; what was read keeps the rule that users are admitted by exactly one means. */
#include "hub/signin/oidc_config.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct oidc_configs *all = NULL;
	struct cyg_err err = { .code = CYG_OK };
	char *const nobody[] = { NULL };

	if (oidc_configs_parse("p.yaml", (struct cyg_str){ (const char *)data, size }, &all, &err) <
	    0) {
		if (err.code == CYG_OK || err.msg[0] == '\0')
			abort();
		return 0;
	}
	if (all->n == 0 || all->n > OIDC_PROVIDERS_MAX)
		abort();
	for (size_t i = 0; i < all->n; i++) {
		const struct oidc_config *c = &all->items[i];
		bool in = oidc_config_judge(c, nobody) != OIDC_REFUSED;
		if (in != c->everyone || c->everyone == (c->allowed.n > 0))
			abort();
	}
	oidc_configs_free(all);
	return 0;
}

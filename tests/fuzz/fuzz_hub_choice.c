/* The start form's choices: JSON from any signed-in user. What is accepted is on offer, and is
 * the same when it is written and read again. */
#include "hub/offer/policy.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char yaml[] =
    "stacks:\n"
    "  - {id: a, kernels: [Python, R], spark: '4'}\n"
    "  - {id: b, groups: [g]}\n"
    "clusters: [{id: own}]\n"
    "profiles:\n"
    "  - {id: p, template: t, stacks: [a, b], clusters: [own], cores: [1, 2], memory: [1G, 2G],\n"
    "     user-script: true, home-packages: true}\n"
    "  - {id: q, template: t, stacks: [b], cores: [4], memory: [4G]}\n";

static void check(const struct choice *c, const struct profiles *p)
{
	const struct profile *f = profiles_find(p, c->profile);
	char line[CHOICE_LINE_SIZE];
	struct choice again;
	const char *field = NULL;

	if (f == NULL || !profile_list_has(&f->stacks, c->stack) ||
	    !profile_amounts_have(&f->cores, c->cores) ||
	    !profile_amounts_have(&f->memory_mb, c->memory_mb) || c->user_script[0] == '/' ||
	    strncmp(c->user_script, "../", 3) == 0 || strstr(c->user_script, "/../") != NULL)
		abort();
	json_t *root = choice_json(c);
	if (choice_read(root, p, &again, &field, NULL) < 0 ||
	    strcmp(again.user_script, c->user_script) != 0 ||
	    strcmp(again.cluster, c->cluster) != 0 || again.cores != c->cores)
		abort();
	json_decref(root);
	choice_line(c, p, line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct profiles *p;
	const char *field = NULL;
	struct choice c;

	if (p == NULL && profiles_parse("fuzz", cyg_str_of(yaml), &p, NULL) < 0)
		abort();
	json_t *root =
	    json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	int code = root != NULL ? choice_read(root, p, &c, &field, NULL) : -CYG_EINVAL;
	json_decref(root);
	if (code == 0)
		check(&c, p);
	else if (root != NULL && field == NULL)
		abort();
	return 0;
}

/* What policy.c and policy_check.c share; no other file includes it. */
#ifndef SPAWNER_CORE_POLICY_PARTS_H
#define SPAWNER_CORE_POLICY_PARTS_H

#include "base/arena.h"
#include "spawner/core/policy.h"

enum { POLICY_ENV_MAX = 40 }; /* variables of a template: init takes 64 in all */

struct policy {
	struct cyg_arena arena;
	struct policy_template *templates;
	size_t n_templates;
	struct policy_stack *stacks;
	size_t n_stacks;
};

/* "2", "0.5" or "1.25" cores as thousandths, at most 1024 cores; 0 or -CYG_EINVAL. */
int policy_cores_parse(struct cyg_str text, uint32_t *ret);

#endif

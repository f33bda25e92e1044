/* What a stack's own stack.yaml says of it, as JSON from the reader child. Pure. */
#ifndef HUB_STACKFILE_H
#define HUB_STACKFILE_H

#include "hub/profiles.h"

/* json is a map of label, description, kernels, spark, platform and recommended, every scalar a
 * string. What it says replaces what *ret holds; id and groups stay. Texts are copied into arena.
 * On failure *ret is unchanged and the message names the key and what is allowed. */
int stackfile_read(
    struct cyg_str json, struct cyg_arena *arena, struct profile_stack *ret, struct cyg_err *err);

#endif

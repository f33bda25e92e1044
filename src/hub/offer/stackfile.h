/* What a stack's own stack.yaml says of it, as the reader child hands it over. Pure. */
#ifndef HUB_STACKFILE_H
#define HUB_STACKFILE_H

#include "hub/offer/profiles.h"

/* What the file holds, for the reference page. */
extern const struct yaml_record stackfile_record;

/* What the text says replaces what *ret holds; what it leaves out stays. Texts are copied into
 * arena; file is its name in messages. On failure *ret is unchanged and the message names the place
 * and what is allowed. */
int stackfile_read(const char *file, struct cyg_str text, struct cyg_arena *arena,
    struct profile_stack *ret, struct cyg_err *err);

#endif

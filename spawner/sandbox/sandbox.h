/* The engine "sandbox", what tries whether it works here, and which engine this program's is to be.
 */
#ifndef SPAWNER_SANDBOX_SANDBOX_H
#define SPAWNER_SANDBOX_SANDBOX_H

#include "spawner/local/local.h"

/* Its kind_arg. */
struct sandbox {
	const char *bwrap; /* absolute path of bubblewrap */
};

extern const struct local_kind sandbox_kind;

/* Runs one sandbox whose init only says how it is to be used, with all options of a real one, as a
 * uid that no user has. Fails with what bubblewrap said. Takes tens of milliseconds; blocks. */
int probe_sandbox(struct local *l, struct sandbox *sandbox, struct cyg_err *err);

enum engine_choice { ENGINE_AUTO, ENGINE_SANDBOX, ENGINE_PROCESS };

/* Sets l's kind and statement. auto falls back to process and says why; sandbox fails. */
int engines_choose(
    struct local *l, struct sandbox *sandbox, enum engine_choice choice, struct cyg_err *err);
/* The sentence of HELLO; called when the limits are known. */
void engines_state(struct local *l);

#endif

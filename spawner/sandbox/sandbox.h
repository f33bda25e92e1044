/* The engine "sandbox", the probe whether it works here, and the choice of the engine. */
#ifndef SPAWNER_SANDBOX_SANDBOX_H
#define SPAWNER_SANDBOX_SANDBOX_H

#include "spawner/local/local.h"

/* Its kind_arg. */
struct sandbox {
	const char *bwrap; /* absolute path of bubblewrap */
};

extern const struct local_kind sandbox_kind;

/* Runs one sandbox with all options of a real one, as a uid that no user has; its init only prints
 * its usage. Fails with bubblewrap's message. Blocks for tens of milliseconds. */
int probe_sandbox(struct local *l, struct sandbox *sandbox, struct cyg_err *err);

enum engine_choice { ENGINE_AUTO, ENGINE_SANDBOX, ENGINE_PROCESS };

/* Sets l's kind and statement. auto falls back to process and says why; sandbox fails. */
int engines_choose(
    struct local *l, struct sandbox *sandbox, enum engine_choice choice, struct cyg_err *err);
/* The sentence of HELLO; called when the limits are known. */
void engines_state(struct local *l);

#endif

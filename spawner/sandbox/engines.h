/* The two engines of this program, the container's binaries, and which engine it is to be. */
#ifndef SPAWNER_SANDBOX_ENGINES_H
#define SPAWNER_SANDBOX_ENGINES_H

#include "cygnet/err.h"
#include "spawner/core/spawner.h"

#include <stdbool.h>

/* Shared by both engines; arg of every engine call. */
struct engine_config {
	struct spawner *spawner;
	const char *bwrap;      /* absolute path of bubblewrap */
	char bin[CYG_PATH_MAX]; /* folder of the container's binaries that every user can reach */
};

extern const struct engine sandbox_engine;
extern const struct engine process_engine;

/* Copies cygnet-init and cygnet-agent out of from (which users may be unable to enter) into
 * CACHE/bin/HASH, whole or not at all, and names that folder in c->bin. HASH is of their bytes, so
 * an upgrade leaves running servers what they run. A missing agent is no error here. */
int binaries_install(struct engine_config *c, const char *from, struct cyg_err *err);

/* Runs one sandbox whose init only says how it is to be used, with all options of a real one, as a
 * uid that no user has. Fails with what bubblewrap said. Takes tens of milliseconds; blocks. */
int probe_sandbox(struct engine_config *c, struct cyg_err *err);

enum engine_choice { ENGINE_AUTO, ENGINE_SANDBOX, ENGINE_PROCESS };

/* Sets spawner's engine and statement. auto falls back to process and says why; sandbox fails. */
int engines_choose(struct engine_config *c, enum engine_choice choice, struct cyg_err *err);
/* The sentence of HELLO; called when the limits are known. */
void engines_state(struct engine_config *c);

#endif

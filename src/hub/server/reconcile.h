/* What the spawner tells, and the comparison of store and spawner after each new connection. */
#ifndef HUB_RECONCILE_H
#define HUB_RECONCILE_H

#include "hub/hub.h"
#include "hub/link/spawners.h"

extern const struct spawner_events reconcile_events;

/* Ends the intents that are open though nothing of them is outside any more. */
void reconcile_intents(struct hub *hub);
/* Drops the lists that are still on their way; the loop does not run any more. NULL is accepted. */
void reconcile_close(const struct spawners *all);

#endif

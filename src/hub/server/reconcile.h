/* What the spawner tells, and the comparison of store and spawner after each new connection. */
#ifndef HUB_RECONCILE_H
#define HUB_RECONCILE_H

#include "hub/hub.h"
#include "hub/spawners.h"

extern const struct spawner_events reconcile_events;

/* Ends the intents that are open though nothing of them is outside any more. */
void reconcile_intents(struct hub *hub);
/* Drops a list that is still on its way; the link is closed already. */
void reconcile_close(struct spawner *s);

#endif

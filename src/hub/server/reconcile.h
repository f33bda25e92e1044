/* Applies what the spawners report to the server records, and compares records with a spawner's
 * list after each new connection. */
#ifndef HUB_RECONCILE_H
#define HUB_RECONCILE_H

#include "hub/link/spawners.h"

struct srvs;

/* For spawners_opts, with the srvs as owner. */
extern const struct spawner_events reconcile_events;

/* Ends the intents that are open although their servers are not outside any more. */
void reconcile_intents(struct srvs *srvs);
/* Drops the lists that are still on their way; the loop does not run any more. */
void reconcile_close(struct srvs *srvs);

#endif

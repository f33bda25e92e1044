/* What the spawner tells, and the comparison of store and spawner after each new connection. */
#ifndef HUB_RECONCILE_H
#define HUB_RECONCILE_H

#include "hub/hub.h"
#include "hub/spawner_link.h"

extern const struct spawner_events reconcile_events;

#endif

/* The turn of the hub: commits, and what is done when a commit fails. */
#ifndef HUB_TURN_H
#define HUB_TURN_H

#include "hub/hub.h"

void turns_start(struct hub *hub);
void turns_close(struct hub *hub);

#endif

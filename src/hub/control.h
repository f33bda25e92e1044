/* RUN/hub/control.sock: the socket by which the machine's administrator reads the metrics without a
 * token. */
#ifndef HUB_CONTROL_H
#define HUB_CONTROL_H

#include "hub/hub.h"

/* Listens on the socket passed in under the name hub-control, else on its path, made 0600. */
int control_start(struct hub *hub, struct cyg_err *err);
void control_close(struct hub *hub);

#endif

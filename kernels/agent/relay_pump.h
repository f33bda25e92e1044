/* One relayed connection: bytes go both ways between two descriptors, with half-closes, through two
 * buffers that exist only while bytes are in flight. */
#ifndef AGENT_RELAY_PUMP_H
#define AGENT_RELAY_PUMP_H

#include "base/list.h"
#include "cygnet/err.h"

#include <uv.h>

struct relay_pump;

/* Takes both descriptors (non-blocking), also on failure. The pump puts itself on the list, takes
 * itself off it and frees itself when both directions have ended. */
int relay_pump_new(
    uv_loop_t *loop, int client_fd, int server_fd, struct cyg_list *list, struct cyg_err *err);
/* Closes every connection of the list. */
void relay_pump_end_all(struct cyg_list *list);

#endif

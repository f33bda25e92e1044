/* The states of a server record and the pure table of moves between them. */
#ifndef HUB_SRV_STATE_H
#define HUB_SRV_STATE_H

#include "base/str.h"

#include <stdbool.h>

enum srv_state {
	SRV_STOPPED,  /* nothing runs */
	SRV_QUEUED,   /* asked for, waits for a place or for the spawner */
	SRV_STARTING, /* SPAWN was sent, no REPLY yet */
	SRV_WAITING,  /* the socket listens; waits for the first response, then for the route */
	SRV_RUNNING,  /* the route is in force */
	SRV_STOPPING, /* being cleaned up: everything that was started ends through it */
	SRV_STATES,
};

/* Whether the table lets a record go from one state to the other. */
bool srv_may_move(enum srv_state from, enum srv_state to);
/* "stopped", "queued", ... : in the API, the store and the log. */
const char *srv_state_name(enum srv_state state);
/* False when the text names no state. */
bool srv_state_of(struct cyg_str name, enum srv_state *ret);
/* JupyterHub's word: "spawn", "stop", or NULL when nothing is pending. */
const char *srv_state_pending(enum srv_state state);

#endif

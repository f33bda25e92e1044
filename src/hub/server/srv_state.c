/* The table of moves of a server record. Pure; only srv_move (srv.c) acts on it. */
#include "hub/server/srv_state.h"

#include "base/mem.h"

#define TO(state) (1u << (state))

static const unsigned allowed[SRV_STATES] = {
	[SRV_STOPPED] = TO(SRV_QUEUED),
	[SRV_QUEUED] = TO(SRV_STARTING) | TO(SRV_STOPPED), /* nothing outside yet: no clean-up */
	[SRV_STARTING] = TO(SRV_WAITING) | TO(SRV_STOPPING),
	[SRV_WAITING] = TO(SRV_RUNNING) | TO(SRV_STOPPING),
	[SRV_RUNNING] = TO(SRV_STOPPING),
	[SRV_STOPPING] = TO(SRV_STOPPED),
};

static const struct {
	const char *name, *pending;
} states[SRV_STATES] = {
	[SRV_STOPPED] = { "stopped", NULL },
	[SRV_QUEUED] = { "queued", "spawn" },
	[SRV_STARTING] = { "starting", "spawn" },
	[SRV_WAITING] = { "waiting", "spawn" },
	[SRV_RUNNING] = { "running", NULL },
	[SRV_STOPPING] = { "stopping", "stop" },
};

bool srv_may_move(enum srv_state from, enum srv_state to)
{
	return from < SRV_STATES && to < SRV_STATES && (allowed[from] & TO(to)) != 0;
}

const char *srv_state_name(enum srv_state state)
{
	return state < SRV_STATES ? states[state].name : "?";
}

bool srv_state_of(struct cyg_str name, enum srv_state *ret)
{
	for (size_t i = 0; i < CYG_N(states); i++) {
		if (!cyg_str_eq(name, states[i].name))
			continue;
		*ret = (enum srv_state)i;
		return true;
	}
	return false;
}

const char *srv_state_pending(enum srv_state state)
{
	return state < SRV_STATES ? states[state].pending : NULL;
}

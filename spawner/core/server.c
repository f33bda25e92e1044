/* A server as the hub knows it: making, finding and freeing it, and the one function that changes
 * its state. */
#include "base/mem.h"
#include "base/str.h"
#include "spawner/core/spawner.h"

#include <assert.h>
#include <string.h>

#define TO(state) (1U << (state))
static const unsigned allowed[SERVER_STATES] = {
	/* An engine may be ready before it has answered; an adopted server runs at once. */
	[SERVER_ASKED] =
	    TO(SERVER_LAUNCHED) | TO(SERVER_READY) | TO(SERVER_RUNS) | TO(SERVER_STOPPING),
	[SERVER_LAUNCHED] = TO(SERVER_READY) | TO(SERVER_STOPPING),
	[SERVER_READY] = TO(SERVER_RUNS) | TO(SERVER_STOPPING),
	[SERVER_RUNS] = TO(SERVER_STOPPING),
	[SERVER_STOPPING] = TO(SERVER_STOPPING), /* asked again */
};

const enum spawn_state server_wire_states[SERVER_STATES] = {
	[SERVER_ASKED] = SPAWN_STATE_STARTING,
	[SERVER_LAUNCHED] = SPAWN_STATE_STARTING,
	[SERVER_READY] = SPAWN_STATE_STARTING,
	[SERVER_RUNS] = SPAWN_STATE_RUNNING,
	[SERVER_STOPPING] = SPAWN_STATE_STOPPING,
};

struct server *server_new(struct spawner *sp, const char *id, const char *user)
{
	struct server *s = cyg_xcalloc(1, sizeof(*s));

	s->spawner = sp;
	(void)cyg_str_copy(s->id, sizeof(s->id), cyg_str_of(id));
	(void)cyg_str_copy(s->user, sizeof(s->user), cyg_str_of(user));
	cyg_list_add(&sp->servers[SERVER_ASKED], &s->link);
	return s;
}

struct server *server_find(struct spawner *sp, const char *id)
{
	for (size_t i = 0; i < SERVER_STATES; i++) {
		cyg_list_each (l, &sp->servers[i]) {
			struct server *s = CYG_CONTAINER_OF(l, struct server, link);

			if (strcmp(s->id, id) == 0)
				return s;
		}
	}
	return NULL;
}

void server_move(struct server *s, enum server_state to)
{
	assert((allowed[s->state] & TO(to)) != 0);
	cyg_list_remove(&s->spawner->servers[s->state], &s->link);
	cyg_list_add(&s->spawner->servers[to], &s->link);
	s->state = to;
}

enum spawn_state server_wire_state(const struct server *s)
{
	return server_wire_states[s->state];
}

void server_free(struct server *s)
{
	cyg_list_remove(&s->spawner->servers[s->state], &s->link);
	free(s);
}

/* Opens and closes the spawner: first the engine, then what an earlier spawner left, then the
 * connections of hubs. */
#include "spawner/core/spawner.h"

#include "base/mem.h"

#include <stdlib.h>
#include <unistd.h>

void spawner_open(struct spawner *sp, int listen_fd)
{
	for (size_t i = 0; i < SERVER_STATES; i++)
		cyg_list_init(&sp->servers[i]);
	cyg_list_init(&sp->hubs);
	cyg_list_init(&sp->requests);
	sp->listen_fd = listen_fd;
	sp->engine->open(sp->engine_arg, &spawner_events, sp);
	request_adoption(sp);
}

void spawner_close(struct spawner *sp)
{
	sp->closing = true;
	hubs_close(sp);
	sp->engine->close(sp->engine_arg);
	requests_forget(sp);
	for (size_t i = 0; i < SERVER_STATES; i++)
		cyg_list_each_safe (l, &sp->servers[i])
			server_free(CYG_CONTAINER_OF(l, struct server, link));
	cyg_close(sp->listen_fd);
	policy_free(sp->policy);
}

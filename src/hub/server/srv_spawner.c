/* Decides which of the spawners a server is with. A profile names a template, and the spawner that
 * has the template runs it. */
#include "hub/server/srv_priv.h"

struct spawner *srv_spawner(const struct srv *srv)
{
	const struct spawners *all = srv->srvs->spawners;
	const struct profile *f = srv_profile(srv);

	if (srv->spawner != NULL)
		return srv->spawner;
	if (spawners_at(all, 1) == NULL)
		return spawners_at(all, 0);
	return f != NULL ? spawners_with(all, f->template_) : NULL;
}

bool srv_can_leave(const struct srv *srv)
{
	const struct spawner *s = srv_spawner(srv);

	return s != NULL ? spawner_is_known(s) : spawners_all_known(srv->srvs->spawners, NULL);
}

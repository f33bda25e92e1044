/* What stages usually take is made of what they took: written once for each start. A hub that ends
 * in the middle of one loses its times, which are of no other use. */
#include "hub/server/srv_priv.h"
#include "store/store.h"

void srv_on_moved_times(void *unused, const struct srv_moved *m)
{
	struct srv *srv = m->srv;

	(void)unused;
	if (m->from != SRV_STARTING && m->from != SRV_WAITING)
		return;
	if (srv->state != SRV_RUNNING && srv->state != SRV_STOPPING)
		return;
	for (size_t i = 0; i < srv->stages.n; i++) {
		const struct stage *st = &srv->stages.list[i];
		if (st->whole)
			store_stage_add(srv->srvs->opts.store, srv->choice.stack, st->name, st->ms);
	}
}

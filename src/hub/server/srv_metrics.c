/* Counts moves of server records for the metrics. */
#include "hub/base/hub_metrics.h"
#include "hub/server/srv.h"

void srv_on_moved_metrics(void *metrics, const struct srv_moved *m)
{
	const struct srv *srv = m->srv;

	if (srv->state == SRV_QUEUED)
		metrics_inc(metrics, HUB_STARTS, METRIC_PLAIN);
	else if (srv->state == SRV_RUNNING)
		metrics_observe(metrics, HUB_SPAWN_SECONDS, METRIC_AT(HUB_SUCCESS),
		    hub_metrics_since(srv->asked_ms));
	else if (m->from == SRV_STOPPING && srv->since_us >= m->since_us)
		metrics_observe(metrics, HUB_STOP_SECONDS, METRIC_AT(HUB_SUCCESS),
		    (double)(srv->since_us - m->since_us) / 1e6);
}

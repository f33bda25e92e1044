/* The table of the proxy's metrics, filled from its counts for each scrape. */
#include "proxy/metrics.h"

#include "proxy/listen.h"

enum {
	REQUESTS,
	REFUSALS,
	CUT,
	ACCEPTED,
	CONNECTIONS,
	WEBSOCKETS,
	UPSTREAMS,
	RECEIVED,
	SENT,
	HAS_TABLE,
	GENERATION,
	ROUTES,
	CREDENTIALS,
};

static const char *const classes[] = { "1xx", "2xx", "3xx", "4xx", "5xx", NULL };
static const char *const causes[] = {
	[REFUSED_HEAD] = "head",
	[REFUSED_SLOW_HEAD] = "slow_head",
	[REFUSED_BODY] = "body",
	[REFUSED_SLOW_BODY] = "slow_body",
	[REFUSED_HOST] = "host",
	[REFUSED_PATH] = "path",
	[REFUSED_UPGRADE] = "upgrade",
	[REFUSED_NO_TABLE] = "no_table",
	[REFUSED_NO_ROUTE] = "no_route",
	[REFUSED_ORIGIN] = "origin",
	[REFUSED_CREDENTIAL] = "credential",
	[REFUSED_UNREACHABLE] = "target_unreachable",
	[REFUSED_LATE] = "target_late",
	[REFUSED_BAD_RESPONSE] = "target_invalid",
	[REFUSED_N] = NULL,
};
static const char *const listeners[] = { "http", "inner", "other", NULL };
static const char *const uses[] = { "new", "reused", NULL };
static const char *const sides[] = { "client", "target", NULL };
enum { CLIENT_SIDE, TARGET_SIDE };

const struct metric_def proxy_metrics[] = {
	[REQUESTS] = { "cygnet_proxy_requests_total", METRIC_COUNTER, NULL,
	    "Requests that ended, by class of the response's status; a WebSocket is 1xx.",
	    .labels = { { "code", classes } } },
	[REFUSALS] = { "cygnet_proxy_refusals_total", METRIC_COUNTER, NULL,
	    "Requests that the proxy did not pass on, or whose target failed, by cause.",
	    .labels = { { "cause", causes } } },
	[CUT] = { "cygnet_proxy_cut_responses_total", METRIC_COUNTER, NULL,
	    "Responses that a target did not bring to their end.", .sparse = false },
	[ACCEPTED] = { "cygnet_proxy_accepted_total", METRIC_COUNTER, NULL,
	    "Connections of clients that were accepted.", .sparse = false },
	[CONNECTIONS] = { "cygnet_proxy_connections", METRIC_GAUGE, NULL,
	    "Connections of clients that are open.", .labels = { { "listener", listeners } } },
	[WEBSOCKETS] = { "cygnet_proxy_websockets", METRIC_GAUGE, NULL, "WebSockets that are open.",
	    .sparse = false },
	[UPSTREAMS] = { "cygnet_proxy_upstream_connections_total", METRIC_COUNTER, NULL,
	    "Connections to targets that a request was given: made for it, or kept from another.",
	    .labels = { { "use", uses } } },
	[RECEIVED] = { "cygnet_proxy_received_bytes_total", METRIC_COUNTER, "bytes",
	    "Bytes that came from clients and from targets, inside TLS where there is any.",
	    .labels = { { "side", sides } } },
	[SENT] = { "cygnet_proxy_sent_bytes_total", METRIC_COUNTER, "bytes",
	    "Bytes that went to clients and to targets.", .labels = { { "side", sides } } },
	[HAS_TABLE] = { "cygnet_proxy_table_in_force", METRIC_GAUGE, NULL,
	    "1 when there is a table; 0 until the hub has sent the first.", .sparse = false },
	[GENERATION] = { "cygnet_proxy_table_generation", METRIC_GAUGE, NULL,
	    "Generation of the table in force.", .sparse = false },
	[ROUTES] = { "cygnet_proxy_table_routes", METRIC_GAUGE, NULL,
	    "Routes of the table in force.", .sparse = false },
	[CREDENTIALS] = { "cygnet_proxy_table_credentials", METRIC_GAUGE, NULL,
	    "Credentials of the table in force: sessions, tokens and servers.", .sparse = false },
	{ .name = NULL },
};

static void take_traffic(struct metrics *m, uint16_t side, const struct peer_traffic *t)
{
	metrics_copy(m, RECEIVED, METRIC_AT(side), (double)t->received);
	metrics_copy(m, SENT, METRIC_AT(side), (double)t->sent);
}

static void take_connections(struct metrics *m, const struct proxy *p)
{
	double n_open[CYG_N(listeners) - 1] = { 0 };

	cyg_list_each (it, &p->listeners) {
		const struct listener *l = CYG_CONTAINER_OF(it, struct listener, link);

		n_open[metric_label_index(&proxy_metrics[CONNECTIONS].labels[0],
		    cyg_str_of(l->name))] += (double)l->n_open;
	}
	for (uint16_t i = 0; i < (uint16_t)CYG_N(n_open); i++)
		metrics_set(m, CONNECTIONS, METRIC_AT(i), n_open[i]);
	metrics_set(m, WEBSOCKETS, METRIC_PLAIN, (double)p->lists[CLIENT_TUNNEL].n);
}

static void take_table(struct metrics *m, const struct table *t)
{
	metrics_set(m, HAS_TABLE, METRIC_PLAIN, t != NULL ? 1 : 0);
	if (t == NULL)
		return;
	metrics_set(m, GENERATION, METRIC_PLAIN, (double)t->generation);
	metrics_set(m, ROUTES, METRIC_PLAIN, (double)t->n_routes);
	metrics_set(m, CREDENTIALS, METRIC_PLAIN, (double)t->n_creds);
}

static void take_counts(struct metrics *m, const struct proxy *p)
{
	for (uint16_t i = 1; i < (uint16_t)CYG_N(p->n_status); i++)
		metrics_copy(m, REQUESTS, METRIC_AT((uint16_t)(i - 1)), (double)p->n_status[i]);
	for (uint16_t i = 0; i < (uint16_t)REFUSED_N; i++)
		metrics_copy(m, REFUSALS, METRIC_AT(i), (double)p->n_refused[i]);
	for (uint16_t i = 0; i < (uint16_t)CYG_N(p->n_upstreams); i++)
		metrics_copy(m, UPSTREAMS, METRIC_AT(i), (double)p->n_upstreams[i]);
	metrics_copy(m, CUT, METRIC_PLAIN, (double)p->n_cut);
	metrics_copy(m, ACCEPTED, METRIC_PLAIN, (double)p->n_accepted);
}

int proxy_metrics_write(const struct proxy *p, struct cyg_buf *out, struct cyg_err *err)
{
	struct metrics *m = metrics_new(proxy_metrics);
	int rc;

	take_counts(m, p);
	take_connections(m, p);
	take_traffic(m, CLIENT_SIDE, &p->client_traffic);
	take_traffic(m, TARGET_SIDE, &p->target_traffic);
	take_table(m, p->table);
	rc = metrics_write(m, out, err);
	metrics_free(m);
	return rc < 0 ? rc : metrics_write_process("", out, err);
}

/* The root of the process: what every file of the proxy may reach. */
#ifndef PROXY_PROXY_H
#define PROXY_PROXY_H

#include "base/hash.h"
#include "daemon/loop.h"
#include "proxy/client.h"
#include "proxy/edge.h"
#include "proxy/options.h"
#include "proxy/peer.h"
#include "proxy/refusal.h"
#include "proxy/table.h"

struct http_server;

/* When a user's server was last used. Kept when the table changes, while connections use it. */
struct activity {
	uint64_t last_ms; /* of the loop's clock */
	size_t n_routes;  /* of the table in force that lead to it */
	size_t conns;
};

struct proxy {
	struct proxy_options options;
	struct cyg_loop *daemon;
	uv_loop_t *loop;

	struct table *table;             /* in force; NULL: none yet */
	struct cyg_hash *pools;          /* target → struct pool */
	struct cyg_hash *activity;       /* server id → struct activity */
	struct cyg_list lists[CLIENT_N]; /* every connection is on the one of its state */
	struct cyg_list turns;           /* connections whose steps go on in the next turn */
	uv_idle_t turn;                  /* active while there are any */

	struct cyg_list listeners; /* struct listener */
	uint64_t connections_max;  /* at the public listener; the others have a share of it */
	struct http_server *control;
	uv_timer_t janitor;
	uv_timer_t drain;
	uv_signal_t hangup;
	bool draining;
	uint64_t drain_end_ms;

	struct peer_spares spares;
	struct cyg_buf head;     /* scratch: a head being written */
	struct http_head parsed; /* scratch: a head just parsed */
	uint64_t n_accepted;
	uint64_t n_status[6]; /* responses by first digit */
	uint64_t n_cut;       /* connections ended before their response was complete */
	uint64_t n_refused[REFUSED_N];
	uint64_t n_upstreams[2]; /* given to a request: new ones, reused ones */
	struct peer_traffic client_traffic, target_traffic;
};

/* Ends the proxy: no new connections; requests in flight may finish within drain-timeout. */
void proxy_drain(struct proxy *p, const char *why);

#endif

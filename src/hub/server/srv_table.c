/* A server's rows in the proxies' table: its route while it can be reached, and the credential with
 * which it reaches the hub. */
#include "base/mem.h"
#include "hub/server/srv_priv.h"

#include <string.h>

static void tell_route(const struct srv *srv)
{
	cyg_autofree char *path = srv_socket(srv);
	cyg_autofree char *target = cyg_xasprintf("unix:%s", path);

	proxy_link_set_route(srv->srvs->opts.proxy, &(struct hub_route){ .prefix = srv->base_url,
							.target = target,
							.auth = CYG_ROUTE_AUTH_SESSION,
							.owner = srv->user,
							.name = srv->name,
							.server = srv->id });
}

static void tell_credential(const struct srv *srv)
{
	proxy_link_set_credential(srv->srvs->opts.proxy,
	    &(struct hub_credential){
		.sha256 = srv->credential_sum, .user = srv->user, .server = srv->id });
}

void srv_open_route(struct srv *srv)
{
	srv->routed = true;
	tell_route(srv);
}

void srv_on_moved_route(void *unused, const struct srv_moved *m)
{
	struct srv *srv = m->srv;

	(void)unused;
	if (srv->state != SRV_STOPPING)
		return;
	srv->routed = false;
	proxy_link_drop_route(srv->srvs->opts.proxy, NULL, srv->base_url);
}

void srv_open_credential(struct srv *srv)
{
	secret_new(srv->credential);
	secret_sum(cyg_str_of(srv->credential), srv->credential_sum);
	tell_credential(srv);
}

void srv_close_credential(struct srv *srv)
{
	if (srv->credential_sum[0] == '\0')
		return;
	proxy_link_drop_credential(srv->srvs->opts.proxy, srv->credential_sum);
	srv->credential_sum[0] = '\0';
}

void srvs_tell_proxies(const struct srvs *srvs)
{
	const struct srv *srv = NULL;
	size_t pos = 0;

	while (srvs_next(srvs, &pos, &srv)) {
		if (srv->routed)
			tell_route(srv);
		if (srv->credential_sum[0] != '\0')
			tell_credential(srv);
	}
}

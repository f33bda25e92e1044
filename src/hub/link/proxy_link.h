/* The hub's side of every proxy's control socket: keeps the table (table.h) and tells every proxy
 * what has changed in it, waits until it is in force, and asks for activity. Proxies are the
 * folders RUN/proxy/N with a control.sock. Users' credentials are looked after here, servers by
 * srv_table.c.
 */
#ifndef HUB_PROXY_LINK_H
#define HUB_PROXY_LINK_H

#include "hub/hub.h"
#include "hub/link/table.h"

/* why is NULL when the table is in force at every connected proxy. Never from inside the call. */
typedef void (*proxy_pushed_fn)(void *arg, uint32_t ticket, const struct cyg_err *why);

int proxy_link_new(struct hub *hub, struct proxy_link **ret, struct cyg_err *err);
/* No callback comes after it. NULL is accepted. */
void proxy_link_close(struct proxy_link *link);
/* Rows of the table: after this turn's commit every proxy is told what has changed. */
void proxy_link_set_route(struct proxy_link *link, const struct hub_route *r);
void proxy_link_drop_route(struct proxy_link *link, const char *host, const char *prefix);
void proxy_link_set_credential(struct proxy_link *link, const struct hub_credential *c);
void proxy_link_drop_credential(struct proxy_link *link, const char *sha256);
/* done tells when what is true now is in force; what changes later is not waited for. Returns a
 * ticket for proxy_link_forget. */
uint32_t proxy_link_push(struct proxy_link *link, proxy_pushed_fn done, void *arg);
void proxy_link_forget(struct proxy_link *link, uint32_t ticket);
/* Number of proxies that have the newest table. */
size_t proxy_link_ready(const struct proxy_link *link);

#endif

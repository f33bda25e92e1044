/* The hub's side of every proxy's control socket: pushes the whole table, waits until it is in
 * force, and asks for activity. Proxies are the folders RUN/proxy/N with a control.sock. */
#ifndef HUB_PROXY_LINK_H
#define HUB_PROXY_LINK_H

#include "hub/hub.h"

/* why is NULL when the table is in force at every connected proxy. Never from inside the call. */
typedef void (*proxy_pushed_fn)(void *arg, uint32_t ticket, const struct cyg_err *why);

int proxy_link_new(struct hub *hub, struct proxy_link **ret, struct cyg_err *err);
/* No callback comes after it. NULL is accepted. */
void proxy_link_close(struct proxy_link *link);
/* The table has changed: after this turn's commit it goes to every proxy. done (may be NULL) tells
 * when what is true now is in force. Returns a ticket for proxy_link_forget, 0 without done. */
uint32_t proxy_link_push(struct proxy_link *link, proxy_pushed_fn done, void *arg);
void proxy_link_forget(struct proxy_link *link, uint32_t ticket);
/* Number of proxies that have the newest table. */
size_t proxy_link_ready(const struct proxy_link *link);

#endif

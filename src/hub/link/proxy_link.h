/* The hub's side of every proxy's control socket: keeps the table (table.h) and tells every proxy
 * what has changed in it, waits until it is in force, and asks for activity. Proxies are the
 * folders RUN/proxy/N with a control.sock. Rows come from the parts above: users' credentials by
 * proxy_link_on_credential, servers by srv_table.c. */
#ifndef HUB_PROXY_LINK_H
#define HUB_PROXY_LINK_H

#include "hub/access/credentials.h"
#include "hub/link/table.h"
#include "store/store.h"

#include <uv.h>

struct proxy_link;

/* why is NULL when the table is in force at every connected proxy. Never from inside the call. */
typedef void (*proxy_pushed_fn)(void *arg, uint32_t ticket, const struct cyg_err *why);

struct proxy_link_opts {
	uv_loop_t *uv;
	struct store *store;
	const char *run_dir; /* copied */
	uint64_t activity_ms;
	/* The table is made anew, from what memory holds: every row has to be set again, except the
	 * hub's own. */
	void (*on_remake)(void *arg, struct proxy_link *link);
	/* A proxy saw a browser use that server (wall clock). */
	void (*on_activity)(void *arg, const char *server_id, int64_t at_us);
	/* A push that began then (monotonic) is in force, or was given up. */
	void (*on_pushed)(void *arg, uint64_t begun_ms, bool in_force);
	void *arg;
};

/* A table with the hub's own routes. The callbacks come on the loop. */
int proxy_link_new(
    const struct proxy_link_opts *opts, struct proxy_link **ret, struct cyg_err *err);
/* No callback comes after it. NULL is accepted. */
void proxy_link_close(struct proxy_link *link);
/* Rows of the table: after this turn's commit every proxy is told what has changed. */
void proxy_link_set_route(struct proxy_link *link, const struct hub_route *r);
void proxy_link_drop_route(struct proxy_link *link, const char *host, const char *prefix);
void proxy_link_set_credential(struct proxy_link *link, const struct hub_credential *c);
void proxy_link_drop_credential(struct proxy_link *link, const char *sha256);
/* done is called when the present table is in force; later changes are not waited for. Returns a
 * ticket for proxy_link_forget. */
uint32_t proxy_link_push(struct proxy_link *link, proxy_pushed_fn done, void *arg);
void proxy_link_forget(struct proxy_link *link, uint32_t ticket);
/* For credentials_watch; arg is the link: sets and drops the credential's row. */
void proxy_link_on_credential(void *arg, const struct credential *c, bool live);
/* The store whose turns it waits for. */
struct store *proxy_link_store(const struct proxy_link *link);
/* Number of proxies that have the newest table. */
size_t proxy_link_ready(const struct proxy_link *link);

#endif

/* Reports to the hub, by the proxy's inner listener, when kernels and terminals were last active.
 */
#ifndef AGENT_HUB_LINK_H
#define AGENT_HUB_LINK_H

#include <stdint.h>
#include <uv.h>

struct hub_link;

struct hub_link_opts {
	uv_loop_t *loop;
	const char *run_dir;  /* hub.sock and secrets/credential are below it */
	const char *base_url; /* "/user/NAME" or "/user/NAME/SERVER": names user and server */
	/* Microseconds since 1970 of the latest activity, 0 when there was none. */
	int64_t (*last_activity)(void *arg);
	void *arg;
};

/* Reports every minute while something changed. Without an inner listener it reports nothing. */
struct hub_link *hub_link_new(const struct hub_link_opts *opts);
void hub_link_close(struct hub_link *h);

#endif

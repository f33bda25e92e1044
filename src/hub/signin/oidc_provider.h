/* What is known about one OpenID provider: its discovery document and its keys, read when needed,
 * kept, and read again; one reading at a time, for all who wait. Also whether it responds at all.
 */
#ifndef HUB_OIDC_PROVIDER_H
#define HUB_OIDC_PROVIDER_H

#include "base/list.h"
#include "daemon/curl.h"
#include "hub/signin/oidc_config.h"
#include "oidc/oidc.h"

struct oidc_provider;

enum { OIDC_MESSAGE_SIZE = 200 };

/* Called once, from the loop; why is NULL when what was asked for is there. */
typedef void (*oidc_ready_fn)(void *arg, const struct cyg_err *why);

/* One that waits; embedded in what waits. Zero it before its first use. */
struct oidc_wait {
	struct cyg_link link;
	struct cyg_list *list; /* NULL: does not wait */
	oidc_ready_fn fn;
	void *arg;
};

/* Called whenever the provider went down (since_us, a sentence) or up (0, ""). */
typedef void (*oidc_state_fn)(void *arg, int64_t since_us, const char *message);

/* Reads from the provider at once and then every check interval. config is borrowed. */
struct oidc_provider *oidc_provider_new(uv_loop_t *loop, struct cyg_curl *curl,
    const struct oidc_config *config, oidc_state_fn on_state, void *arg);
/* Nothing may be waiting. NULL is accepted. */
void oidc_provider_close(struct oidc_provider *p);

/* A discovery document no older than the check interval. 1: it is there; 0: fn comes; negative: it
 * cannot be had. */
int oidc_provider_want_document(
    struct oidc_provider *p, struct oidc_wait *w, oidc_ready_fn fn, void *arg, struct cyg_err *err);
/* The keys, in the same way. With unknown, the kept ones do not fit: they are read again, but not
 * more often than the keys interval allows: -CYG_EDENIED. */
int oidc_provider_want_keys(struct oidc_provider *p, bool unknown, struct oidc_wait *w,
    oidc_ready_fn fn, void *arg, struct cyg_err *err);
/* fn will not come. */
void oidc_wait_cancel(struct oidc_wait *w);

/* Borrowed until the next turn of the loop; NULL when never read. */
const struct oidc_endpoints *oidc_provider_endpoints(const struct oidc_provider *p);
const struct jose_jwks *oidc_provider_keys(const struct oidc_provider *p);
const struct oidc_config *oidc_provider_config(const struct oidc_provider *p);
struct cyg_curl *oidc_provider_curl(const struct oidc_provider *p);
/* A call to it failed: it counts as down until it responds again. */
void oidc_provider_failed(struct oidc_provider *p, const struct cyg_err *why);

#endif

/* What the hub offers: the profiles of the start form, the software tree of their stacks, and the
 * catalogue of Spark clusters. User options are choice.h's; who may have which is policy.h's. */
#ifndef HUB_OFFER_H
#define HUB_OFFER_H

#include "cygnet/err.h"

#include <stdint.h>
#include <uv.h>

struct clusters;
struct profiles;
struct software;

/* Texts are borrowed for as long as the wing lives. */
struct offer_opts {
	uv_loop_t *uv;
	const char *profiles;      /* the file */
	const char *catalogue;     /* of clusters, or NULL */
	const char *software_tree; /* or NULL */
	uint64_t software_refresh_ms, software_timeout_ms;
};

struct offer {
	struct offer_opts opts;
	struct profiles *profiles;
	struct clusters *clusters; /* NULL: no catalogue is configured */
	struct software *software; /* NULL: no tree is configured */
};

/* Reads the profiles, and begins to read the tree. */
int offer_open(const struct offer_opts *opts, struct offer **ret, struct cyg_err *err);
/* Ends the handles on the loop, which runs once more before offer_free; no request waits for the
 * catalogue then. NULL is accepted. */
void offer_close(struct offer *offer);
/* NULL is accepted. */
void offer_free(struct offer *offer);

#endif

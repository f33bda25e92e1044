/* What notebooks keep of a choice (cluster, flavour, bundles, options), told by their editors: it
 * counts when the kernel asks for its session by itself, at the first use of `spark`. Lives in
 * memory; an editor tells it again when it finds the agent anew. */
#ifndef SPARK_CHOICES_H
#define SPARK_CHOICES_H

#include "base/list.h"
#include "kernels/spark/want.h"

enum { CHOICES_MAX = 64 };

struct choices {
	struct cyg_list list; /* the latest last; the oldest goes when there are too many */
};

void choices_init(struct choices *c);
void choices_free(struct choices *c);
/* Copies; replaces what the kernel had. */
void choices_set(struct choices *c, const struct session_want *want);
void choices_drop(struct choices *c, const char *kernel);
/* Fills what the kernel did not say itself: cluster, flavour, bundles and the notebook's part. The
 * texts are the list's, until the next call. */
void choices_apply(const struct choices *c, struct session_want *want);

#endif

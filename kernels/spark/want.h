/* What somebody wants of a session, as JSON: the body of POST /sessions, POST …/connections and
 * POST …/preview. */
#ifndef SPARK_WANT_H
#define SPARK_WANT_H

#include "cygnet/err.h"
#include "kernels/base/tape.h"
#include "kernels/spark/session.h"

struct want {
	struct session_want session; /* borrows from the body and from what follows */
	struct tape *tape_;
	char *kernel_, *cwd_, *cluster_;
};

/* {"kernel", "cwd"?, "cluster"?, "flavour"?, "bundles"?, "options"?, "notebook"?, "user"?,
 * "pythonpath"?}. What is wrong is said in a sentence; what only the hub can know is not looked at.
 * Free it in any case. body must outlive it. */
int want_read(struct cyg_str body, struct want *ret, struct cyg_err *err);
void want_free(struct want *w);
/* Whether it can be a cluster's id: a name of the catalogue, which is part of paths here. */
bool want_cluster_is_ok(const char *id);

#endif

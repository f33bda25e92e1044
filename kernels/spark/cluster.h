/* What the sessions of a server share: the daemons of one cluster (none where Spark runs inside the
 * driver), its ports, and the secret that counts as long as they live. A daemon that ends by itself
 * is started again with the same ports and secret.
 *
 * ABSENT: nobody needs it. STARTING: the first daemon starts. OPEN: it listens, so drivers may
 * start and ask it; the others start. UP: it has resources. FAILED: it could not start, or kept
 * ending; who needs it next starts it anew. */
#ifndef SPARK_CLUSTER_H
#define SPARK_CLUSTER_H

#include "base/list.h"
#include "cygnet/err.h"
#include "cygnet/init_msg.h"
#include "kernels/base/init_link.h"
#include "kernels/spark/answer.h"
#include "kernels/spark/archive.h"
#include "kernels/spark/fill.h"
#include "kernels/spark/stack.h"

#include <uv.h>

struct cluster;

enum cluster_state {
	CLUSTER_ABSENT,
	CLUSTER_STARTING,
	CLUSTER_OPEN,
	CLUSTER_UP,
	CLUSTER_FAILED,
	CLUSTER_STATES,
};

struct cluster_opts {
	uv_loop_t *loop;
	struct init_link *init;
	const struct spark_stack *stack;
	struct archive *archive; /* of the stack, or NULL */
	const char *run_dir;
	bool is_own; /* the one that the start form chose: scripts use it, logs have its short name
		      */
	/* After each change of the state. */
	void (*on_change)(void *arg, struct cluster *c);
	/* A daemon ended and is being started again: a sentence for running cells. */
	void (*on_news)(void *arg, struct cluster *c, const char *text);
	void *arg;
};

/* Strings of opts must outlive it. */
struct cluster *cluster_new(const struct cluster_opts *opts, const char *id);
/* Its daemons go on, for the next agent. NULL is accepted. */
void cluster_close(struct cluster *c);

const char *cluster_id(const struct cluster *c);
enum cluster_state cluster_state_of(const struct cluster *c);
const char *cluster_state_name(const struct cluster *c);
/* Of FAILED: a sentence. */
const char *cluster_why(const struct cluster *c);
/* The hub's name for people, NULL before the first start. */
const char *cluster_label(const struct cluster *c);
/* True when drivers may start. */
bool cluster_is_open(const struct cluster *c);
/* Folders, ports and secret of the cluster that was started last. */
const struct fill *cluster_fill(const struct cluster *c);
/* Starts it as the hub's response says, when it is ABSENT or FAILED; text is that response, which
 * is kept for later starts of its daemons. on_change comes, maybe from inside. */
void cluster_start(struct cluster *c, struct cyg_str text);
/* Ends its daemons and forgets its secret; on_change does not come. */
void cluster_stop(struct cluster *c);

/* ---- after a restart of the agent, in this order ---- */
/* Reads what the earlier agent left; nothing there is no error. */
void cluster_restore(struct cluster *c);
/* A child that is a daemon of this cluster; false: it is not. */
bool cluster_on_child(struct cluster *c, const struct init_child *child);
bool cluster_on_exited(struct cluster *c, const struct init_exited *exited);
/* All children are known. */
void cluster_settle(struct cluster *c);

#endif

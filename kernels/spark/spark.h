/* The agent's Spark: the environment by which kernels and terminals find the configuration, and the
 * cluster. Nothing is started before it is needed: Spark's own launcher sources our spark-env.sh,
 * which asks on a socket in the run folder and waits until the cluster is up. */
#ifndef SPARK_SPARK_H
#define SPARK_SPARK_H

#include "cygnet/err.h"
#include "cygnet/init_msg.h"
#include "http/server.h"
#include "kernels/base/env.h"
#include "kernels/base/jsonw.h"

#include <uv.h>

struct init_link;
struct spark;

struct spark_opts {
	uv_loop_t *loop;
	struct init_link *init;
	const char *run_dir; /* secrets/, runtime/ and log/ are below it; hub.sock beside them */
	const char *base_url;
	const char *cluster; /* id the start form chose; NULL or "": no Spark here */
	const char *program; /* path of this program, for spark-env.sh */
};

enum spark_state {
	SPARK_OFF,      /* no cluster was chosen, or the stack has no Spark */
	SPARK_ABSENT,   /* it was not asked for yet */
	SPARK_ASKING,   /* the hub renders the configuration */
	SPARK_STARTING, /* its daemons start */
	SPARK_UP,
	SPARK_FAILED, /* says why; the next request tries again */
	SPARK_STATES,
};

/* Strings must outlive it. Writes the folders that the environment names; setup is the environment
 * of the stack. On failure Spark stays off and *err says why. */
int spark_new(
    const struct spark_opts *opts, char *const *setup, struct spark **ret, struct cyg_err *err);
/* The cluster's daemons go on, for the next agent. NULL is accepted. */
void spark_close(struct spark *s);
enum spark_state spark_state_of(const struct spark *s);
/* Adds what kernels and terminals need: SPARK_CONF_DIR, SPARK_LOCAL_IP, PYTHONPATH. Nothing when
 * off. */
void spark_extend_env(const struct spark *s, struct env *env);
/* The argument that makes ipykernel load our extension ("--ext=cygnet_spark"), or NULL when off. */
const char *spark_kernel_word(const struct spark *s);
/* A child with tag "spark:…" that an earlier agent started; and the end of one. */
void spark_on_child(struct spark *s, const struct init_child *child);
void spark_on_exited(struct spark *s, const struct init_exited *exited);
/* Call it when all children of an earlier agent are known. */
void spark_settle(struct spark *s);

/* `cygnet-agent --spark-up SOCKET`, run by spark-env.sh: waits until the cluster is up. 0, or 1
 * with the reason on standard error. Blocking: it is a program of its own. */
int spark_up_client(const char *socket_path);

/* GET api/cygnet/spark. Mounted with the place of a struct spark *: NULL while there is none. */
extern const struct http_endpoint spark_endpoints[];

#endif

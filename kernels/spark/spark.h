/* The agent's Spark: the environment by which kernels and terminals find it, the sessions that
 * kernels use, and the cluster that those share. Nothing is started before it is needed: a kernel
 * asks for its session on a socket in the run folder, and Spark's own launcher sources our
 * spark-env.sh, which asks there too and waits until the cluster is up. */
#ifndef SPARK_SPARK_H
#define SPARK_SPARK_H

#include "cygnet/err.h"
#include "cygnet/init_msg.h"
#include "http/server.h"
#include "kernels/base/env.h"

#include <uv.h>

struct events;
struct init_link;
struct monitor;
struct spark;

struct spark_opts {
	uv_loop_t *loop;
	struct init_link *init;
	struct events *events;
	const char *run_dir; /* secrets/, runtime/ and log/ are below it; hub.sock beside them */
	const char *home;
	const char *base_url;
	const char *cluster; /* id the start form chose */
	unsigned idle_s;     /* a session that was not used for so long is released; 0: never */
	const char *program; /* path of this program, for spark-env.sh */
	/* Whether that kernel runs something now. */
	bool (*is_busy)(void *arg, const char *kernel);
	void *arg;
	bool is_first; /* no earlier agent of this server left anything */
};

/* Strings must outlive it. Writes the folders that the environment names; setup is the environment
 * of the stack. On failure Spark stays off and *err says why. */
int spark_new(
    const struct spark_opts *opts, char *const *setup, struct spark **ret, struct cyg_err *err);
/* Drivers and daemons go on, for the next agent. NULL is accepted, here and below. */
void spark_close(struct spark *s);
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
/* "restart" and "shutdown" of a kernel have been done. */
void spark_on_kernel(struct spark *s, const char *action, const char *kernel);
/* A kernel is done with a cell (its execute_request's id), or with all of them: p NULL. */
void spark_on_done(struct spark *s, const char *kernel, struct cyg_str msg_id);
/* What watches its applications. */
struct monitor *spark_monitor(struct spark *s);

/* `cygnet-agent --spark-up SOCKET`, run by spark-env.sh: waits until the cluster is up. 0, or 1
 * with the reason on standard error. Blocking: it is a program of its own. */
int spark_up_client(const char *socket_path);

/* api/cygnet/spark and below. Mounted with the place of a struct spark *: NULL while there is none.
 */
extern const struct http_endpoint spark_endpoints[];

#endif

/* What the files of the agent's Spark share. */
#ifndef SPARK_SPARK_PRIV_H
#define SPARK_SPARK_PRIV_H

#include "base/list.h"
#include "http/client.h"
#include "kernels/spark/spark.h"
#include "kernels/spark/stack.h"

enum { SPARK_DAEMONS = 2, SPARK_ANSWER_MAX = 1024 * 1024 };
enum { SPARK_MASTER, SPARK_WORKER };

struct spark_ports {
	unsigned master, master_web, worker_web, driver_ui;
};

struct spark {
	struct spark_opts opts;
	enum spark_state state;
	char *why; /* of FAILED: one sentence for users */
	struct spark_stack stack;
	char *secrets_dir; /* RUN/secrets/spark: daemon/ and driver/ below it */
	char *runtime_dir; /* RUN/runtime/spark: work, local, python */
	char *socket_path; /* where spark-env.sh asks */
	struct http_server *server;
	int listen_fd;           /* until it accepts */
	struct cyg_list waiters; /* requests that wait for the cluster */
	struct http_call *call;
	uv_timer_t timer; /* checks whether the worker has registered, up to a time limit */
	uint64_t deadline_ms;
	struct spark_ports ports;
	int pids[SPARK_DAEMONS]; /* 0: not running */
	unsigned worker_cores, worker_mb, daemon_mb;
	char *kind, *label; /* of the cluster, as the hub says */
	char *properties;   /* JSON array from the hub, without secrets; what the page shows */
	bool closing;
};

/* ---- spark_files.c ---- */
/* Writes spark-env.sh and our Python module, which are there before any kernel. */
int spark_write_hooks(struct spark *s, struct cyg_err *err);
/* Replaces a file below the secrets folder (0400). */
int spark_write_secret(struct spark *s, const char *name, struct cyg_str text, struct cyg_err *err);
/* Four free ports on loopback. */
int spark_pick_ports(struct spark_ports *ports, struct cyg_err *err);
void spark_wipe(struct spark *s);

/* ---- spark_daemons.c ---- */
/* Starts master and worker as children of init; done through spark_daemons_failed or the timer. */
int spark_daemons_start(struct spark *s, struct cyg_err *err);
void spark_daemons_stop(struct spark *s);

/* ---- spark.c ---- */
void spark_fail(struct spark *s, const char *why);
void spark_up(struct spark *s);
/* Accepts requests for the cluster from now on: called once what an earlier agent left is known. */
void spark_accept(struct spark *s);
void spark_move(struct spark *s, enum spark_state to, const char *why);

#endif

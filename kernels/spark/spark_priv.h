/* What the files of the agent's Spark share. */
#ifndef SPARK_SPARK_PRIV_H
#define SPARK_SPARK_PRIV_H

#include "base/list.h"
#include "http/client.h"
#include "kernels/spark/choices.h"
#include "kernels/spark/hub_ask.h"
#include "kernels/spark/monitor.h"
#include "kernels/spark/report.h"
#include "kernels/spark/sessions.h"
#include "kernels/spark/spark.h"
#include "kernels/spark/stack.h"

struct spark {
	struct spark_opts opts;
	struct hub_ask_opts hub;
	struct spark_stack stack;
	struct archive *archive;
	char *cache_dir; /* HOME/.cache/cygnet/spark */
	struct sessions *sessions;
	struct choices choices;
	struct monitor *monitor;
	struct report *report;
	char *secrets_dir; /* RUN/secrets/spark */
	char *runtime_dir; /* RUN/runtime/spark */
	char *socket_path; /* where kernels and spark-env.sh ask */
	struct http_server *server;
	int listen_fd;             /* until it accepts */
	struct cyg_list waiters;   /* requests that wait for the cluster */
	struct http_call *up_call; /* asks the hub for the cluster alone */
	char *up_why;              /* why that failed, or NULL */
	char *label;               /* of the server's own cluster, as the hub says */
	char *properties; /* JSON array from the hub, without secrets; what the page shows */
};

/* ---- spark.c ---- */
/* {"app": {…}, "properties": […]}: the state of the server's own cluster, and where values came
 * from. */
void spark_write_status(const struct spark *s, struct jsonw *w);
/* A cell sent its first Spark command. cell and msg may be NULL. */
void spark_on_cell(
    struct spark *s, struct session *session, const char *cell, const char *msg, int64_t count);

/* ---- spark_files.c ---- */
/* Makes the folders, and writes spark-env.sh and our Python package, which are there before any
 * kernel. */
int spark_write_hooks(struct spark *s, struct cyg_err *err);
/* What the page shows, kept for the next agent; it holds no secret. */
void spark_keep_facts(const struct spark *s);
void spark_read_facts(struct spark *s);

/* ---- up.c ---- */
/* POST /up: the response comes when the server's own cluster is up, or says why it is not. */
void up_handle(struct http_req *req);
/* The cluster has another state: whoever waits gets the response. */
void up_on_cluster(struct spark *s, struct cluster *c);
void up_close(struct spark *s);

/* ---- module_api.c: on the socket, with a struct spark ---- */
extern const struct http_endpoint module_endpoints[];

#endif

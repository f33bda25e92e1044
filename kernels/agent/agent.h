/* The Jupyter server of one container: what it is made of and how it starts. */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include "cygnet/err.h"

struct agent_opts {
	const char *base_url; /* "/user/alice/" */
	const char *root_dir; /* what users see as their files */
	const char *run_dir;
	const char *jupyter_prefix;        /* where JupyterLab's files are */
	const char *labextensions;         /* one more folder of federated extensions, or NULL */
	const char *const *stack_prefixes; /* ended by NULL */
	unsigned spark_idle_s;             /* of a Spark session; 0: for ever */
	const char *spark_cluster;         /* id of the form's choice, NULL or "": no Spark */
	int listen_fd, link_fd;
};

/* Serves until SIGTERM or until init goes away. 0, or a negative code when it could not begin. */
int agent_run(const struct agent_opts *opts, struct cyg_err *err);

#endif

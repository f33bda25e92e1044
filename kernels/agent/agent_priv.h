/* The agent's root struct, for agent.c (start and end) and api.c (its own endpoints). */
#ifndef AGENT_AGENT_PRIV_H
#define AGENT_AGENT_PRIV_H

#include "daemon/loop.h"
#include "http/server.h"
#include "kernels/agent/agent.h"
#include "kernels/agent/documents.h"
#include "kernels/agent/hub_link.h"
#include "kernels/base/events.h"
#include "kernels/base/init_link.h"
#include "kernels/kernel/api.h"
#include "kernels/spark/monitor.h"
#include "kernels/spark/spark.h"
#include "kernels/spark/ui_proxy.h"
#include "kernels/terminal/terminal.h"

struct agent {
	const struct agent_opts *opts;
	char *prefix; /* base_url decoded, without its closing slash */
	struct cyg_loop *loop;
	uv_loop_t *uv;
	struct init_link *init;
	struct specs_path specs;
	struct kernels *kernels;
	struct nbsessions nbsessions;
	struct kernel_ctx kernel_ctx;
	struct terminals *terminals;
	struct spark *spark;           /* NULL: none here */
	struct monitor *spark_monitor; /* its own; NULL likewise */
	char *program;
	struct events *events;
	struct documents documents;
	struct hub_link *hub;
	struct http_server *server;
	char *runtime_path;
	int64_t started_us;
	struct cyg_err failed; /* why it ends, when code is set */
	bool ready, ended;
	bool stopping; /* kernels and shells are being ended, the agent ends after them */
	uv_timer_t stop_timer;
};

int64_t agent_last_activity(void *arg);
extern const struct http_endpoint agent_endpoints[];
/* Mounted in place of the pages when there are none. */
extern const struct http_endpoint bare_endpoints[];

#endif

/* What a server reports of its Spark sessions, read strictly:
 *   {"cluster": ID, "sessions"?: N, "apps"?: N, "executors"?: N, "cores"?: N,
 *    "core_seconds"?: NUMBER, "input_bytes"?: N, "shuffle_read_bytes"?: N,
 *    "shuffle_write_bytes"?: N, "ended"?: [{"session": ID, "cluster"?: ID,
 *    "flavour": "classic" | "connect", "why": TEXT, "seconds": N}]}
 * Other members are left alone, for agents that are newer than the hub. */
#ifndef HUB_SPARK_REPORT_H
#define HUB_SPARK_REPORT_H

#include "cygnet/err.h"
#include "hub/server/spark_account.h"
#include "spark/plan.h"

enum {
	SPARK_REPORT_ENDED_MAX = 32,
	SPARK_REPORT_WHY_MAX = 1000, /* bytes: a sentence, and what a driver said last */
	SPARK_SESSION_ID_MAX = 64,
};

/* A session that ended. */
struct spark_report_ended {
	const char *session, *cluster, *why;
	enum spark_flavour flavour;
	long long seconds; /* that it lasted */
};

/* Texts are borrowed from the JSON. */
struct spark_report {
	const char *cluster;
	struct account_figures figures;
	struct spark_report_ended ended[SPARK_REPORT_ENDED_MAX];
	size_t n_ended;
};

/* What is wrong is said in a sentence that names the member. */
int spark_report_read(const json_t *body, struct spark_report *ret, struct cyg_err *err);

#endif

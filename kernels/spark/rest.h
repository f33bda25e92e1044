/* A driver's REST API (Spark's monitoring page, api/v1): jobs, stages and executors as rows. Pure.
 * Unknown members are ignored, as Spark asks of clients; what is missing counts as 0 or "", and a
 * job or stage without a number is left out. */
#ifndef SPARK_REST_H
#define SPARK_REST_H

#include "base/str.h"
#include "cygnet/err.h"

#include <stdint.h>

enum { REST_TEXT_MAX = 200, REST_TAG_MAX = 80, REST_STAGES_MAX = 64, REST_STATUS_SIZE = 16 };

struct rest_count {
	int64_t total, done, active, failed, skipped;
};

struct rest_job {
	int64_t id;
	char name[REST_TEXT_MAX];      /* what the user called it, else where it was called */
	char status[REST_STATUS_SIZE]; /* "RUNNING", "SUCCEEDED", "FAILED", "UNKNOWN" */
	int64_t started_us, ended_us;
	struct rest_count tasks, stages;
	int64_t stage_ids[REST_STAGES_MAX];
	size_t n_stage_ids;
	char msg[REST_TAG_MAX]; /* of the tag cyg-msg-…; "": it has none */
};

struct rest_stage {
	int64_t id, attempt;
	char name[REST_TEXT_MAX];
	char status[REST_STATUS_SIZE]; /* "ACTIVE", "COMPLETE", "FAILED", "PENDING", "SKIPPED" */
	struct rest_count tasks;
	int64_t input, output, shuffle_read, shuffle_write, spilled; /* bytes */
	char failure[REST_TEXT_MAX];                                 /* first line of the cause */
};

/* All executors but the driver; a driver without any counts itself (local mode). */
struct rest_executors {
	int64_t active, cores, memory_mb;
	int64_t tasks_ms, input, shuffle_read, shuffle_write; /* sums since the start */
	int64_t running;                                      /* tasks */
};

/* Each calls row for every entry, from the last to the first: Spark lists the newest first, so the
 * oldest comes first here. -CYG_EPROTO when it is no list of objects. A body
 * that is one object is a list of one. */
typedef void (*rest_job_fn)(void *arg, const struct rest_job *job);
typedef void (*rest_stage_fn)(void *arg, const struct rest_stage *stage);
int rest_jobs(struct cyg_str body, rest_job_fn row, void *arg, struct cyg_err *err);
int rest_stages(struct cyg_str body, rest_stage_fn row, void *arg, struct cyg_err *err);
int rest_executors(struct cyg_str body, struct rest_executors *ret, struct cyg_err *err);

struct rest_app {
	char id[REST_TAG_MAX]; /* letters, digits, '-' and '_' alone */
	char name[REST_TEXT_MAX];
};
/* The first of /applications. */
int rest_app(struct cyg_str body, struct rest_app *ret, struct cyg_err *err);

#endif

/* The table of the hub's metrics, and the few things that its wings count. JupyterHub's names where
 * it has them, so that its dashboards work; the rest begins with cygnet_hub_. */
#ifndef HUB_BASE_HUB_METRICS_H
#define HUB_BASE_HUB_METRICS_H

#include "cygnet/spawn_msg.h"
#include "daemon/metrics.h"

/* Numbers of the rows. */
enum {
	HUB_REQUEST_SECONDS,
	HUB_RUNNING_SERVERS,
	HUB_TOTAL_USERS,
	HUB_ACTIVE_USERS,
	HUB_SPAWN_SECONDS,
	HUB_PROXY_ADD_SECONDS,
	HUB_STARTUP_SECONDS,
	HUB_STOP_SECONDS,
	HUB_SERVERS,
	HUB_SESSIONS,
	HUB_STARTS,
	HUB_START_FAILURES,
	HUB_STAGE_SECONDS,
	HUB_PUSH_SECONDS,
	HUB_PUSH_FAILURES,
	HUB_COMMIT_SECONDS,
	HUB_COMMIT_FAILURES,
	HUB_TURN_SECONDS,
	HUB_SPARK_SESSIONS, /* the first gauge of server/spark_account.h */
	HUB_SPARK_APPS,
	HUB_SPARK_EXECUTORS,
	HUB_SPARK_CORES,
	HUB_SPARK_CORE_SECONDS, /* the first counter of it */
	HUB_SPARK_INPUT_BYTES,
	HUB_SPARK_SHUFFLE_READ_BYTES,
	HUB_SPARK_SHUFFLE_WRITE_BYTES,
	HUB_SPARK_CONNECTS,
	HUB_SPAWNER_UP, /* the first of those that a spawner reports; the last follows */
	HUB_SPAWNER_STARTS,
	HUB_SPAWNER_FAILURES,
	HUB_SPAWNER_SERVERS,
	HUB_SPAWNER_STAGES,
	HUB_SPAWNER_STAGE_SECONDS,
};

enum { HUB_SPAWNERS_SHOWN = 16 }; /* values of the label "spawner" */

/* Values of the label "status". */
enum { HUB_SUCCESS, HUB_FAILURE, HUB_THROTTLED };

/* For the program; ended by a NULL name. */
extern const struct metric_def hub_metrics[];

/* Seconds from since_ms (monotonic) until now. */
double hub_metrics_since(uint64_t since_ms);
/* A start that was asked for at asked_ms (monotonic) has failed, in this stage (or NULL). */
void hub_metrics_start_failed(
    struct metrics *m, uint64_t asked_ms, const char *cause, const char *stage);
/* A stage of a start is done. */
void hub_metrics_stage(struct metrics *m, const char *name, uint64_t ms);
/* Before the counts of spawners are set: forgets those of an earlier scrape. */
void hub_metrics_spawners_clear(struct metrics *m);
/* The counts of a spawner, by its number; NULL: it has not responded. */
void hub_metrics_spawner(struct metrics *m, uint16_t number, const struct spawn_counts *counts);
/* A table pushed at since_ms (monotonic) is in force everywhere, or the push was given up. */
void hub_metrics_pushed(struct metrics *m, uint64_t since_ms, bool in_force);

/* The labels cluster and group of the rows about Spark; names take places (metrics_place). */
struct metric_at hub_metrics_spark_at(struct metrics *m, const char *cluster, const char *group);

#endif

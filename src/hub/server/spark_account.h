/* The hub's account of Spark: what servers say that their sessions use, by cluster and group. It is
 * what the servers of a group say, so it is for planning: nothing is allowed or refused by it. Of
 * gauges the last values of each server are kept until it stops, in memory alone: after a start of
 * the hub they come back with the next reports. */
#ifndef HUB_SPARK_ACCOUNT_H
#define HUB_SPARK_ACCOUNT_H

#include <jansson.h>
#include <stdbool.h>

struct metrics;
struct profiles;
struct spark_account;
struct srv;
struct srv_moved;

/* In the order of the rows from HUB_SPARK_SESSIONS on (base/hub_metrics.h). */
enum account_gauge {
	ACCOUNT_SESSIONS,
	ACCOUNT_APPS,
	ACCOUNT_EXECUTORS,
	ACCOUNT_CORES,
	ACCOUNT_GAUGES,
};

/* The same from HUB_SPARK_CORE_SECONDS on. */
enum account_counter {
	ACCOUNT_CORE_SECONDS,
	ACCOUNT_INPUT_BYTES,
	ACCOUNT_SHUFFLE_READ_BYTES,
	ACCOUNT_SHUFFLE_WRITE_BYTES,
	ACCOUNT_COUNTERS,
};

struct account_figures {
	double gauges[ACCOUNT_GAUGES];     /* now */
	bool told[ACCOUNT_GAUGES];         /* those not told stay as they were */
	double counters[ACCOUNT_COUNTERS]; /* since the report before */
};

/* Whose use it is. */
struct account_of {
	const struct srv *srv; /* NULL: it is gone */
	const json_t *groups;  /* of its user, or NULL */
	const char *cluster;   /* id; one that no profile offers is counted as "other" */
};

/* The clusters, and the groups that their rules name, get the first places among the labels'
 * values. Both are borrowed for good; metrics may be NULL. */
struct spark_account *spark_account_new(const struct profiles *profiles, struct metrics *metrics);
/* NULL is accepted. */
void spark_account_free(struct spark_account *a);
/* A connect was answered: HUB_SUCCESS, HUB_FAILURE or HUB_THROTTLED. */
void spark_account_connect(struct spark_account *a, const struct account_of *of, unsigned result);
/* A report of a server, which has been checked. of->srv is not NULL. */
void spark_account_report(
    struct spark_account *a, const struct account_of *of, const struct account_figures *figures);
/* Before a scrape: sets the gauges. */
void spark_account_set_gauges(struct spark_account *a);
/* For srvs_opts.subscribers: forgets the gauges of a server that has stopped. */
void srv_on_moved_spark(void *account, const struct srv_moved *m);

#endif

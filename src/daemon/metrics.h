/* Metrics of a program: one const table of counters, gauges and histograms (name, type, unit, help,
 * bounded labels), cheap to count, written as Prometheus text format 0.0.4. `PROGRAM
 * --help-metrics` prints the table, docs/metrics.md repeats it. No label ever holds what a user
 * chose: its values are a closed list, or open to so many names of the site (metrics_place), so
 * that no user can make the table grow. The metrics of the process itself are in metrics_process.c.
 */
#ifndef DAEMON_METRICS_H
#define DAEMON_METRICS_H

#include "base/buf.h"
#include "cygnet/err.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	METRIC_LABELS_MAX = 3,
	METRIC_SERIES_MAX = 8192,       /* of one metric: the product of its labels' values */
	METRICS_TEXT_MAX = 1024 * 1024, /* one scrape */
	METRIC_PLACES_MAX = 16,         /* of an open label */
	METRIC_PLACE_SIZE = 65,         /* of a name there: 64 bytes and a NUL */
};

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

/* A value that makes a label open: a place that a name may take. They are together, and not last.
 * Labels with the same values share their places. */
extern const char metric_place[];
#define METRIC_PLACES_2 metric_place, metric_place
#define METRIC_PLACES_16                                                                           \
	METRIC_PLACES_2, METRIC_PLACES_2, METRIC_PLACES_2, METRIC_PLACES_2, METRIC_PLACES_2,       \
	    METRIC_PLACES_2, METRIC_PLACES_2, METRIC_PLACES_2

struct metric_label {
	const char *name;          /* NULL: no further label */
	const char *const *values; /* NULL-ended; an index into it names a series */
};

struct metric_def {
	const char *name; /* whole: cygnet_store_commit_seconds, cygnet_failures_total */
	enum metric_type type;
	const char *unit; /* "seconds", "bytes": then the name says it too; NULL for plain counts */
	const char *help; /* one sentence */
	struct metric_label labels[METRIC_LABELS_MAX];
	const double *bounds; /* of a histogram: rising upper bounds above 0, ended by 0 */
	bool sparse;          /* write only the series that were ever counted */
};

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Bounds in seconds: of steps of a loop (50 us to 5 s), of requests (5 ms to 10 s), of starts and
 * stops of servers (0.5 s to 10 min, as JupyterHub has them). */
extern const double metric_bounds_loop[];
extern const double metric_bounds_request[];
extern const double metric_bounds_server[];

/* Which series of a metric: one index for each of its labels, in order. */
struct metric_at {
	uint16_t label[METRIC_LABELS_MAX];
};
#define METRIC_AT(...) ((struct metric_at){ { __VA_ARGS__ } })
#define METRIC_PLAIN   METRIC_AT(0)

struct metrics;

/* Whether a row keeps the rules of names, units, labels and bounds. */
int metric_check(const struct metric_def *def, struct cyg_err *err);
/* table (ended by a NULL name) outlives the result; it must pass metric_check. A row's number in
 * the table is its id below. */
struct metrics *metrics_new(const struct metric_def *table);
void metrics_free(struct metrics *m);

/* All accept a NULL m and do nothing then, so that a part can be tested without. by is not
 * negative. */
void metrics_add(struct metrics *m, unsigned id, struct metric_at at, double by);
void metrics_inc(struct metrics *m, unsigned id, struct metric_at at);
void metrics_set(struct metrics *m, unsigned id, struct metric_at at, double value);
/* A counter that is kept elsewhere, as a plain number that only grows: its value now. One that may
 * begin anew is cleared before. */
void metrics_copy(struct metrics *m, unsigned id, struct metric_at at, double value);
/* Clears every series of the metric, as if it had never been counted. */
void metrics_clear(struct metrics *m, unsigned id);
/* One observation, in the metric's unit. */
void metrics_observe(struct metrics *m, unsigned id, struct metric_at at, double value);
/* The same for the time passed since since_ns on the monotonic clock. */
void metrics_observe_since(struct metrics *m, unsigned id, struct metric_at at, uint64_t since_ns);
/* Value of a counter or gauge, number of observations of a histogram. */
double metrics_get(const struct metrics *m, unsigned id, struct metric_at at);
/* Index of value among the label's values; its last value stands for every other text. */
uint16_t metric_label_index(const struct metric_label *label, struct cyg_str value);

/* Index of a name among the values of an open label (label_name is one of the row's): a value of
 * its own, or the place that the name has, or takes now. The last value stands for every name when
 * the places are taken, and for names that are too long. */
uint16_t metrics_place(struct metrics *m, unsigned id, const char *label_name, struct cyg_str name);

/* Appends the whole table as text; on failure out is as long as before. */
int metrics_write(const struct metrics *m, struct cyg_buf *out, struct cyg_err *err);
/* Appends the process metrics that every Prometheus client has: prefix "" gives
 * process_cpu_seconds_total and so on; a process whose text is appended to another's takes a
 * prefix. A value that cannot be read is left out. */
int metrics_write_process(const char *prefix, struct cyg_buf *out, struct cyg_err *err);
/* Appends the table's documentation, as rows of Markdown. */
int metrics_describe(const struct metric_def *table, struct cyg_buf *out, struct cyg_err *err);

#endif

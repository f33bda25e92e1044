/* What metrics.c and metrics_text.c share. */
#ifndef DAEMON_METRICS_INTERNAL_H
#define DAEMON_METRICS_INTERNAL_H

#include "daemon/metrics.h"

struct metric_series {
	double value; /* of a histogram the sum of what was observed */
	uint64_t
	    *counts; /* of a histogram: one for each bound and one above; NULL before the first */
	bool touched;
};

struct metric_row {
	size_t first; /* its first series */
	size_t n_bounds;
};

struct metrics {
	const struct metric_def *table;
	struct metric_row *rows;
	size_t n;
	struct metric_series *series;
	size_t n_series;
};

size_t metric_n_values(const struct metric_label *label);
size_t metric_n_bounds(const struct metric_def *def);
size_t metric_n_series(const struct metric_def *def);

#endif

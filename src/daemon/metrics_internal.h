/* What metrics.c, metrics_places.c and metrics_text.c share. */
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

/* The names that have a place, of all labels with these values. */
struct metric_names {
	struct metric_names *next;
	const char *const *values;
	uint16_t n;
	char text[METRIC_PLACES_MAX][METRIC_PLACE_SIZE];
};

struct metrics {
	const struct metric_def *table;
	struct metric_row *rows;
	size_t n;
	struct metric_series *series;
	size_t n_series;
	struct metric_names *names;
};

size_t metric_n_values(const struct metric_label *label); /* with places */
size_t metric_n_places(const struct metric_label *label);
size_t metric_n_bounds(const struct metric_def *def);
size_t metric_n_series(const struct metric_def *def);
/* The text of a label's value; of a place, the name that has it. */
const char *metric_value(const struct metrics *m, const struct metric_label *label, size_t index);
/* Makes the places of every open label of the table, none taken. */
void metric_names_make(struct metrics *m);
void metric_names_free(struct metrics *m);

#endif

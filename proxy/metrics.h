/* The proxy's metrics: their table, and the text of a scrape. Events are counted where they happen,
 * by a plain increment in struct proxy; text is made for a scrape only. */
#ifndef PROXY_METRICS_H
#define PROXY_METRICS_H

#include "daemon/metrics.h"

struct proxy;

/* For the program; ended by a NULL name. */
extern const struct metric_def proxy_metrics[];

/* Appends the text of a scrape. */
int proxy_metrics_write(const struct proxy *p, struct cyg_buf *out, struct cyg_err *err);

#endif

/* The proxy's metrics: the table of what is told, and the scrape. What happens is counted where it
 * happens, by a plain increment in struct proxy; it becomes text only when somebody asks. */
#ifndef PROXY_METRICS_H
#define PROXY_METRICS_H

#include "daemon/metrics.h"

struct proxy;

/* For the program; ended by a NULL name. */
extern const struct metric_def proxy_metrics[];

/* Appends the text of a scrape. */
int proxy_metrics_write(const struct proxy *p, struct cyg_buf *out, struct cyg_err *err);

#endif

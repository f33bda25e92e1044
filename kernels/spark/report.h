/* Tells the hub what the sessions of this server use, and which of them ended: POST
 * /hub/api/cygnet/spark/report, once a minute while there is something to tell, for each cluster.
 * What could not be told is told with the next report. */
#ifndef SPARK_REPORT_H
#define SPARK_REPORT_H

#include "kernels/spark/hub_ask.h"
#include "kernels/spark/monitor.h"

struct report;

/* Both outlive it. */
struct report *report_new(const struct hub_ask_opts *hub, struct monitor *monitor);
/* What was not told is lost. NULL is accepted. */
void report_close(struct report *r);

struct report_ended {
	const char *session, *cluster, *flavour;
	const char *why; /* a sentence */
	int64_t seconds; /* that it was ready */
};

/* A session is ready on that cluster: from now on there is something to tell. */
void report_began(struct report *r, const char *cluster);
/* It is ready no more; copied. Told within seconds. */
void report_ended(struct report *r, const struct report_ended *e);

#endif

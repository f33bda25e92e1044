/* JupyterHub's names for the handlers of requests, for the metric of their durations. Pure. */
#ifndef HUB_METRICS_REQUESTS_H
#define HUB_METRICS_REQUESTS_H

#include <stdint.h>

/* Ended by NULL: the values of the label "handler". */
extern const char *const metrics_handlers[];

/* Index of the handler that stands for an endpoint's path below the hub's mount: "/api/user". */
uint16_t metrics_handler_of(const char *path);

#endif

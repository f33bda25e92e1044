/* The hub's metrics: the table, and the few places where something is counted. JupyterHub's names
 * where it has them, so that its dashboards work; the rest begins with cygnet_hub_. */
#ifndef HUB_METRICS_H
#define HUB_METRICS_H

#include "daemon/metrics.h"
#include "hub/server/srv.h"

struct http_req;

/* For the program; ended by a NULL name. */
extern const struct metric_def hub_metrics[];

/* A record has moved out of a state that it was in since since_us (wall clock): called by the
 * door. */
void hub_metrics_moved(const struct srv *srv, enum srv_state from, int64_t since_us);
/* A start has failed, in this stage (or NULL). */
void hub_metrics_start_failed(const struct srv *srv, const char *cause, const char *stage);
/* A stage of a start is done. */
void hub_metrics_stage(const struct hub *hub, const char *name, uint64_t ms);
/* A table pushed at since_ms (monotonic) is in force everywhere, or was given up. */
void hub_metrics_pushed(const struct hub *hub, uint64_t since_ms, bool in_force);
/* A turn was put on disk, or could not be: for store_watch. */
void hub_metrics_commit(void *hub, uint64_t took_ns, bool kept);
/* A response is given: http_req.on_response. */
void hub_metrics_responded(const struct http_req *req, int status);
/* The loop was busy for so long between two sleeps: for cyg_loop_watch_turns. */
void hub_metrics_turn(void *hub, uint64_t busy_ns);
/* Appends the text of a scrape. */
int hub_metrics_write(const struct hub *hub, struct cyg_buf *out, struct cyg_err *err);

#endif

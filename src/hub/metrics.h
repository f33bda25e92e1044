/* The hub's metrics as a whole: turns, commits and responses, and the text of a scrape. The table
 * is base/hub_metrics.h's. */
#ifndef HUB_METRICS_H
#define HUB_METRICS_H

#include "hub/base/hub_metrics.h"
#include "hub/hub.h"

struct http_req;

/* A turn was put on disk, or could not be: for store_watch. */
void hub_metrics_commit(void *hub, uint64_t took_ns, bool kept);
/* A response was given: http_req.on_response. */
void hub_metrics_responded(const struct http_req *req, int status);
/* The loop was busy for so long between two sleeps: for cyg_loop_watch_turns. */
void hub_metrics_turn(void *hub, uint64_t busy_ns);
/* Appends the text of a scrape. */
int hub_metrics_write(const struct hub *hub, struct cyg_buf *out, struct cyg_err *err);

#endif

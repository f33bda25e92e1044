/* The stream of a start: server-sent events with JupyterHub's fields and our stages. */
#ifndef HUB_PROGRESS_H
#define HUB_PROGRESS_H

#include "http/server.h"
#include "hub/server/srv.h"

/* Responds with the stream: the stages so far, then new events. 400 when the server neither runs
 * nor starts and there is no failed start to report; 429 beyond SRV_OPEN_MAX. */
void srv_progress_open(struct srv *srv, struct http_req *req);

#endif

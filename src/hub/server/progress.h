/* The stream of a start: server-sent events with JupyterHub's fields and our stages. */
#ifndef HUB_PROGRESS_H
#define HUB_PROGRESS_H

#include "http/server.h"
#include "hub/server/srv.h"

/* Answers the request with the stream: the past first, then what comes. 400 when the server
 * neither runs nor starts and no failed start can be told of; 429 beyond SRV_OPEN_MAX. */
void srv_progress_open(struct srv *srv, struct http_req *req);

#endif

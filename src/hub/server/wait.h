/* Requests that start or stop a server and wait a while for it. */
#ifndef HUB_WAIT_H
#define HUB_WAIT_H

#include "http/server.h"
#include "hub/server/srv.h"

enum wait_for { WAIT_RUNNING, WAIT_STOPPED };

/* Responds when the server has got there (201, 204), when the start has failed (500), or after the
 * configured time (202); at once with 202 when SRV_OPEN_MAX wait already. The start or stop goes on
 * when the client goes away. */
void srv_wait(struct srv *srv, struct http_req *req, enum wait_for what);

#endif

/* Who is at the other end of a request's Unix socket. */
#ifndef HTTP_PEER_H
#define HTTP_PEER_H

#include "http/server.h"

#include <sys/types.h>

/* False when it is not known: the connection is not a Unix socket, or its end has gone. */
bool http_peer_uid(const struct http_req *req, uid_t *ret);
/* True for root and for this program's own user: who may use a control socket. */
bool http_peer_is_own(const struct http_req *req);

#endif

/* The WebSocket opening handshake (RFC 6455 section 4). Frames are kernels/base/ws.c's. */
#ifndef HTTP_WS_H
#define HTTP_WS_H

#include "http/head.h"

enum { WS_ACCEPT_SIZE = 29 };

/* Checks an upgrade request: GET, HTTP/1.1, Upgrade: websocket, version 13, a 16-byte key. *status
 * is the response's otherwise (400, or 426 for another version). */
int ws_request_check(const struct http_head *head, int *status, struct cyg_err *err);
/* Sec-WebSocket-Accept for the request's key. */
void ws_accept_of(struct cyg_str key, char out[WS_ACCEPT_SIZE]);

#endif

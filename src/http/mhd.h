/* The same server as server.h's on libmicrohttpd (Debian's 0.9.75): for what stands behind the
 * strict proxy, which has written every request anew. Endpoints, handlers and http_reply_* calls
 * are those of server.h; there is no http_reply_websocket here (-CYG_EPROTO). Where it differs from
 * ours: a request that is refused before its body was read costs its connection when it is longer
 * than 1 MiB, and http_reply_file reads the file on the loop: the hub holds its files in memory. */
#ifndef HTTP_MHD_H
#define HTTP_MHD_H

#include "http/server.h"

struct http_mhd;

/* opts as for http_server_new; the strings and tables in it must outlive the server. */
int http_mhd_new(uv_loop_t *loop, const struct http_server_opts *opts, struct http_mhd **ret,
    struct cyg_err *err);
/* Serves a listening descriptor (Unix or TCP), once; closes it in the end. While the process has no
 * descriptor left, or the server is full, whoever comes waits in the backlog. On failure fd is
 * still the caller's. */
int http_mhd_listen(struct http_mhd *m, int fd, struct cyg_err *err);
/* Stops accepting, closes every connection; handlers that wait get on_abort, streams on_close.
 * Freed when the loop is done with its handles. NULL is accepted. Not from inside a handler. */
void http_mhd_close(struct http_mhd *m);
/* Number of requests that are being served. */
size_t http_mhd_requests(const struct http_mhd *m);

#endif

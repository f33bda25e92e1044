/* Writes the heads that are forwarded, request and response, anew from the parsed form. Pure. */
#ifndef PROXY_REWRITE_H
#define PROXY_REWRITE_H

#include "http/head.h"
#include "proxy/edge.h"

struct rewrite_request {
	const struct http_head *head;
	const struct edge_decision *edge;
	enum edge_listener kind;
	const char *scheme; /* X-Forwarded-Proto */
	const char *ip;     /* X-Forwarded-For; "" when there is none (Unix sockets) */
};

/* Appends the head for the target. The request target and Host stay as they came. Left out: the
 * hop-by-hop fields, every field by which a client could claim to be somebody, our cookies (towards
 * users' servers) and the token that was checked here. Added: X-Forwarded-* and X-Cygnet-*. The
 * framing is written from the parsed form; the upgrade is "websocket" when edge->upgrade. */
int rewrite_request(const struct rewrite_request *in, struct cyg_buf *out, struct cyg_err *err);

struct rewrite_response {
	const struct http_head *head;
	enum http_method method;   /* of the request */
	int client_minor;          /* HTTP/1.x of the request */
	bool keep;                 /* the client's connection stays open after it */
	bool from_server;          /* the target is a user's server, which is not trusted */
	enum http_framing framing; /* towards the client: see rewrite_framing */
	bool upgrade;              /* it is the 101 of a WebSocket */
};

/* How the body is framed for the client: a length stays; anything else is chunked for HTTP/1.1 and
 * ends with the connection for HTTP/1.0. */
enum http_framing rewrite_framing(const struct http_head *head, int client_minor);
/* Appends the head for the client. A user's server cannot set our cookies, send the proxy's own
 * fields, or widen the scope of a service worker. */
int rewrite_response(const struct rewrite_response *in, struct cyg_buf *out, struct cyg_err *err);
/* Appends an interim (1xx) head; uses head and from_server of in only. */
int rewrite_interim(const struct rewrite_response *in, struct cyg_buf *out, struct cyg_err *err);

#endif

/* Heads on their way through: what is forwarded is written anew from the parsed form. Pure. */
#ifndef PROXY_REWRITE_H
#define PROXY_REWRITE_H

#include "http/head.h"
#include "proxy/edge.h"

struct rewrite_request {
	const struct http_head *head;
	const struct edge_answer *edge;
	enum edge_door door;
	const char *scheme; /* X-Forwarded-Proto */
	const char *ip;     /* X-Forwarded-For; "" when there is none (Unix sockets) */
};

/* Appends the head for the target: the raw target and Host as they came; hop-by-hop fields, every
 * field by which a stranger could claim to be somebody, our cookies (towards servers of users) and
 * the token that was used at the edge left out; X-Forwarded-* and X-Cygnet-* added; framing written
 * from the parsed form; "websocket" when edge->upgrade. */
int rewrite_request(const struct rewrite_request *in, struct cyg_buf *out, struct cyg_err *err);

struct rewrite_response {
	const struct http_head *head;
	enum http_method method; /* of the request */
	int client_minor;        /* HTTP/1.x of the request */
	bool keep;               /* the client's connection stays open after it */
	bool from_server;        /* the target is a user's own server, a stranger to the browser */
	enum http_framing framing; /* towards the client: see rewrite_framing */
	bool upgrade;              /* it is the 101 of a WebSocket */
};

/* How the body goes to the client: lengths stay, everything else is chunked for HTTP/1.1 and ends
 * with the connection for HTTP/1.0. */
enum http_framing rewrite_framing(const struct http_head *head, int client_minor);
/* Appends the head for the client. A user's server cannot set our cookies, speak as the proxy, or
 * widen a service worker's reach. */
int rewrite_response(const struct rewrite_response *in, struct cyg_buf *out, struct cyg_err *err);
/* Appends an interim (1xx) head; of in only head and from_server matter. */
int rewrite_interim(const struct rewrite_response *in, struct cyg_buf *out, struct cyg_err *err);

#endif

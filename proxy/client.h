/* A client's connection. Its state is the list it is on; only client_move changes it. The way of a
 * request: request.c (head, decision), upstream.c (the connection to the target), relay.c (bodies
 * and the target's response), reply.c (the proxy's own responses), tunnel.c (WebSockets), janitor.c
 * (time limits). */
#ifndef PROXY_CLIENT_H
#define PROXY_CLIENT_H

#include "base/list.h"
#include "http/body.h"
#include "proxy/edge.h"
#include "proxy/peer.h"
#include "proxy/refusal.h"

struct listener;
struct proxy;
struct upstream;
struct activity;

enum client_state {
	CLIENT_IDLE,     /* between requests; leaves with the first byte, or when idle too long */
	CLIENT_HEAD,     /* new, or a head has begun; has the header deadline */
	CLIENT_CONNECT,  /* decided, head written; the target has not taken the connection yet */
	CLIENT_RESPONSE, /* the request goes up; the response's head is awaited */
	CLIENT_BODY,     /* the response comes down */
	CLIENT_REPLY,    /* the response is complete; its last bytes wait for the client */
	CLIENT_TUNNEL,   /* a WebSocket */
	CLIENT_LINGER,   /* last response sent, our direction ended; reads on for a moment */
	CLIENT_CLOSED,   /* its socket is closed; gone with the next turn of the loop */
	CLIENT_N,
};

/* One request and its response. */
struct exchange {
	enum http_method method;
	int client_minor;
	int status;      /* of the response; 0 while there is none */
	bool keep;       /* the client's connection outlives the response */
	bool upgrade;    /* a WebSocket was asked for */
	bool wants_100;  /* the client waits for 100 Continue */
	bool html;       /* own responses are pages */
	bool chunked_up; /* bodies are chunked anew in this direction */
	bool chunked_down;
	bool until_close; /* the response ends with the client's connection */
	bool from_server; /* the target is a user's server */
	bool fresh;       /* must not use a kept-alive connection: cannot be repeated */
	bool up_keep;     /* the target keeps its connection open after the response */
	bool begun;       /* the request was parsed: there is something to log */
	unsigned n_interim;
	struct http_body up, down;
	struct route *route; /* of the table in force; NULL when it went away */
	struct cred *cred;   /* the same; the connection is on the lists of both */
	struct activity *activity;
	char *label;         /* "GET /path", for the log */
	struct cyg_buf head; /* what was sent up, while it may have to be sent again */
	uint64_t start_ns;
	uint64_t window_ms;    /* start of the body's window */
	uint64_t window_bytes; /* that the client sent in it */
};

struct client {
	struct cyg_link link;       /* the list of its state */
	struct cyg_link cred_link;  /* the list of x.cred */
	struct cyg_link route_link; /* the list of x.route */
	struct cyg_link turn_link;  /* on the proxy's turns while it has steps left to do */
	struct proxy *proxy;
	enum client_state state;
	struct listener *listener; /* through which it came */
	uint64_t since_ms;         /* on this list */
	uint64_t moved_ms;         /* last byte in either direction */
	size_t parsed;             /* bytes of in that the head parser has seen */
	struct peer peer;
	struct upstream *up; /* NULL outside CLIENT_CONNECT .. CLIENT_BODY, CLIENT_TUNNEL */
	char ip[46];
	struct exchange x;
};

/* The lists of connections, and the turns of those that have more to do than one turn allows. */
void clients_init(struct proxy *p);
/* Closes every connection and the turns. */
void clients_close(struct proxy *p);
/* Takes fd; starts in CLIENT_HEAD. */
void client_new(struct listener *l, int fd, const char *ip);
/* The only function that changes the state; asserts that the table in client.c allows it. */
void client_move(struct client *c, enum client_state to);
/* Goes as far as the bytes at hand allow, but no more than CLIENT_TURN_STEPS in one turn of the
 * loop, then says what to wait for. */
void client_run(struct client *c);
/* Closes it, in any state: both sockets at once. When the end of the connection would mark the end
 * of the response, the client gets a reset, so that it does not take a part for the whole. why is
 * for the log. */
void client_close(struct client *c, const char *why);
/* Where it comes from, for the log: the address, or "inner". */
const char *client_name(const struct client *c);
/* Between requests: forgets the last one. */
void client_reset(struct client *c);

/* ---- one step each: true when something moved and it is worth trying again ---- */
bool request_step(struct client *c);         /* CLIENT_IDLE, CLIENT_HEAD */
bool request_step_connect(struct client *c); /* CLIENT_CONNECT */
bool relay_step_response(struct client *c);  /* CLIENT_RESPONSE */
bool relay_step_body(struct client *c);      /* CLIENT_BODY */
bool reply_step(struct client *c);           /* CLIENT_REPLY */
bool reply_step_linger(struct client *c);    /* CLIENT_LINGER */
bool tunnel_step(struct client *c);          /* CLIENT_TUNNEL */

/* ---- request.c ---- */
/* Connects to the target, also again: from CLIENT_HEAD, CLIENT_CONNECT or CLIENT_RESPONSE. */
void request_connect(struct client *c);
/* The connection to the target could not be made, or ended before the response began. */
void request_upstream_failed(struct client *c, const char *why);

/* ---- reply.c ---- */
/* Sends a response of the proxy instead of the target's, and closes the target's connection. Only
 * allowed before a byte of the response was sent. Moves to CLIENT_REPLY. */
void reply_own(struct client *c, enum refusal cause, int status, const char *message);
void reply_redirect(struct client *c, struct cyg_str location);
/* The same when there is no valid head: it was refused, or did not come in time. */
void reply_no_head(struct client *c, enum refusal cause, int status, const char *message);

/* ---- access.c ---- */
/* Counts and logs the exchange; at most once for each. */
void access_done(struct client *c, const char *how);
/* The route's server is in use. */
void access_touch(struct client *c);
void access_begin(struct client *c, const struct route *route);
void access_end(struct client *c);

#endif

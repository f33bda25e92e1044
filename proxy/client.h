/* A client's connection. Its state is the list it is on, and client_move is the only door between
 * them. The story of a request: request.c (head, decision, own answers), upstream.c (the other
 * side), relay.c (bodies and answers), tunnel.c (WebSockets), janitor.c (what took too long). */
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
	CLIENT_IDLE,    /* between requests; leaves with the first byte, or when idle too long */
	CLIENT_HEAD,    /* new, or a head has begun; has the header deadline */
	CLIENT_CONNECT, /* decided, head written; the target has not taken the connection yet */
	CLIENT_ANSWER,  /* the request goes up; the answer's head is awaited */
	CLIENT_BODY,    /* the answer comes down */
	CLIENT_REPLY,   /* the answer is complete; its last bytes wait for the client */
	CLIENT_TUNNEL,  /* a WebSocket */
	CLIENT_LINGER,  /* last answer sent, our direction ended; reads on for a moment */
	CLIENT_CLOSED,  /* its socket is closed; gone with the next turn of the loop */
	CLIENT_N,
};

/* One request and its answer. */
struct exchange {
	enum http_method method;
	int client_minor;
	int status;      /* of the answer; 0 while there is none */
	bool keep;       /* the client's connection outlives the answer */
	bool upgrade;    /* a WebSocket was asked for */
	bool wants_100;  /* the client waits for 100 Continue */
	bool html;       /* own answers are pages */
	bool chunked_up; /* bodies are chunked anew in this direction */
	bool chunked_down;
	bool until_close; /* the answer ends with the client's connection */
	bool from_server; /* the target is a user's server */
	bool fresh;       /* must not use a kept-alive connection: cannot be repeated */
	bool up_keep;     /* the target keeps its connection open after the answer */
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
/* The only door between states; assertion on a way that is not in the table. */
void client_move(struct client *c, enum client_state to);
/* Goes as far as the bytes at hand allow, but no more than CLIENT_TURN_STEPS in one turn of the
 * loop, then says what to wait for. */
void client_run(struct client *c);
/* Ends it, in any state: both sockets closed at once, whatever was under way. An answer whose end
 * only the connection's end would show is reset, so that nobody takes its part for the whole. why
 * is for the log. */
void client_close(struct client *c, const char *why);
/* Whose it is, for the log: the address, or "inner". */
const char *client_name(const struct client *c);
/* Between requests: forgets the last one. */
void client_reset(struct client *c);

/* ---- one step each: true when something moved and it is worth trying again ---- */
bool request_step(struct client *c);         /* CLIENT_IDLE, CLIENT_HEAD */
bool request_step_connect(struct client *c); /* CLIENT_CONNECT */
bool relay_step_answer(struct client *c);    /* CLIENT_ANSWER */
bool relay_step_body(struct client *c);      /* CLIENT_BODY */
bool reply_step(struct client *c);           /* CLIENT_REPLY */
bool reply_step_linger(struct client *c);    /* CLIENT_LINGER */
bool tunnel_step(struct client *c);          /* CLIENT_TUNNEL */

/* ---- request.c ---- */
/* Tries to reach the target (again): from CLIENT_HEAD, CLIENT_CONNECT or CLIENT_ANSWER. */
void request_connect(struct client *c);
/* The connection to the target could not be made, or ended before the answer began. */
void request_upstream_failed(struct client *c, const char *why);

/* ---- reply.c ---- */
/* An own answer instead of the target's; the target's connection is closed. Only before any of the
 * answer went out. Moves to CLIENT_REPLY. */
void reply_own(struct client *c, enum refusal cause, int status, const char *message);
void reply_redirect(struct client *c, struct cyg_str location);
/* The same where no head was read: it is refused, or has not come in time. */
void reply_no_head(struct client *c, enum refusal cause, int status, const char *message);

/* ---- access.c ---- */
/* Counts and logs the exchange; at most once for each. */
void access_done(struct client *c, const char *how);
/* The route's server is in use. */
void access_touch(struct client *c);
void access_begin(struct client *c, const struct route *route);
void access_end(struct client *c);

#endif

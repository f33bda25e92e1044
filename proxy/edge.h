/* The decision about a request, from its head and the table alone: forward it, redirect it or
 * refuse it. */
#ifndef PROXY_EDGE_H
#define PROXY_EDGE_H

#include "base/arena.h"
#include "http/head.h"
#include "proxy/hosts.h"
#include "proxy/refusal.h"
#include "proxy/table.h"

enum edge_listener {
	LISTENER_PUBLIC, /* browsers and API clients */
	LISTENER_INNER,  /* agents in containers: /hub/api/ only, each with its server's credential
			  */
};

struct edge_policy {
	struct hosts hosts; /* names of the hub at the public listener */
	const char *scheme; /* of the public origin: "http" or "https" */
};

struct edge_request {
	enum edge_listener kind;
	const struct edge_policy *policy;
	const struct table *table; /* NULL: none yet */
	const struct http_head *head;
	int64_t now_s;           /* since 1970 */
	struct cyg_arena *arena; /* for the decoded path */
};

enum edge_verdict {
	EDGE_PASS,   /* forward to route's target */
	EDGE_LOGIN,  /* 302 to the sign-in, which leads back */
	EDGE_SLASH,  /* 302 to the same path with its closing '/' */
	EDGE_REFUSE, /* status and message */
};

struct edge_decision {
	enum edge_verdict verdict;
	enum refusal cause; /* with EDGE_REFUSE, and the two below */
	int status;
	const char *message; /* what is wrong and what to do next */
	struct route *route; /* the target, also with some refusals */
	struct cred *cred;   /* of the user or server; NULL on routes without a check */
	bool by_token;       /* cred came in Authorization, not as a cookie */
	bool upgrade;        /* passed as a WebSocket opening */
	bool is_navigation;  /* a browser's navigation: pages, not JSON */
};

#define EDGE_COOKIE "__Host-cygnet"

void edge_decide(const struct edge_request *in, struct edge_decision *out);
/* True for a navigation: the browser shows the response to the user. */
bool edge_is_navigation(const struct http_head *head);
/* True when the head asks for a WebSocket. Any other upgrade is ignored (RFC 9110 7.8). */
bool edge_is_websocket(const struct http_head *head);

#endif

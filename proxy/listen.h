/* The listeners: the sockets that accept connections, each with its own rules. */
#ifndef PROXY_LISTEN_H
#define PROXY_LISTEN_H

#include "proxy/proxy.h"

struct cyg_listener;

/* One listener. It outlives its socket, because connections that came through it use its rules. */
struct listener {
	struct cyg_link link; /* of the proxy's listeners */
	struct proxy *proxy;
	const char *name;                /* of the descriptor that is passed, and for the log */
	enum edge_listener kind;         /* what may be asked here, and with which credentials */
	struct edge_policy policy;       /* its origin: scheme and hosts */
	const struct stream_ops *stream; /* how bytes come and go */
	void *(*stream_open)(struct listener *l); /* state of a new stream; NULL: it has none */
	size_t n_open;                            /* connections that are not closed */
	size_t n_max;                             /* and how many there may be */
	int fd;                                   /* -1: closed */
	struct cyg_listener *socket;              /* NULL: closed */
};

/* Opens all from passed descriptors ("http", "inner") or from the options, and sets the Host names
 * that each accepts. */
int listen_open(struct proxy *p, struct cyg_err *err);
/* Connections of all listeners that are not closed. */
size_t listen_n_open(const struct proxy *p);
/* Closes the sockets. */
void listen_close(struct proxy *p);
/* Frees the listeners, when no connection is left. */
void listen_free(struct proxy *p);

#endif

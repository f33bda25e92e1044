/* The doors: listening sockets and what comes in through them. */
#ifndef PROXY_LISTEN_H
#define PROXY_LISTEN_H

#include "proxy/proxy.h"

/* Opens both doors from passed descriptors ("http", "inner") or from the options, and settles which
 * Host names are ours. */
int listen_open(struct proxy *p, struct cyg_err *err);
/* Accepts again when there is room: connections-max is a pause, not a refusal. */
void listen_resume(struct proxy *p);
void listen_close(struct proxy *p);

#endif

/* The timer that enforces the time limits of the proxy: see janitor.c. */
#ifndef PROXY_JANITOR_H
#define PROXY_JANITOR_H

#include "proxy/proxy.h"

/* Starts p->janitor; the owner closes it. */
void janitor_start(struct proxy *p);

#endif

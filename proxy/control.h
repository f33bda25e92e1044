/* The control socket: PUT and PATCH /table, GET /status, GET /activity. */
#ifndef PROXY_CONTROL_H
#define PROXY_CONTROL_H

#include "proxy/proxy.h"

/* Opens it from the passed descriptor "control" or from the options; without both there is none. */
int control_open(struct proxy *p, struct cyg_err *err);
void control_close(struct proxy *p);

#endif

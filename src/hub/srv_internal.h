/* What srv.c gives to start.c alone. */
#ifndef HUB_SRV_INTERNAL_H
#define HUB_SRV_INTERNAL_H

#include "hub/srv.h"

/* Gives the record a new life's id ("": none). */
void srv_set_id(struct srv *srv, const char *id);

#endif

/* What srv.c and srv_table.c give to start.c, stop.c, srv_undo.c and reconcile.c alone. */
#ifndef HUB_SRV_INTERNAL_H
#define HUB_SRV_INTERNAL_H

#include "hub/server/srv.h"

/* Gives the record a new life's id ("": none). */
void srv_set_id(struct srv *srv, const char *id);
/* Starts the timer of the state that the record is in. */
void srv_start_timer(struct srv *srv);

/* ---- srv_spawner.c ---- */
/* Whether a queued server's request can leave, or is sure to be refused. */
bool srv_can_leave(const struct srv *srv);

/* ---- srv_table.c: what the proxies are told; it is sent after this turn's commit ---- */
void srv_open_route(struct srv *srv);
void srv_close_route(struct srv *srv);
/* A new credential, for this life; its text stays in srv->credential until SPAWN has left. */
void srv_open_credential(struct srv *srv);
void srv_close_credential(struct srv *srv);

#endif

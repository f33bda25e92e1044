/* Shared by the files of src/hub/server: the struct of all records, and functions that change one.
 */
#ifndef HUB_SRV_PRIV_H
#define HUB_SRV_PRIV_H

#include "base/hash.h"
#include "hub/server/srv.h"

struct srvs {
	struct srvs_opts opts;
	struct spawners *spawners; /* NULL: not yet */
	struct cyg_hash *by_key;   /* "user/server" */
	struct cyg_hash *by_id;
	struct cyg_hash *by_user; /* the first of a user's records */
	struct cyg_list in[SRV_STATES];
	size_t places_back;         /* starts that hold no place */
	bool admission_is_due;      /* a place, a spawner or a queued start has come since */
	struct cyg_list listings;   /* of reconcile.c: the spawners' lists that are under way */
	struct cyg_list leaves;     /* of leave.c: users that are being deleted */
	struct cyg_list hand_overs; /* of hand_over.c: those under way */
};

/* Gives the record a new life's id ("": none). */
void srv_set_id(struct srv *srv, const char *id);
/* Starts the timer of the state that the record is in. */
void srv_start_timer(struct srv *srv);

/* ---- srv_spawner.c ---- */
/* Whether a queued server's request can be sent, or is sure to be refused. */
bool srv_can_leave(const struct srv *srv);

/* ---- srv_table.c: changes to the proxies' table; sent after this turn's commit ---- */
void srv_open_route(struct srv *srv);
/* Makes a new credential for this life; its text stays in srv->credential until SPAWN was sent. */
void srv_open_credential(struct srv *srv);
void srv_close_credential(struct srv *srv);

#endif

/* Takes back a start, and its place, when the turn cannot be written: while nothing of the server
 * is outside. What has happened outside is never taken back: srvs_repair writes its row again.
 * Before it: srv.c, start.c. */
#include "base/mem.h"
#include "daemon/log.h"
#include "hub/server/srv_priv.h"
#include "store/undo.h"

#include <string.h>

struct past {
	struct srv *srv;
	enum srv_state state;
	char id[CYG_SERVER_ID_LEN + 1];
	char *tail, *failure;
};

static void past_free(struct past *p)
{
	free(p->tail);
	free(p->failure);
	free(p);
}

static void go_back(struct past *p)
{
	struct srv *srv = p->srv;
	struct srvs *srvs = srv->srvs;
	char id[CYG_SERVER_ID_LEN + 1];

	if (uv_is_closing((uv_handle_t *)&srv->timer))
		return; /* its user was removed in the same turn */
	memcpy(id, srv->id, sizeof(id));
	cyg_log_warn(srv->object, "%s: %s -> %s (not saved)", id, srv_state_name(srv->state),
	    srv_state_name(p->state));
	cyg_list_remove(&srvs->in[srv->state], &srv->link);
	srv->state = p->state;
	cyg_list_add_first(&srvs->in[srv->state], &srv->link);
	srv_set_id(srv, p->id);
	free(srv->tail);
	srv->tail = CYG_TAKE(p->tail);
	free(srv->failure);
	srv->failure = CYG_TAKE(p->failure);
	cyg_cleanse(srv->credential, sizeof(srv->credential));
	if (srv->push_ticket != 0)
		proxy_link_forget(srvs->opts.proxy, srv->push_ticket);
	srv->push_ticket = 0;
	srv_start_timer(srv);
	if (strcmp(id, srv->id) != 0)
		srv_waiters_unsaved(srv, id);
	srv_notify(srv);
}

static void on_turn(void *arg, bool failed)
{
	struct past *p = arg;

	if (failed)
		go_back(p);
	past_free(p);
}

void srv_remember(struct srv *srv)
{
	struct store *st = srv->srvs->opts.store;
	struct past *p = cyg_xcalloc(1, sizeof(*p));

	p->srv = srv;
	p->state = srv->state;
	memcpy(p->id, srv->id, sizeof(p->id));
	p->tail = srv->tail != NULL ? cyg_xstrdup(srv->tail) : NULL;
	p->failure = srv->failure != NULL ? cyg_xstrdup(srv->failure) : NULL;
	/* Before the fields: what is registered last is taken back first. */
	store_undo(st, on_turn, p);
	store_keep(st, srv->credential_sum, sizeof(srv->credential_sum));
	store_keep(st, &srv->choice, sizeof(srv->choice));
	store_keep(st, srv->line, sizeof(srv->line));
	store_keep(st, &srv->since_us, sizeof(srv->since_us));
	store_keep(st, &srv->started_us, sizeof(srv->started_us));
	store_keep(st, &srv->last_activity_us, sizeof(srv->last_activity_us));
	store_keep(st, &srv->stages, sizeof(srv->stages));
	store_keep(st, &srv->asked_ms, sizeof(srv->asked_ms));
	store_keep(st, &srv->start_deadline_ms, sizeof(srv->start_deadline_ms));
	store_keep(st, &srv->spawn_number, sizeof(srv->spawn_number));
	store_keep(st, &srv->spawn_epoch, sizeof(srv->spawn_epoch));
	store_keep(st, &srv->gone, sizeof(srv->gone));
	store_keep(st, &srv->unrouted, sizeof(srv->unrouted));
	store_keep(st, &srv->by_person, sizeof(srv->by_person));
	store_keep(st, srv->cause, sizeof(srv->cause));
	store_keep(st, srv->end_message, sizeof(srv->end_message));
	store_keep(st, &srv->stop_number, sizeof(srv->stop_number));
	store_keep(st, &srv->unsaved, sizeof(srv->unsaved));
}

static void repair(struct srv *srv)
{
	if (!srv->unsaved || srv->saving)
		return;
	if (srv->state == SRV_STOPPED)
		srv_record_end(srv);
	srv_save(srv);
}

void srvs_repair(struct srvs *srvs)
{
	for (int state = 0; state < SRV_STATES; state++) {
		cyg_list_each (it, srvs_in(srvs, (enum srv_state)state))
			repair(CYG_CONTAINER_OF(it, struct srv, link));
	}
}

/* Requests that wait for a server: each is on its server's list with a timer of its own, and gets
 * one response. */
#include "hub/server/wait.h"

#include "base/mem.h"
#include "hub/base/reply.h"
#include "hub/server/leave.h"
#include "hub/server/srv_priv.h"

#include <string.h>

struct waiter {
	struct cyg_link link;
	struct srv *srv;
	struct http_req *req;
	enum wait_for what;
	char id[CYG_SERVER_ID_LEN + 1]; /* the life that is waited for */
	uv_timer_t timer;
};

static void on_closed(uv_handle_t *h)
{
	free(h->data);
}

static void waiter_close(struct waiter *w)
{
	w->req->on_abort = NULL;
	cyg_list_remove(&w->srv->waiters, &w->link);
	uv_close((uv_handle_t *)&w->timer, on_closed);
}

static void respond(struct waiter *w, int status, const char *message)
{
	struct http_req *req = w->req;

	waiter_close(w);
	if (message != NULL)
		reply_error(req, status, message);
	else
		http_reply(req, status, "text/plain", CYG_STR(""));
}

static void on_late(uv_timer_t *timer)
{
	respond(timer->data, 202, NULL);
}

static void on_abort(struct http_req *req)
{
	waiter_close(req->data);
}

void srv_wait(struct srv *srv, struct http_req *req, enum wait_for what)
{
	const struct srvs_opts *opts = &srv->srvs->opts;

	if (srv->waiters.n >= SRV_OPEN_MAX) {
		http_reply(req, 202, "text/plain", CYG_STR(""));
		return;
	}
	struct waiter *w = cyg_xcalloc(1, sizeof(*w));
	w->srv = srv;
	w->req = req;
	w->what = what;
	(void)cyg_str_copy(w->id, sizeof(w->id), cyg_str_of(srv->id));
	req->data = w;
	req->on_abort = on_abort;
	(void)uv_timer_init(srv->srvs->opts.uv, &w->timer);
	w->timer.data = w;
	(void)uv_timer_start(
	    &w->timer, on_late, what == WAIT_RUNNING ? opts->slow_start_ms : opts->slow_stop_ms, 0);
	cyg_list_add(&srv->waiters, &w->link);
	srv_notify(srv);
}

static void settle_start(struct waiter *w, bool same)
{
	const struct srv *srv = w->srv;

	if (same && srv->state == SRV_RUNNING)
		respond(w, 201, NULL);
	else if (!same || srv->state == SRV_STOPPED)
		respond(w, 500,
		    same && srv->failure != NULL ? srv->failure : "The start was cancelled.");
}

void srv_waiters_settle(struct srv *srv)
{
	cyg_list_each_safe (it, &srv->waiters) {
		struct waiter *w = CYG_CONTAINER_OF(it, struct waiter, link);
		bool same = strcmp(w->id, srv->id) == 0;
		if (w->what == WAIT_RUNNING)
			settle_start(w, same);
		else if (!same || srv->state == SRV_STOPPED)
			respond(w, 204, NULL);
	}
}

void srv_waiters_unsaved(struct srv *srv, const char *id)
{
	cyg_list_each_safe (it, &srv->waiters) {
		struct waiter *w = CYG_CONTAINER_OF(it, struct waiter, link);
		struct http_req *req = w->req;
		if (strcmp(w->id, id) != 0)
			continue;
		waiter_close(w);
		reply_unsaved(req);
	}
}

void srv_waiters_close(struct srv *srv)
{
	cyg_list_each_safe (it, &srv->waiters)
		waiter_close(CYG_CONTAINER_OF(it, struct waiter, link));
}

/* Also when the turn failed: requests for undone changes have had their response, all other changes
 * happened. */
static void notify_now(void *arg, const struct cyg_err *why)
{
	struct srv *srv = arg;

	(void)why;
	srv->notify_queued = false;
	srv_waiters_settle(srv);
	srv_progress_settle(srv);
	if (srv->state == SRV_STOPPED)
		leaves_settle(srv->srvs, srv->user);
}

void srv_notify(struct srv *srv)
{
	if (srv->notify_queued)
		return;
	srv->notify_queued = true;
	store_after_turn(srv->srvs->opts.store, notify_now, srv);
}

void srv_on_moved_watchers(void *unused, const struct srv_moved *m)
{
	(void)unused;
	srv_notify(m->srv);
}

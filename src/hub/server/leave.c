/* Deletes users, in the order that leave.h describes. After a crash in the middle the sessions and
 * tokens are gone and servers are stopped or stopping; the user is still there and can be deleted
 * again. */
#include "hub/server/leave.h"

#include "base/mem.h"
#include "daemon/log.h"
#include "hub/access/audit.h"
#include "hub/access/auth.h"
#include "hub/access/sessions.h"
#include "hub/access/token.h"
#include "hub/base/reply.h"
#include "hub/link/in_force.h"
#include "hub/server/srv_priv.h"

#include <string.h>

struct leave {
	struct cyg_link link;
	struct srvs *srvs;
	struct person *person;
	struct audit_actor by;   /* who asked first */
	struct cyg_list waiting; /* of struct waiting */
	uv_timer_t slow;
	bool ending; /* the last step is queued */
};

/* A request for the deletion. */
struct waiting {
	struct cyg_link link;
	struct leave *leave;
	struct http_req *req;
};

/* ---- requests that wait for the deletion ---- */

static void waiting_end(struct waiting *w)
{
	w->req->on_abort = NULL;
	cyg_list_remove(&w->leave->waiting, &w->link);
	free(w);
}

static void on_abort(struct http_req *req)
{
	waiting_end(req->data);
}

static void on_slow(uv_timer_t *timer)
{
	struct leave *l = timer->data;

	cyg_list_each_safe (it, &l->waiting) {
		struct waiting *w = CYG_CONTAINER_OF(it, struct waiting, link);
		struct http_req *req = w->req;
		waiting_end(w);
		http_reply(req, 202, "text/plain", CYG_STR(""));
	}
}

static void wait_for(struct leave *l, struct http_req *req)
{
	struct waiting *w = cyg_xcalloc(1, sizeof(*w));

	w->leave = l;
	w->req = req;
	req->data = w;
	req->on_abort = on_abort;
	cyg_list_add(&l->waiting, &w->link);
}

/* ---- the end ---- */

static void on_closed(uv_handle_t *h)
{
	free(h->data);
}

static void leave_close(struct leave *l)
{
	store_forget(l->srvs->opts.store, l);
	cyg_list_each_safe (it, &l->waiting)
		waiting_end(CYG_CONTAINER_OF(it, struct waiting, link));
	cyg_list_remove(&l->srvs->leaves, &l->link);
	uv_close((uv_handle_t *)&l->slow, on_closed);
}

/* Also when the turn in which the last server stopped could not be written: nobody else would
 * finish it. */
static void finish(void *arg, const struct cyg_err *why)
{
	struct leave *l = arg;
	struct srvs *srvs = l->srvs;

	(void)why;
	/* When this turn cannot be written, the user is there again and can be deleted again. */
	l->person->leaving = false;
	cyg_log_info("user", "%s (%lld) is deleted", l->person->name, (long long)l->person->id);
	audit_user(srvs->opts.audit, &l->by, AUDIT_USER_DELETE, l->person, NULL);
	srvs_forget_user(srvs, l->person->name);
	person_remove(srvs->opts.access, l->person);
	cyg_list_each_safe (it, &l->waiting) {
		struct waiting *w = CYG_CONTAINER_OF(it, struct waiting, link);
		struct http_req *req = w->req;
		waiting_end(w);
		reply_in_force(srvs->opts.proxy, req, 204, NULL);
	}
	leave_close(l);
}

/* Queued, so that it does not run from inside a move of a server's record. */
static void finish_when_stopped(struct leave *l)
{
	for (const struct srv *srv = srvs_first_of(l->srvs, l->person->name); srv != NULL;
	     srv = srv->next_of_user) {
		if (srv_is_active(srv))
			return;
	}
	if (l->ending)
		return;
	l->ending = true;
	store_after_turn(l->srvs->opts.store, finish, l);
}

static struct leave *find(const struct srvs *srvs, const char *user)
{
	cyg_list_each (it, &srvs->leaves) {
		struct leave *l = CYG_CONTAINER_OF(it, struct leave, link);
		if (strcmp(l->person->name, user) == 0)
			return l;
	}
	return NULL;
}

void leaves_settle(struct srvs *srvs, const char *user)
{
	struct leave *l = find(srvs, user);

	if (l != NULL)
		finish_when_stopped(l);
}

/* ---- the beginning ---- */

static void end_sessions(const struct leave *l)
{
	struct access *access = l->srvs->opts.access;

	cyg_list_each_safe (it, &l->person->sessions) {
		struct session *s = CYG_CONTAINER_OF(it, struct session, link);
		audit_session(l->srvs->opts.audit, &l->by, AUDIT_SIGN_OUT, s,
		    json_pack("{s:s}", "why", "the user is deleted"));
		sessions_end(access, s);
	}
}

static void end_tokens(const struct leave *l)
{
	struct access *access = l->srvs->opts.access;

	cyg_list_each_safe (it, &l->person->tokens) {
		struct token *t = CYG_CONTAINER_OF(it, struct token, link);
		audit_token(l->srvs->opts.audit, &l->by, AUDIT_TOKEN_DELETE, t, NULL);
		token_end(access, t);
	}
}

static void stop_servers(const struct leave *l)
{
	struct srv *srv = srvs_first_of(l->srvs, l->person->name);

	for (; srv != NULL; srv = srv->next_of_user)
		srv_stop(srv, &l->by);
}

/* The turn was undone: sessions and tokens are there again; servers that were stopped stay stopped.
 */
static void on_begun(void *arg, bool failed)
{
	struct leave *l = arg;

	if (!failed)
		return;
	l->person->leaving = false;
	cyg_list_each_safe (it, &l->waiting) {
		struct waiting *w = CYG_CONTAINER_OF(it, struct waiting, link);
		struct http_req *req = w->req;
		waiting_end(w);
		reply_unsaved(req);
	}
	leave_close(l);
}

void leave_begin(struct srvs *srvs, struct person *person, struct http_req *req)
{
	struct leave *l = find(srvs, person->name);

	if (l == NULL) {
		l = cyg_xcalloc(1, sizeof(*l));
		l->srvs = srvs;
		l->person = person;
		l->by = audit_actor_of(auth_who(req));
		cyg_list_init(&l->waiting);
		cyg_list_add(&srvs->leaves, &l->link);
		(void)uv_timer_init(srvs->opts.uv, &l->slow);
		l->slow.data = l;
		person->leaving = true;
		store_undo(srvs->opts.store, on_begun, l);
		end_sessions(l);
		end_tokens(l);
		stop_servers(l);
	}
	wait_for(l, req);
	(void)uv_timer_start(&l->slow, on_slow, srvs->opts.slow_stop_ms, 0);
	finish_when_stopped(l);
}

void leaves_close(struct srvs *srvs)
{
	cyg_list_each_safe (it, &srvs->leaves)
		leave_close(CYG_CONTAINER_OF(it, struct leave, link));
}

/* Handing over. The spawners are asked once the intent is in the audit, and know best: a hub that
 * ends before it has written who has the home now is told so at the next try. Before it:
 * api/api_hand_over.c. */
#include "hub/server/hand_over.h"

#include "base/clock.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "hub/access/audit.h"
#include "hub/base/reply.h"
#include "hub/link/in_force.h"
#include "hub/link/spawners.h"
#include "hub/server/srv_priv.h"

#include <string.h>

enum { REPLY_MS = 30 * 1000 }; /* a line on a disk */

struct asked {
	struct hand_over *hand_over;
	struct spawner_link *link;
	uint32_t number; /* of the open call; 0: none */
};

struct hand_over {
	struct cyg_link link;
	struct srvs *srvs;
	struct http_req *req; /* NULL: the client has left */
	int64_t from, to, to_made_us;
	char name[CYG_NAME_MAX];
	size_t n, n_open, n_done;
	struct cyg_err why; /* of the first that failed; CYG_OK: none has */
	struct asked asked[SPAWNERS_MAX];
};

/* ---- whether it may be done ---- */

struct former {
	int64_t id;
	bool found;
	int64_t handed_to;
};

static void on_former(void *arg, const void *found)
{
	const struct store_former *row = found;
	struct former *f = arg;

	if (row->id != f->id)
		return;
	f->found = true;
	f->handed_to = row->handed_to;
}

static int check_former(struct srvs *srvs, const struct hand_over_spec *spec, struct cyg_err *err)
{
	struct former f = { .id = spec->from };

	if (store_formers_of(srvs->opts.store, spec->to->name, on_former, &f, err) < 0)
		return -(int)err->code;
	if (!f.found)
		return cyg_fail(err, CYG_ENOENT,
		    "User %lld has never been %s, or is not deleted. Choose one of those who had the "
		    "name.",
		    (long long)spec->from, spec->to->name);
	if (f.handed_to != 0)
		return cyg_fail(err, CYG_EEXIST,
		    "Uid and home of user %lld were handed over already, to user %lld.",
		    (long long)spec->from, (long long)f.handed_to);
	return 0;
}

/* What was kept by a name is for the account that had it then, whatever that is called now. */
static int check_name_before(
    const struct srvs *srvs, const struct hand_over_spec *spec, struct cyg_err *err)
{
	const struct person *p;
	size_t pos = 0;

	while (people_next(srvs->opts.access, &pos, &p)) {
		if (p != spec->to && strcmp(p->name_before, spec->to->name) == 0)
			return cyg_fail(err, CYG_EEXIST,
			    "What the name %s had before users had ids belongs to user %lld, who is "
			    "now %s.",
			    spec->to->name, (long long)p->id, p->name);
	}
	return 0;
}

static bool has_server(const struct srvs *srvs, const char *user)
{
	for (const struct srv *srv = srvs_first_of(srvs, user); srv != NULL;
	     srv = srv->next_of_user) {
		if (srv_is_active(srv))
			return true;
	}
	return false;
}

static int check(struct srvs *srvs, const struct hand_over_spec *spec, struct cyg_err *err)
{
	const char *name = spec->to->name;
	int rc =
	    spec->from != 0 ? check_former(srvs, spec, err) : check_name_before(srvs, spec, err);

	if (rc < 0)
		return rc;
	if (spec->to->leaving)
		return cyg_fail(err, CYG_EEXIST, "%s is being deleted.", name);
	if (has_server(srvs, name))
		return cyg_fail(err, CYG_EEXIST,
		    "%s's server is running. Stop it, then hand the home over.", name);
	if (!spawners_all_known(srvs->spawners, NULL))
		return cyg_fail(err, CYG_EBUSY,
		    "A spawner is not there now. Nothing was handed over; try again when it is.");
	return 0;
}

/* ---- the end ---- */

static void hand_over_free(struct hand_over *h)
{
	store_forget(h->srvs->opts.store, h);
	for (size_t i = 0; i < h->n; i++)
		if (h->asked[i].number != 0)
			spawner_link_forget(h->asked[i].link, h->asked[i].number);
	if (h->req != NULL)
		h->req->on_abort = NULL;
	cyg_list_remove(&h->srvs->hand_overs, &h->link);
	free(h);
}

static void remember(const struct hand_over *h)
{
	const struct store_former row = {
		.id = h->from, .handed_to = h->to, .handed_us = cyg_clock_wall_us()
	};

	cyg_log_info("user", "%s (%lld) has the uid and home of user %lld now", h->name,
	    (long long)h->to, (long long)h->from);
	if (h->from != 0)
		store_update(h->srvs->opts.store, &store_formers, &row, "handed_to,handed");
}

static json_t *done_json(const struct hand_over *h)
{
	json_t *message = json_sprintf("%s (%lld) has the uid and home of user %lld now. A home "
				       "that %s had until now stays on disk and is nobody's.",
	    h->name, (long long)h->to, (long long)h->from, h->name);

	return json_pack("{s:s, s:I, s:I, s:o}", "name", h->name, "from", (json_int_t)h->from, "to",
	    (json_int_t)h->to, "message", message);
}

/* What was not done, in a sentence. */
static void fail_text(const struct hand_over *h, struct cyg_err *err)
{
	if (h->why.code == CYG_OK)
		(void)cyg_fail(err, CYG_ENOENT,
		    "Nothing is kept of user %lld '%s': no server was ever started, or uid and home "
		    "were handed over already.",
		    (long long)h->from, h->from == 0 ? h->name : "");
	else if (h->why.code == CYG_EBUSY)
		(void)cyg_fail(
		    err, CYG_EBUSY, "%s Whether it was done is not known: try again.", h->why.msg);
	else
		(void)cyg_fail(err, CYG_EEXIST, "%s was refused by a spawner: %s.",
		    h->n_done > 0 ? "What another spawner has done" : "It", h->why.msg);
}

static void finish(struct hand_over *h)
{
	bool done = h->n_done > 0 && h->why.code == CYG_OK;
	struct store *store = h->srvs->opts.store;
	struct http_req *req = h->req;
	json_t *body = done ? done_json(h) : NULL;
	struct cyg_err err;

	if (done)
		remember(h);
	else
		fail_text(h, &err);
	if (!done)
		cyg_log_warn("user", "%s (%lld): %s", h->name, (long long)h->to, err.msg);
	hand_over_free(h);
	if (req == NULL)
		json_decref(body);
	else if (done)
		reply_committed(store, req, 200, body);
	else
		reply_err(req, &err);
}

/* ---- the spawners ---- */

static void on_reply(void *arg, uint32_t number, const struct cyg_err *why)
{
	struct asked *a = arg;
	struct hand_over *h = a->hand_over;

	(void)number;
	a->number = 0;
	if (why == NULL)
		h->n_done++;
	else if (why->code != CYG_ENOENT && h->why.code == CYG_OK)
		h->why = *why;
	if (--h->n_open == 0)
		finish(h);
}

static void ask(struct hand_over *h, struct spawner_link *link)
{
	struct asked *a = &h->asked[h->n++];
	const struct spawner_call call = { .on_reply = on_reply, .arg = a, .timeout_ms = REPLY_MS };
	struct spawn_hand_over m = { .from_id = (uint64_t)h->from,
		.to_id = (uint64_t)h->to,
		.to_made_us = (uint64_t)h->to_made_us };

	(void)cyg_str_copy(m.to_name, sizeof(m.to_name), cyg_str_of(h->name));
	if (h->from == 0)
		(void)cyg_str_copy(m.from_name, sizeof(m.from_name), cyg_str_of(h->name));
	a->hand_over = h;
	a->link = link;
	a->number = spawner_link_call(link, SPAWN_HAND_OVER, &m, sizeof(m), &call);
	if (a->number != 0)
		h->n_open++;
	else if (h->why.code == CYG_OK)
		(void)cyg_fail(&h->why, CYG_EBUSY, "A spawner is not there now.");
}

static void on_saved(void *arg, const struct cyg_err *why)
{
	struct hand_over *h = arg;
	struct http_req *req = h->req;
	const struct spawner *s;

	if (why != NULL) {
		hand_over_free(h);
		if (req != NULL)
			reply_unsaved(req);
		return;
	}
	while ((s = spawners_at(h->srvs->spawners, h->n)) != NULL)
		ask(h, s->link);
	if (h->n_open == 0)
		finish(h);
}

/* ---- the beginning ---- */

static void on_abort(struct http_req *req)
{
	struct hand_over *h = req->data;

	h->req = NULL;
}

static void tell(const struct srvs *srvs, const struct hand_over_spec *spec)
{
	const struct audit_actor to = audit_actor_user(spec->to->name);

	audit_add(srvs->opts.audit, spec->by, AUDIT_USER_HAND_OVER, to.text,
	    json_pack(
		"{s:I, s:I}", "from", (json_int_t)spec->from, "to", (json_int_t)spec->to->id));
}

void hand_over_begin(struct srvs *srvs, const struct hand_over_spec *spec, struct http_req *req)
{
	struct hand_over *h;
	struct cyg_err err;

	if (check(srvs, spec, &err) < 0) {
		reply_err(req, &err);
		return;
	}
	h = cyg_xcalloc(1, sizeof(*h));
	h->srvs = srvs;
	h->req = req;
	h->from = spec->from;
	h->to = spec->to->id;
	h->to_made_us = spec->to->created_us;
	(void)cyg_str_copy(h->name, sizeof(h->name), cyg_str_of(spec->to->name));
	cyg_list_add(&srvs->hand_overs, &h->link);
	req->data = h;
	req->on_abort = on_abort;
	tell(srvs, spec);
	store_after_turn(srvs->opts.store, on_saved, h);
}

void hand_overs_close(struct srvs *srvs)
{
	cyg_list_each_safe (it, &srvs->hand_overs)
		hand_over_free(CYG_CONTAINER_OF(it, struct hand_over, link));
}

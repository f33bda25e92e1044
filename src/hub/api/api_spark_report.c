/* POST /hub/api/cygnet/spark/report: a server says what its Spark sessions use, and which of them
 * ended. It may say so of clusters that its profile offers; it is counted for its user's group. */
#include "base/clock.h"
#include "base/mem.h"
#include "hub/access/audit.h"
#include "hub/access/auth.h"
#include "hub/api/api.h"
#include "hub/api/spark_audit.h"
#include "hub/api/spark_report.h"
#include "hub/base/ratelimit.h"
#include "hub/base/reply.h"
#include "hub/server/srv.h"
#include "store/store.h"

#include <string.h>

/* ---- the response, once the turn is over ---- */

struct pending {
	struct store *store;
	struct http_req *req;
};

static void pending_free(struct pending *p)
{
	store_forget(p->store, p);
	free(p);
}

static void on_abort(struct http_req *req)
{
	pending_free(req->data);
}

/* Also when the turn could not be written: the sessions have ended, and their rows wait. */
static void on_turn(void *arg, const struct cyg_err *why)
{
	struct pending *p = arg;
	struct http_req *req = p->req;

	(void)why;
	req->on_abort = NULL;
	pending_free(p);
	http_reply(req, 204, "text/plain", CYG_STR(""));
}

static void respond_after_turn(struct http_req *req)
{
	struct pending *p = cyg_xcalloc(1, sizeof(*p));

	p->store = api_of(req)->store;
	p->req = req;
	req->data = p;
	req->on_abort = on_abort;
	store_after_turn(p->store, on_turn, p);
}

/* ---- limits ---- */

static bool is_over(struct http_req *req, struct ratelimit *limit, const char *user)
{
	const uint64_t wait_ms = ratelimit_wait(limit, cyg_str_of(user), cyg_clock_mono_ms());

	if (wait_ms == 0)
		return false;
	reply_retry_after(req, wait_ms);
	reply_error(req, 429,
	    "Your servers report on Spark too often. Please keep the figures, and report them "
	    "together later.");
	return true;
}

/* Each end is a row that waits for the disk. One report may go over the limit, not the next. */
static bool may_tell_ends(struct http_req *req, const char *user, size_t n)
{
	struct api *api = api_of(req);

	if (n == 0)
		return true;
	if (is_over(req, api->spark_ends, user))
		return false;
	if (api->opts.is_failing(api->opts.arg)) {
		reply_unsaved(req);
		return false;
	}
	for (size_t i = 0; i < n; i++)
		ratelimit_count(api->spark_ends, cyg_str_of(user), cyg_clock_mono_ms());
	return true;
}

/* ---- the report ---- */

static int check_cluster(const struct srv *srv, const char *id, struct cyg_err *err)
{
	const struct profile *f = srv_profile(srv);

	if (strcmp(id, srv->choice.cluster) == 0 ||
	    (f != NULL && profile_list_has(&f->clusters, id)))
		return 0;
	return cyg_fail(
	    err, CYG_EDENIED, "The profile of this server does not offer the cluster '%.80s'.", id);
}

static int check_clusters(const struct srv *srv, const struct spark_report *r, struct cyg_err *err)
{
	int rc = check_cluster(srv, r->cluster, err);

	for (size_t i = 0; rc == 0 && i < r->n_ended; i++)
		rc = check_cluster(srv, r->ended[i].cluster, err);
	return rc;
}

/* What was told is counted only when nothing is to be told again. */
static void take(struct http_req *req, const struct spark_report *r)
{
	const struct who *who = auth_who(req);
	struct api *api = api_of(req);
	const struct account_of of = {
		.srv = who->srv, .groups = who->person->groups, .cluster = r->cluster
	};
	const struct audit_actor by = audit_actor_of(who);

	if (!may_tell_ends(req, who->srv->user, r->n_ended))
		return;
	spark_account_report(api->spark_account, &of, &r->figures);
	for (size_t i = 0; i < r->n_ended; i++)
		spark_audit_end(api->audit, &by, who->srv, &r->ended[i]);
	if (r->n_ended > 0)
		respond_after_turn(req);
	else
		http_reply(req, 204, "text/plain", CYG_STR(""));
}

static int read_body(
    struct http_req *req, const json_t *root, struct spark_report *r, struct cyg_err *err)
{
	if (root == NULL)
		return cyg_fail(err, CYG_EINVAL, "The report must be JSON, each name once.");
	if (spark_report_read(root, r, err) < 0)
		return -(int)CYG_EINVAL;
	return check_clusters(auth_who(req)->srv, r, err);
}

void api_spark_report(struct http_req *req)
{
	const struct srv *srv = auth_who(req)->srv;
	struct api *api = api_of(req);
	struct spark_report report;
	struct cyg_err err;
	json_t *root;
	int rc;

	if (srv == NULL || srv->choice.cluster[0] == '\0') {
		reply_error(req, 403, "This server was started without a Spark cluster.");
		return;
	}
	if (is_over(req, api->spark_reports, srv->user))
		return;
	ratelimit_count(api->spark_reports, cyg_str_of(srv->user), cyg_clock_mono_ms());
	root = json_loadb(req->body.p, req->body.len, JSON_REJECT_DUPLICATES, NULL);
	rc = read_body(req, root, &report, &err);
	if (rc < 0)
		reply_error(req, rc == -CYG_EDENIED ? 403 : 400, err.msg);
	else
		take(req, &report);
	json_decref(root);
}

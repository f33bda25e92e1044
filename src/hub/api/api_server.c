/* Starting and stopping servers with JupyterHub's status codes and texts (reference 1.6), and the
 * stream of a start (1.7). */
#include "base/clock.h"
#include "base/mem.h"
#include "http/url.h"
#include "hub/access/audit.h"
#include "hub/access/auth.h"
#include "hub/api/api.h"
#include "hub/base/hub_metrics.h"
#include "hub/base/ratelimit.h"
#include "hub/base/reply.h"
#include "hub/offer/offer.h"
#include "hub/offer/policy.h"
#include "hub/server/progress.h"
#include "hub/server/srv.h"
#include "hub/server/wait.h"

#include <string.h>

enum { QUEUE_FULL_MS = 30 * 1000 }; /* when to come back */

struct srv *api_about_server(struct http_req *req)
{
	const struct person *about = auth_about(req);

	return about == NULL
		   ? NULL
		   : srvs_find(api_of(req)->srvs, cyg_str_of(about->name), auth_server_name(req));
}

/* Records and the API have room for named servers; a site cannot turn them on yet. */
static bool is_named(struct http_req *req)
{
	if (auth_server_name(req).len == 0)
		return false;
	reply_error(req, 400, "Named servers are not enabled.");
	return true;
}

/* ---- start ---- */

/* The user options in the body: {"user_options": {...}|null}, or JupyterHub's old form, the options
 * themselves. NULL: none, the last choice or the default is used. */
static int read_options(struct http_req *req, json_t **ret, struct cyg_err *err)
{
	*ret = NULL;
	if (req->body.len == 0)
		return 0;
	json_t *root = json_loadb(req->body.p, req->body.len, JSON_REJECT_DUPLICATES, NULL);
	if (root == NULL)
		return cyg_fail(err, CYG_EINVAL, "Invalid JSON in body of request");
	json_t *options = json_object_get(root, "user_options");
	bool is_new = options != NULL || json_object_get(root, "display_name") != NULL;
	int code = 0;
	if (!json_is_object(root))
		code = cyg_fail(err, CYG_EINVAL, "Body must be a JSON object");
	else if (is_new && options != NULL && !json_is_object(options) && !json_is_null(options))
		code = cyg_fail(err, CYG_EINVAL, "user_options must be an object or null");
	else if (is_new)
		*ret = json_is_object(options) ? json_incref(options) : NULL;
	else if (json_object_size(root) > 0)
		*ret = json_incref(root);
	json_decref(root);
	return code;
}

/* The user's last choice, if it may still be had; else the defaults of the first profile that they
 * may have. */
static int usual_choice(
    struct api *api, const struct policy_person *who, struct choice *ret, struct cyg_err *err)
{
	cyg_autofree char *text = store_choice_find(api->store, who->user);
	json_t *last = text != NULL ? json_loads(text, 0, NULL) : NULL;
	const char *field = NULL;
	bool ok = last != NULL && choice_read(last, api->offer->profiles, ret, &field, err) == 0 &&
		  policy_check(who, api->offer->profiles, ret, &field, err) == 0;

	json_decref(last);
	if (ok)
		return 0;
	const struct profile *f = policy_default(who, api->offer->profiles);
	if (f == NULL)
		return cyg_fail(err, CYG_EDENIED,
		    "None of the profiles is for you. Please ask the administrator.");
	choice_default(api->offer->profiles, f, ret);
	return 0;
}

static int read_choice(
    struct http_req *req, struct choice *ret, const char **field, struct cyg_err *err)
{
	struct api *api = api_of(req);
	const struct person *person = auth_about(req);
	struct policy_person who = { .user = person->name, .groups = person->groups };
	json_t *options = NULL;

	*field = NULL;
	if (read_options(req, &options, err) < 0)
		return -CYG_EINVAL;
	int code = options == NULL ? usual_choice(api, &who, ret, err)
				   : choice_read(options, api->offer->profiles, ret, field, err);
	json_decref(options);
	return code < 0 ? code : policy_check(&who, api->offer->profiles, ret, field, err);
}

static bool is_busy(struct http_req *req, const struct srv *srv)
{
	const char *pending = srv != NULL ? srv_state_pending(srv->state) : NULL;

	if (srv == NULL || srv->state == SRV_STOPPED)
		return false;
	if (pending == NULL)
		reply_error(
		    req, 400, cyg_arena_printf(req->arena, "%s is already running", srv->user));
	else if (strcmp(pending, "spawn") == 0)
		http_reply(req, 202, "text/plain", CYG_STR(""));
	else
		reply_error(req, 400,
		    cyg_arena_printf(
			req->arena, "%s is pending %s, please wait", srv->user, pending));
	return true;
}

/* A start makes folders, a container and rows that are flushed to disk, so each user has a limit.
 */
static bool is_too_often(struct http_req *req, const char *user)
{
	struct api *api = api_of(req);
	uint64_t wait_ms = ratelimit_wait(api->starts, cyg_str_of(user), cyg_clock_mono_ms());

	if (wait_ms == 0)
		return false;
	reply_retry_after(req, wait_ms);
	reply_error(req, 429,
	    cyg_arena_printf(req->arena,
		"%s has started a server %llu times within a minute. Please wait %llu seconds.",
		user, (unsigned long long)api->opts.starts_per_minute,
		(unsigned long long)(wait_ms + 999) / 1000));
	return true;
}

void api_start_server(struct http_req *req)
{
	struct api *api = api_of(req);
	const struct person *person = auth_about(req);
	const char *field = NULL;
	struct choice choice;
	struct cyg_err err;

	if (is_named(req) || is_busy(req, api_about_server(req)))
		return;
	if (api->draining) {
		reply_error(req, 503, "The service is being shut down. Please try again later.");
		return;
	}
	if (person->leaving) {
		reply_error(
		    req, 400, cyg_arena_printf(req->arena, "%s is being deleted.", person->name));
		return;
	}
	if (read_choice(req, &choice, &field, &err) < 0) {
		int status = err.code == CYG_EDENIED ? 403 : err.code == CYG_EBUSY ? 503 : 400;
		reply_field_error(req, status, err.msg, field);
		return;
	}
	if (is_too_often(req, person->name))
		return;
	struct srv *srv = srvs_get(api->srvs, person->name, "");
	const struct audit_actor by = audit_actor_of(auth_who(req));
	if (srv_start(srv, &choice, &by, &err) < 0) {
		metrics_observe_since(
		    api->metrics, HUB_SPAWN_SECONDS, METRIC_AT(HUB_THROTTLED), req->begun_ns);
		reply_retry_after(req, QUEUE_FULL_MS);
		reply_error(req, 429, err.msg);
		return;
	}
	ratelimit_count(api->starts, cyg_str_of(person->name), cyg_clock_mono_ms());
	srv_wait(srv, req, WAIT_RUNNING);
}

/* ---- stop, look ---- */

/* The body may say {"remove": true}, which is for named servers. */
static bool is_refused(struct http_req *req)
{
	json_t *root =
	    req->body.len > 0 ? json_loadb(req->body.p, req->body.len, 0, NULL) : json_object();
	bool is_object = json_is_object(root);
	bool removes = json_is_true(json_object_get(root, "remove"));

	json_decref(root);
	if (!is_object)
		reply_error(req, 400, "Invalid JSON in body of request");
	else if (removes)
		reply_error(req, 400, "Cannot delete the default server");
	return !is_object || removes;
}

void api_stop_server(struct http_req *req)
{
	struct srv *srv = api_about_server(req);
	const struct audit_actor by = audit_actor_of(auth_who(req));

	if (is_named(req) || is_refused(req))
		return;
	if (srv == NULL || srv->state == SRV_STOPPED) {
		http_reply(req, 204, NULL, CYG_STR(""));
		return;
	}
	srv_stop(srv, &by);
	srv_wait(srv, req, WAIT_STOPPED);
}

void api_get_server(struct http_req *req)
{
	const struct srv *srv = api_about_server(req);

	if (srv == NULL)
		reply_error(req, 404, "There is no such server.");
	else
		reply_json(req, 200, api_server(api_of(req), srv));
}

void api_progress(struct http_req *req)
{
	struct srv *srv = api_about_server(req);
	bool is_default = auth_server_name(req).len == 0;

	if (srv != NULL)
		srv_progress_open(srv, req);
	else if (is_default)
		reply_error(req, 400,
		    cyg_arena_printf(req->arena, "%s is not starting.", auth_about(req)->name));
	else
		reply_error(req, 404, "There is no such server.");
}

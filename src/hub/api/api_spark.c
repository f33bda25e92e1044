/* Spark for servers, by the inner door: POST …/spark/connect, POST …/spark/preview and GET
 * …/spark/catalogue. Each reads the request, then the files of the software tree that it needs, and
 * answers from them. Nothing of it is kept here; of a connect the audit has a row. */
#include "base/clock.h"
#include "base/mem.h"
#include "http/url.h"
#include "hub/access/audit.h"
#include "hub/access/auth.h"
#include "hub/api/api.h"
#include "hub/api/spark_audit.h"
#include "hub/api/spark_connect.h"
#include "hub/api/spark_report.h"
#include "hub/api/spark_views.h"
#include "hub/base/asks.h"
#include "hub/base/hub_metrics.h"
#include "hub/base/ratelimit.h"
#include "hub/base/reply.h"
#include "hub/offer/clusters.h"
#include "hub/offer/offer.h"
#include "hub/server/spark_account.h"
#include "hub/server/srv.h"
#include "spark/chosen.h"
#include "spark/jsonread.h"
#include "spark/policy.h"
#include "spark/session.h"
#include "store/store.h"

#include <stdio.h>
#include <string.h>

/* One request; it ends with its response, or when the client goes away. */
struct ask {
	struct api *api;
	struct http_req *req;
	/* Responds from what was found; what the server may use has been checked. */
	void (*respond)(
	    struct ask *a, const struct spark_view *v, const struct clusters_found *found);
	struct clusters_wait wait;
	struct cyg_arena arena;
	char user[CYG_NAME_MAX];
	char server_id[CYG_SERVER_ID_LEN + 1];
	char usual_cluster[CYG_NAME_MAX]; /* of the server */
	int version[3];
	char version_text[24];
	struct spark_chosen chosen;
	/* Of a connect. */
	bool connects;
	struct audit_actor by;
	const char *session; /* the agent's id of it, or NULL */
	char *text;          /* the response, while its turn is not on disk */
};

static void ask_free(struct ask *a)
{
	clusters_wait_cancel(&a->wait);
	store_forget(a->api->store, a);
	if (a->text != NULL)
		cyg_cleanse(a->text, strlen(a->text));
	free(a->text);
	asks_leave(a->api->asks, ASKS_CONNECT, a->user);
	cyg_arena_free(&a->arena);
	free(a);
}

static void on_abort(struct http_req *req)
{
	ask_free(req->data);
}

/* The request is ours no more. */
static struct http_req *end(struct ask *a)
{
	struct http_req *req = a->req;

	req->on_abort = NULL;
	ask_free(a);
	return req;
}

/* Connects are counted for the group of the user, whose server may be gone meanwhile. */
static void count(const struct ask *a, unsigned result)
{
	const struct srv *srv = srvs_find_id(a->api->srvs, a->server_id);
	const struct person *person = people_find(a->api->access, cyg_str_of(a->user));
	const struct account_of of = { .srv = srv,
		.groups = person != NULL ? person->groups : NULL,
		.cluster = a->chosen.cluster != NULL ? a->chosen.cluster : a->usual_cluster };

	if (a->connects)
		spark_account_connect(a->api->spark_account, &of, result);
}

static void fail(struct ask *a, int status, const char *message)
{
	count(a, status == 429 ? HUB_THROTTLED : HUB_FAILURE);
	reply_error(end(a), status, message);
}

/* ---- connect and preview ---- */

/* The session that was chosen; NULL when the request has its response already. */
static struct spark_session *make_session(
    struct ask *a, const struct spark_view *v, const struct clusters_found *found)
{
	const struct spark_choose_from from = {
		.bundles = found->bundles, .cluster = found->cluster->id, .version = a->version_text
	};
	struct spark_session_ask ask = { .cluster = found->cluster,
		.flavour = a->chosen.flavour,
		.version = { a->version[0], a->version[1], a->version[2] },
		.cores = v->choice->cores,
		.memory_mb = v->choice->memory_mb,
		.app_name = cyg_arena_printf(&a->arena, "%s-notebook", a->user) };
	struct spark_setting *settings = NULL;
	struct spark_session *s = NULL;
	struct cyg_err err;
	int rc =
	    spark_chosen_settings(&a->chosen, &from, &a->arena, &settings, &ask.n_settings, &err);

	ask.settings = settings;
	if (rc == 0)
		rc = spark_session_make(&ask, &s, &err);
	if (rc == 0)
		return s;
	fail(a, 400, err.msg);
	return NULL;
}

/* The secrets leave once the row that tells of them is on disk, or not at all. */
static void on_turn(void *arg, const struct cyg_err *why)
{
	struct ask *a = arg;

	count(a, why == NULL ? HUB_SUCCESS : HUB_FAILURE);
	if (why != NULL) {
		reply_unsaved(end(a));
		return;
	}
	http_reply_field(a->req, "Cache-Control", "no-store");
	a->req->on_abort = NULL;
	http_reply(a->req, 200, "application/json", cyg_str_of(a->text));
	ask_free(a);
}

static void tell_audit(struct ask *a, const struct clusters_found *found)
{
	const struct spark_audit_connect told = { .by = &a->by,
		.srv = srvs_find_id(a->api->srvs, a->server_id),
		.chosen = &a->chosen,
		.cluster = found->cluster->id,
		.session = a->session };

	spark_audit_connect(a->api->audit, &told);
	ratelimit_count(a->api->spark_connects, cyg_str_of(a->user), cyg_clock_mono_ms());
}

static void respond_connect(
    struct ask *a, const struct spark_view *v, const struct clusters_found *found)
{
	struct spark_session *s = make_session(a, v, found);
	struct cyg_err err;

	if (s == NULL)
		return;
	a->text = spark_connect_text(s, &err);
	spark_session_free(s);
	if (a->text == NULL) {
		fail(a, 400, err.msg);
		return;
	}
	tell_audit(a, found);
	store_after_turn(a->api->store, on_turn, a);
}

static void respond_preview(
    struct ask *a, const struct spark_view *v, const struct clusters_found *found)
{
	struct spark_session *s = make_session(a, v, found);
	json_t *preview;

	if (s == NULL)
		return;
	preview = spark_view_preview(s, found);
	spark_session_free(s);
	reply_json(end(a), 200, preview);
}

static void respond_catalogue(
    struct ask *a, const struct spark_view *v, const struct clusters_found *found)
{
	json_t *catalogue = spark_view_catalogue(v, found);

	reply_json(end(a), 200, catalogue);
}

/* ---- what the tree says ---- */

static void on_found(void *arg, const struct clusters_found *found, const struct cyg_err *why)
{
	struct ask *a = arg;
	const struct srv *srv = srvs_find_id(a->api->srvs, a->server_id);
	const struct person *person = people_find(a->api->access, cyg_str_of(a->user));
	struct cyg_err err;

	if (why != NULL) {
		fail(a, 502, why->msg);
		return;
	}
	if (srv == NULL || !srv_is_active(srv) || person == NULL) {
		fail(a, 409, "The server is not running any more.");
		return;
	}
	const struct policy_person who = { .user = a->user, .groups = person->groups };
	const struct spark_view v = { &who, a->api->offer->profiles, &srv->choice, a->version,
		a->version_text };
	const char *id = a->chosen.cluster != NULL ? a->chosen.cluster : srv->choice.cluster;

	if (spark_view_may_use(&v, found, id, &err))
		a->respond(a, &v, found);
	else
		fail(a, err.code == CYG_EDENIED ? 403 : 409, err.msg);
}

/* ---- the request ---- */

static int read_version(struct ask *a, const char *text, struct cyg_err *err)
{
	if (text == NULL)
		return cyg_fail(err, CYG_EINVAL, "spark_version is missing");
	if (spark_version_parse(text, a->version, err) < 0)
		return -(int)CYG_EINVAL;
	(void)snprintf(a->version_text, sizeof(a->version_text), "%d.%d.%d", a->version[0],
	    a->version[1], a->version[2]);
	return 0;
}

/* Adds the one variable that the hub knows better. */
static void add_user(struct ask *a)
{
	struct spark_pairs *v = &a->chosen.variables;
	struct spark_pair *list = cyg_arena_alloc(&a->arena, (v->n + 1) * sizeof(*list));

	list[0] = (struct spark_pair){ "USER", a->user };
	if (v->n > 0)
		memcpy(list + 1, v->list, v->n * sizeof(*list));
	v->list = list;
	v->n++;
}

/* "ports" is the word of an agent that does not fill in places. */
static int check_agent(const json_t *root, struct cyg_err *err)
{
	if (json_object_get(root, "ports") == NULL)
		return 0;
	return cyg_fail(err, CYG_EINVAL,
	    "This server was started before the hub was upgraded: stop it and start it again to use Spark.");
}

/* The agent's own name of the session, for the audit. */
static int read_session(struct ask *a, const json_t *root, struct cyg_err *err)
{
	struct spark_json j = { .arena = &a->arena };

	return spark_json_text(&j, root, "session", SPARK_SESSION_ID_MAX, &a->session, err);
}

static int read_body(struct ask *a, struct cyg_str body, struct cyg_err *err)
{
	json_error_t why;
	json_t *root = json_loadb(body.p, body.len, JSON_REJECT_DUPLICATES, &why);
	int rc =
	    json_is_object(root)
		? read_version(a, json_string_value(json_object_get(root, "spark_version")), err)
		: cyg_fail(err, CYG_EINVAL, "The request must be a JSON object: %s", why.text);

	if (rc == 0)
		rc = check_agent(root, err);
	if (rc == 0)
		rc = spark_chosen_read(root, &a->arena, &a->chosen, err);
	if (rc == 0)
		rc = read_session(a, root, err);
	add_user(a);
	json_decref(root);
	return rc;
}

/* Of GET: ?spark_version=4.2.0&cluster=ID, the latter optional. */
static int read_query(struct ask *a, struct cyg_str query, struct cyg_err *err)
{
	const char *names[] = { "spark_version", "cluster" };
	const char *values[CYG_N(names)] = { NULL };

	for (size_t i = 0; i < CYG_N(names); i++) {
		struct cyg_str value;
		bool found = false;

		if (url_query_get(&a->arena, query, names[i], &value, &found, err) < 0)
			return -(int)CYG_EINVAL;
		if (found)
			values[i] = cyg_arena_dup(&a->arena, value);
	}
	a->chosen.cluster = values[1];
	return read_version(a, values[0], err);
}

/* NULL when it has been refused. */
static struct ask *admit(struct http_req *req)
{
	const struct who *who = auth_who(req);
	struct api *api = api_of(req);
	struct ask *a;

	if (who->srv == NULL || who->srv->choice.cluster[0] == '\0') {
		reply_error(req, 403, "This server was started without a Spark cluster.");
		return NULL;
	}
	if (api->offer->clusters == NULL) {
		reply_error(req, 404, "This site has no catalogue of Spark clusters.");
		return NULL;
	}
	if (!asks_admit(api->asks, ASKS_CONNECT, who->srv->user, req))
		return NULL;
	a = cyg_xcalloc(1, sizeof(*a));
	a->api = api;
	a->req = req;
	a->by = audit_actor_of(who);
	cyg_arena_init(&a->arena);
	(void)cyg_str_copy(a->server_id, sizeof(a->server_id), cyg_str_of(who->srv->id));
	(void)cyg_str_copy(a->user, sizeof(a->user), cyg_str_of(who->srv->user));
	(void)cyg_str_copy(
	    a->usual_cluster, sizeof(a->usual_cluster), cyg_str_of(who->srv->choice.cluster));
	req->data = a;
	req->on_abort = on_abort;
	return a;
}

static void look(struct ask *a, unsigned parts)
{
	const struct choice *choice = &auth_who(a->req)->srv->choice;
	const struct clusters_ask ask = { .cluster = a->chosen.cluster != NULL ? a->chosen.cluster
									       : choice->cluster,
		.stack = choice->stack,
		.parts = parts };

	clusters_want(a->api->offer->clusters, &a->wait, &ask, on_found, a);
}

/* A session costs a row that is flushed to disk, so each user has a limit. */
static bool is_too_often(struct ask *a)
{
	const uint64_t wait_ms =
	    ratelimit_wait(a->api->spark_connects, cyg_str_of(a->user), cyg_clock_mono_ms());

	if (wait_ms == 0)
		return false;
	reply_retry_after(a->req, wait_ms);
	fail(a, 429,
	    cyg_arena_printf(a->req->arena,
		"Your servers have started %d Spark sessions within a minute. Please wait %llu "
		"seconds.",
		API_SPARK_CONNECTS_MAX, (unsigned long long)(wait_ms + 999) / 1000));
	return true;
}

void api_spark_connect(struct http_req *req)
{
	struct ask *a = admit(req);
	struct cyg_err err;

	if (a == NULL)
		return;
	a->connects = true;
	if (is_too_often(a))
		return;
	a->respond = respond_connect;
	if (read_body(a, req->body, &err) < 0)
		fail(a, 400, err.msg);
	else
		look(a, a->chosen.n_bundles > 0 ? CLUSTERS_BUNDLES : 0);
}

void api_spark_preview(struct http_req *req)
{
	struct ask *a = admit(req);
	struct cyg_err err;

	if (a == NULL)
		return;
	a->respond = respond_preview;
	if (read_body(a, req->body, &err) < 0)
		fail(a, 400, err.msg);
	else
		look(a, CLUSTERS_OPTIONS | (a->chosen.n_bundles > 0 ? CLUSTERS_BUNDLES : 0));
}

void api_spark_catalogue(struct http_req *req)
{
	struct ask *a = admit(req);
	struct cyg_err err;

	if (a == NULL)
		return;
	a->respond = respond_catalogue;
	if (read_query(a, req->head->query, &err) < 0)
		fail(a, 400, err.msg);
	else
		look(a, CLUSTERS_OPTIONS | CLUSTERS_BUNDLES);
}

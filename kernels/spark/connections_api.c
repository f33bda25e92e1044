/* What browsers ask for below api/cygnet/spark: what there is to choose from, what a choice would
 * give, and the sessions of this server. The hub renders; its responses are passed on as they are.
 */
#include "base/mem.h"
#include "http/url.h"
#include "kernels/base/reply.h"
#include "kernels/spark/spark_priv.h"
#include "kernels/spark/want.h"

#include <string.h>

enum { BODY_MAX = 512 * 1024, QUESTION_MAX = 1024 * 1024 };

/* NULL when the request has its response: this server is without Spark. */
static struct spark *spark_of(struct http_req *req)
{
	struct spark *s = *(struct spark *const *)req->ctx;

	if (s == NULL)
		reply_error(req, 404, NULL, "This server was started without Spark.");
	return s;
}

/* ---- passing on ---- */

struct pass {
	struct http_req *req;
	struct http_call *call;
};

static void on_abort(struct http_req *req)
{
	struct pass *p = req->data;

	http_call_cancel(p->call);
	free(p);
}

static void on_response(void *arg, const struct http_result *result)
{
	struct pass *p = arg;
	struct http_req *req = p->req;

	req->on_abort = NULL;
	free(p);
	if (result->status == 0) {
		reply_error(req, 502, NULL, "The hub does not answer: %s.", result->err.msg);
		return;
	}
	if (result->status != 200) {
		cyg_autofree char *why = hub_ask_refusal(result);

		reply_error(req, result->status, NULL, "%s", why);
		return;
	}
	reply_policy(req, false);
	http_reply(req, 200, "application/json", result->body);
}

static void pass_on(struct spark *s, struct http_req *req, const char *path, struct cyg_str body)
{
	struct pass *p = cyg_xcalloc(1, sizeof(*p));
	struct cyg_err err;

	p->req = req;
	req->data = p;
	req->on_abort = on_abort;
	p->call = hub_ask(&s->hub, path, body, on_response, p, &err);
	if (p->call != NULL)
		return;
	req->on_abort = NULL;
	free(p);
	reply_error(req, 502, NULL, "The hub cannot be asked: %s.", err.msg);
}

/* GET …/catalogue?cluster=ID */
static void get_catalogue(struct http_req *req)
{
	struct spark *s = spark_of(req);
	struct cyg_str cluster = CYG_STR("");
	cyg_autofree char *path = NULL;
	cyg_autofree char *id = NULL;
	bool found = false;
	struct cyg_err err;

	if (s == NULL)
		return;
	if (url_query_get(req->arena, req->head->query, "cluster", &cluster, &found, &err) < 0) {
		reply_err(req, &err);
		return;
	}
	id = cyg_str_dup(cluster);
	if (found && !want_cluster_is_ok(id)) {
		reply_error(req, 400, NULL, "cluster must be the id of a cluster");
		return;
	}
	path = cyg_xasprintf("/api/cygnet/spark/catalogue?spark_version=%s%s%s", s->stack.version,
	    found ? "&cluster=" : "", id);
	pass_on(s, req, path, CYG_STR(""));
}

/* The body of a session's question, with nothing that belongs to a kernel. */
static int write_preview(
    const struct spark *s, const struct want *want, struct cyg_buf *out, struct cyg_err *err)
{
	const struct session_want *w = &want->session;
	const struct {
		const char *name;
		struct cyg_str json;
	} members[] = { { "flavour", w->flavour }, { "bundles", w->bundles },
		{ "options", w->options }, { "notebook", w->notebook }, { "user", w->user } };
	struct jsonw j;

	jsonw_init(&j, out);
	jsonw_object(&j);
	jsonw_key_cstr(&j, "spark_version", s->stack.version);
	if (w->cluster != NULL)
		jsonw_key_cstr(&j, "cluster", w->cluster);
	for (size_t i = 0; i < CYG_N(members); i++) {
		if (members[i].json.p == NULL)
			continue;
		jsonw_key(&j, members[i].name);
		jsonw_raw(&j, members[i].json);
	}
	session_write_variables(&j, &s->stack);
	jsonw_object_end(&j);
	return jsonw_finish(&j, err);
}

/* POST …/preview */
static void post_preview(struct http_req *req)
{
	struct spark *s = spark_of(req);
	cyg_autobuf struct cyg_buf body;
	struct want want;
	struct cyg_err err;
	int rc;

	cyg_buf_init(&body, QUESTION_MAX);
	if (s == NULL)
		return;
	rc = want_read(req->body, &want, &err);
	if (rc == 0)
		rc = write_preview(s, &want, &body, &err);
	want_free(&want);
	if (rc < 0)
		reply_err(req, &err);
	else
		pass_on(s, req, "/api/cygnet/spark/preview", cyg_buf_str(&body));
}

/* ---- sessions ---- */

static void reply_session(struct http_req *req, int status, const struct session *session)
{
	struct reply r;

	reply_begin(&r);
	jsonw_object(&r.w);
	session_write(session, &r.w);
	jsonw_object_end(&r.w);
	reply_end(&r, req, status);
}

static void get_connections(struct http_req *req)
{
	struct spark *s = spark_of(req);
	struct reply r;

	if (s == NULL)
		return;
	reply_begin(&r);
	sessions_write(s->sessions, &r.w);
	reply_end(&r, req, 200);
}

/* A kernel has one session: what it had ends. */
static void post_connection(struct http_req *req)
{
	struct spark *s = spark_of(req);
	struct session *session = NULL;
	struct want want;
	struct cyg_err err;

	if (s == NULL)
		return;
	if (want_read(req->body, &want, &err) == 0)
		session = sessions_replace(s->sessions, &want.session, &err);
	want_free(&want);
	if (session == NULL)
		reply_err(req, &err);
	else
		reply_session(req, 202, session);
}

/* What a notebook keeps counts at the first use of `spark` in its kernel. */
static void put_choice(struct http_req *req)
{
	struct spark *s = spark_of(req);
	struct want want;
	struct cyg_err err;
	int rc;

	if (s == NULL)
		return;
	rc = want_read(req->body, &want, &err);
	if (rc == 0)
		choices_set(&s->choices, &want.session);
	want_free(&want);
	if (rc < 0)
		reply_err(req, &err);
	else
		reply_empty(req);
}

static struct session *find(struct http_req *req)
{
	struct spark *s = spark_of(req);
	struct session *session = s != NULL ? sessions_find(s->sessions, req->params[0]) : NULL;

	if (s != NULL && session == NULL)
		reply_error(req, 404, NULL, "There is no such Spark session.");
	return session;
}

static void get_connection(struct http_req *req)
{
	const struct session *session = find(req);

	if (session != NULL)
		reply_session(req, 200, session);
}

static void delete_connection(struct http_req *req)
{
	struct session *session = find(req);

	if (session == NULL)
		return;
	session_end(session);
	reply_empty(req);
}

/* ---- the page of settings ---- */

static void get_status(struct http_req *req)
{
	struct spark *s = spark_of(req);
	struct reply r;

	if (s == NULL)
		return;
	reply_begin(&r);
	spark_write_status(s, &r.w);
	reply_end(&r, req, 200);
}

const struct http_endpoint spark_endpoints[] = {
	{ HTTP_GET, "/api/cygnet/spark", "agent", get_status, 0 },
	{ HTTP_GET, "/api/cygnet/spark/catalogue", "agent", get_catalogue, 0 },
	{ HTTP_POST, "/api/cygnet/spark/preview", "agent", post_preview, BODY_MAX },
	{ HTTP_GET, "/api/cygnet/spark/connections", "agent", get_connections, 0 },
	{ HTTP_POST, "/api/cygnet/spark/connections", "agent", post_connection, BODY_MAX },
	{ HTTP_PUT, "/api/cygnet/spark/choice", "agent", put_choice, BODY_MAX },
	{ HTTP_GET, "/api/cygnet/spark/connections/{id}", "agent", get_connection, 0 },
	{ HTTP_DELETE, "/api/cygnet/spark/connections/{id}", "agent", delete_connection, 0 },
	{ .path = NULL },
};

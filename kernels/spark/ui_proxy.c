/* Passes requests on to a driver's UI. Of the browser's request nothing goes further but the path
 * and the query: no cookie, no token of ours. Of the response come the status, the body, its type
 * and Spark's own content security policy (which names its scripts by a nonce). What the pages show
 * is text of users, so our policy stands beside Spark's: scripts may ask for nothing outside of
 * this UI, and the page can be in no frame, open no window and send no form.
 *
 * Spark writes every link below X-Forwarded-Context (UIUtils.uiRoot); its scripts look for the
 * segments "proxy" and "history" in the path, so neither is in ours. */
#include "kernels/spark/ui_proxy.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "http/client.h"
#include "http/url.h"
#include "kernels/base/reply.h"
#include "kernels/spark/jws.h"
#include "kernels/spark/monitor.h"

#include <stdio.h>
#include <string.h>

enum { BODY_MAX = 8 * 1024 * 1024, TIMEOUT_MS = 30 * 1000, TOKEN_S = 60, VALUE_SIZE = 1024 };

struct pass {
	struct http_req *req;
	struct http_call *call;
	char *root; /* "/user/alice/spark-ui/APP" */
	char type[VALUE_SIZE], location[VALUE_SIZE], policy[VALUE_SIZE];
};

static void pass_free(struct pass *p)
{
	free(p->root);
	free(p);
}

static void on_abort(struct http_req *req)
{
	struct pass *p = req->data;

	http_call_cancel(p->call);
	pass_free(p);
}

/* ---- which pages ---- */

/* The UI's tabs, its files, and the part of its REST API that its own pages ask for. */
static bool is_page(struct cyg_str path)
{
	static const char *const first[] = { "", "jobs", "stages", "storage", "environment",
		"executors", "SQL", "connect", "StreamingQuery", "streaming", "sqlserver", "static",
		"api" };
	static const char *const never[] = { "kill", "threadDump", "threads", "heapHistogram" };
	struct cyg_str rest = path;
	struct cyg_str part;
	bool is_first = true;
	bool is_known = false;

	while (cyg_str_next(&rest, '/', &part)) {
		for (size_t i = 0; is_first && i < CYG_N(first); i++)
			is_known = is_known || cyg_str_eq(part, first[i]);
		for (size_t i = 0; i < CYG_N(never); i++) {
			if (cyg_str_eq(part, never[i]))
				return false;
		}
		is_first = false;
	}
	return is_known || is_first;
}

/* ---- the response ---- */

static void copy_field(const struct http_head *head, const char *name, char *out)
{
	const struct http_field *field = http_head_find(head, name);

	out[0] = '\0';
	if (field != NULL && http_value_is_ok(field->value))
		(void)cyg_str_copy(out, VALUE_SIZE, field->value);
}

static void on_head(void *arg, const struct http_head *head)
{
	struct pass *p = arg;

	copy_field(head, "content-type", p->type);
	copy_field(head, "location", p->location);
	copy_field(head, "content-security-policy", p->policy);
}

/* The UI redirects to addresses without our prefix, and to none but its own. */
static char *local_location(const struct pass *p)
{
	const char *path = p->location;
	const char *authority = strstr(path, "://");

	if (authority != NULL)
		path = strchr(authority + 3, '/');
	if (path == NULL || path[0] != '/' || path[1] == '/')
		path = "/jobs/";
	if (strncmp(path, p->root, strlen(p->root)) == 0)
		return cyg_xstrdup(path);
	return cyg_xasprintf("%s%s", p->root, path);
}

/* A path is part of a source only after a host. */
static void add_policy(struct http_req *req, const struct pass *p)
{
	const bool has_host = req->head->host.len > 0;
	const char *own = has_host ? cyg_arena_printf(req->arena, "%.*s%s/",
					 CYG_STR_ARGS(req->head->host), p->root)
				   : "'self'";
	const char *policy = cyg_arena_printf(req->arena,
	    "sandbox allow-scripts allow-same-origin; default-src 'none'; script-src %s 'unsafe-inline'; style-src %s 'unsafe-inline'; img-src %s data:; font-src %s; connect-src %s; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	    own, own, own, own, own);

	if (p->policy[0] != '\0')
		http_reply_field(req, "Content-Security-Policy", p->policy);
	http_reply_field(req, "Content-Security-Policy", policy);
	http_reply_field(req, "X-Content-Type-Options", "nosniff");
	http_reply_field(req, "Referrer-Policy", "no-referrer");
	http_reply_field(req, "Cache-Control", "private, no-store");
}

static void on_response(void *arg, const struct http_result *result)
{
	struct pass *p = arg;
	struct http_req *req = p->req;

	req->on_abort = NULL;
	if (result->status == 0) {
		reply_error(req, 502, NULL, "Spark's UI does not answer: %s.", result->err.msg);
	} else if (result->status >= 300 && result->status < 400) {
		cyg_autofree char *location = local_location(p);

		http_reply_redirect(req, 302, location);
	} else if (result->status == 401 || result->status == 403) {
		reply_error(req, 502, NULL, "Spark's UI does not accept this server.");
	} else {
		add_policy(req, p);
		http_reply(req, result->status,
		    p->type[0] != '\0' ? p->type : "application/octet-stream", result->body);
	}
	pass_free(p);
}

/* ---- the request ---- */

static int make_target(struct http_req *req, struct cyg_buf *out, struct cyg_err *err)
{
	const struct cyg_str query = req->head->query;
	int rc = cyg_buf_add_str(out, "/", err);

	if (rc == 0)
		rc = url_encode(out, req->params[1], "/", err);
	if (rc == 0 && query.p != NULL)
		rc = cyg_buf_printf(out, err, "?%.*s", CYG_STR_ARGS(query));
	return rc;
}

static int pass_on(struct http_req *req, const struct monitor_ui *ui, struct cyg_err *err)
{
	struct pass *p = cyg_xcalloc(1, sizeof(*p));
	cyg_autofree char *token =
	    ui->key != NULL ? spark_jws_token(ui->key, cyg_clock_wall_us() / 1000000, TOKEN_S, err)
			    : NULL;
	cyg_autofree char *authorization = token != NULL ? cyg_xasprintf("Bearer %s", token) : NULL;
	cyg_autobuf struct cyg_buf target;
	struct http_call_spec spec = { .loopback_port = (uint16_t)ui->port,
		.method = "GET",
		.host = "127.0.0.1",
		.authorization = authorization,
		.field_name = "X-Forwarded-Context",
		.on_head = on_head,
		.timeout_ms = TIMEOUT_MS,
		.body_max = BODY_MAX };
	int rc;

	cyg_buf_init(&target, 16 * 1024);
	p->req = req;
	p->root = cyg_xasprintf("%sspark-ui/%.*s", req->base_url, CYG_STR_ARGS(req->params[0]));
	rc = make_target(req, &target, err);
	if (rc < 0) {
		pass_free(p);
		return rc;
	}
	spec.target = target.data;
	spec.field_value = p->root;
	req->data = p;
	req->on_abort = on_abort;
	p->call = http_call_start(ui->loop, &spec, on_response, p);
	return 0;
}

static bool find(struct http_req *req, struct monitor_ui *ui)
{
	const struct monitor *m = *(struct monitor *const *)req->ctx;

	if (m != NULL && monitor_find_ui(m, req->params[0], ui))
		return true;
	reply_error(req, 404, NULL,
	    "This Spark application does not run on this server: its UI ended with it.");
	return false;
}

static void get_page(struct http_req *req)
{
	struct monitor_ui ui;
	struct cyg_err err;

	if (!find(req, &ui))
		return;
	if (!is_page(req->params[1]))
		reply_error(req, 404, NULL, "Spark's UI has no such page here.");
	else if (pass_on(req, &ui, &err) < 0)
		reply_err(req, &err);
}

static void get_root(struct http_req *req)
{
	struct monitor_ui ui;

	if (find(req, &ui))
		http_reply_redirect(req, 302,
		    cyg_arena_printf(req->arena, "%sspark-ui/%.*s/jobs/", req->base_url,
			CYG_STR_ARGS(req->params[0])));
}

/* POST …/kill/jobs/{id} */
static void post_kill(struct http_req *req)
{
	struct monitor *m = *(struct monitor *const *)req->ctx;
	struct monitor_ui ui;
	uint64_t job = 0;
	struct cyg_err err;
	int rc;

	if (!find(req, &ui))
		return;
	rc = cyg_num_parse_u64(req->params[1], 0, INT32_MAX, &job, &err);
	if (rc == 0)
		rc = monitor_kill_job(m, req->params[0], (int64_t)job, &err);
	if (rc < 0)
		reply_err(req, &err);
	else
		reply_empty(req);
}

const struct http_endpoint ui_proxy_endpoints[] = {
	{ HTTP_GET, "/spark-ui/{app}", "agent", get_root, 0 },
	{ HTTP_GET, "/spark-ui/{app}/{rest...}", "agent", get_page, 0 },
	{ HTTP_POST, "/spark-ui/{app}/kill/jobs/{id}", "agent", post_kill, 0 },
	{ .path = NULL },
};

/* Spark for servers. POST /hub/api/cygnet/spark/connect, at the inner listener: reads the
 * catalogue, renders the layers, makes the secret, and sends all of it once; the hub keeps nothing.
 * GET …/servers/{user}/spark: which value came from which layer, as the server's agent remembers
 * it, without secrets. */
#include "base/enc.h"
#include "base/mem.h"
#include "http/client.h"
#include "hub/access/auth.h"
#include "hub/api/api.h"
#include "hub/base/asks.h"
#include "hub/base/reply.h"
#include "hub/offer/clusters.h"
#include "hub/offer/offer.h"
#include "hub/server/srv.h"
#include "spark/catalogue.h"

#include <stdio.h>
#include <string.h>

enum {
	AGENT_MS = 5000,
	AGENT_RESPONSE_MAX = 256 * 1024, /* the settings of ten apps */
	DAEMON_MB = 256,                 /* heap of master and worker each */
	OVERHEAD_MB =
	    1536, /* what is not a heap: the kernel, four JVMs' own memory, Python workers */
	HEAP_MIN_MB = 512,
	SETTINGS_OF_OURS = 16,
	SECRET_BYTES = 32,
	APPS = 2, /* a notebook's session and one more beside it, say spark-submit in a terminal,
		     get executors */
};

/* One connect request; it ends with its response, or when the client goes away. */
struct connect {
	struct api *api;
	struct http_req *req;
	struct clusters_wait wait;
	char user[CYG_NAME_MAX];
	char server_id[CYG_SERVER_ID_LEN + 1];
	char app_name[CYG_NAME_MAX + 32];
	int version[3];
	char version_text[24];
	unsigned master_port, ui_port;
	char secret[2 * SECRET_BYTES + 1];
};

static void connect_free(struct connect *c)
{
	clusters_wait_cancel(&c->wait);
	asks_leave(c->api->asks, ASKS_CONNECT, c->user);
	cyg_cleanse(c->secret, sizeof(c->secret));
	free(c);
}

static void on_connect_abort(struct http_req *req)
{
	connect_free(req->data);
}

static void connect_fail(struct connect *c, int status, const char *message)
{
	struct http_req *req = c->req;

	req->on_abort = NULL;
	connect_free(c);
	reply_error(req, status, message);
}

/* ---- rendering ---- */

/* How the server's memory is divided: two daemons, then driver and executor in equal parts. */
struct shares {
	unsigned heap_mb, cores;
	char heap[16], cores_text[16], master[48];
};

static void shares_of(const struct choice *choice, unsigned master_port, struct shares *s)
{
	unsigned rest = choice->memory_mb > OVERHEAD_MB + 2 * DAEMON_MB
			    ? choice->memory_mb - OVERHEAD_MB - 2 * DAEMON_MB
			    : 0;

	s->heap_mb = rest / 2 > HEAP_MIN_MB ? rest / 2 : HEAP_MIN_MB;
	s->cores = choice->cores > 0 ? choice->cores : 1;
	(void)snprintf(s->heap, sizeof(s->heap), "%um", s->heap_mb);
	(void)snprintf(s->cores_text, sizeof(s->cores_text), "%u", s->cores);
	(void)snprintf(s->master, sizeof(s->master), "spark://127.0.0.1:%u", master_port);
}

/* What follows from the size of the server: defaults that every later layer may change. */
static size_t add_sizes(const struct shares *s, struct spark_setting *out)
{
	const struct spark_setting sizes[] = {
		{ SPARK_LAYER_CLUSTER, SPARK_OP_SET, "spark.driver.memory", s->heap, NULL },
		{ SPARK_LAYER_CLUSTER, SPARK_OP_SET, "spark.executor.memory", s->heap, NULL },
		{ SPARK_LAYER_CLUSTER, SPARK_OP_SET, "spark.cores.max", s->cores_text, NULL },
		{ SPARK_LAYER_CLUSTER, SPARK_OP_SET, "spark.sql.shuffle.partitions", s->cores_text,
		    NULL },
		{ SPARK_LAYER_CLUSTER, SPARK_OP_SET, "spark.ui.showConsoleProgress", "false",
		    NULL },
		{ SPARK_LAYER_CLUSTER, SPARK_OP_APPEND, "spark.driver.extraJavaOptions",
		    "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC", " " },
		{ SPARK_LAYER_CLUSTER, SPARK_OP_APPEND, "spark.executor.extraJavaOptions",
		    "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC", " " },
	};

	memcpy(out, sizes, sizeof(sizes));
	return CYG_N(sizes);
}

static int render_driver(const struct connect *c, const struct spark_cluster *cl,
    const struct shares *s, struct spark_rendered **ret, struct cyg_err *err)
{
	const struct spark_policy policy = { .version = { c->version[0], c->version[1],
						 c->version[2] },
		.secret = c->secret,
		.master_url = cl->kind == SPARK_KIND_LOCAL ? "local[*]" : s->master,
		.app_name = c->app_name,
		.ui_port = c->ui_port };
	cyg_autofree struct spark_setting *all =
	    cyg_xcalloc(cl->n_settings + SETTINGS_OF_OURS + SPARK_POLICY_MAX, sizeof(*all));
	char room[8][16];
	size_t n = add_sizes(s, all);

	if (cl->n_settings > 0)
		memcpy(all + n, cl->settings, cl->n_settings * sizeof(*all));
	n += cl->n_settings;
	n += spark_policy_settings(&policy, all + n, room);
	return spark_render(all, n, ret, err);
}

/* Master and worker get the crypto block and nothing of the driver's. */
static int render_daemon(const struct connect *c, struct spark_rendered **ret, struct cyg_err *err)
{
	const struct spark_policy policy = {
		.version = { c->version[0], c->version[1], c->version[2] }, .secret = c->secret
	};
	struct spark_setting all[SPARK_POLICY_MAX + 2];
	char room[8][16];
	size_t n = spark_policy_settings(&policy, all, room);

	all[n++] = (struct spark_setting){ SPARK_LAYER_POLICY, SPARK_OP_SET,
		"spark.master.rest.enabled", "false", NULL };
	all[n++] = (struct spark_setting){ SPARK_LAYER_POLICY, SPARK_OP_SET,
		"spark.worker.cleanup.enabled", "true", NULL };
	return spark_render(all, n, ret, err);
}

/* [{"name", "value" (null: secret), "layer", "locked", "lost": [{"layer", "value", "why"}]}] */
static json_t *provenance(const struct spark_rendered *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->n; i++) {
		const struct spark_property *p = &r->properties[i];
		json_t *lost = json_array();

		for (size_t k = 0; k < p->n_lost; k++)
			(void)json_array_append_new(
			    lost, json_pack("{s:s, s:s?, s:s}", "layer",
				      spark_layer_name(p->lost[k].layer), "value",
				      p->secret ? NULL : p->lost[k].value, "why", p->lost[k].why));
		(void)json_array_append_new(
		    list, json_pack("{s:s, s:s?, s:s, s:b, s:o}", "name", p->name, "value",
			      p->secret ? NULL : p->value, "layer", spark_layer_name(p->layer),
			      "locked", p->locked, "lost", lost));
	}
	return list;
}

static int add_file(
    json_t *files, const char *name, const struct spark_rendered *r, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf text;
	int rc;

	cyg_buf_init(&text, 256 * 1024);
	rc = spark_write_defaults(r, &text, err);
	if (rc == 0)
		(void)json_object_set_new(files, name, json_stringn(text.data, text.len));
	cyg_cleanse(text.data, text.len);
	return rc;
}

static int make_response(const struct connect *c, const struct spark_cluster *cl,
    const struct choice *choice, json_t **ret, struct cyg_err *err)
{
	struct spark_rendered *driver = NULL;
	struct spark_rendered *daemon = NULL;
	json_t *files = json_object();
	struct shares s;
	int rc;

	shares_of(choice, c->master_port, &s);
	rc = render_driver(c, cl, &s, &driver, err);
	if (rc == 0)
		rc = render_daemon(c, &daemon, err);
	if (rc == 0)
		rc = add_file(files, "driver/spark-defaults.conf", driver, err);
	if (rc == 0)
		rc = add_file(files, "daemon/spark-defaults.conf", daemon, err);
	if (rc == 0)
		*ret = json_pack("{s:{s:s, s:s, s:s}, s:{s:i, s:i, s:i}, s:O, s:o}", "cluster",
		    "id", cl->id, "label", cl->label, "kind", spark_kind_name(cl->kind), "worker",
		    "cores", APPS * (int)s.cores, "memory_mb", APPS * (int)s.heap_mb, "daemon_mb",
		    DAEMON_MB, "files", files, "properties", provenance(driver));
	spark_rendered_free(driver);
	spark_rendered_free(daemon);
	json_decref(files);
	return rc;
}

/* Sends the response; the text with the secret does not stay in memory (what jansson frees may). */
static void send_response(struct connect *c, json_t *response)
{
	struct http_req *req = c->req;
	char *text = json_dumps(response, JSON_COMPACT);

	req->on_abort = NULL;
	json_decref(response);
	connect_free(c);
	http_reply_field(req, "Cache-Control", "no-store");
	http_reply(req, 200, "application/json", cyg_str_of(text));
	cyg_cleanse(text, strlen(text));
	free(text);
}

static int check_cluster(
    const struct connect *c, const struct spark_cluster *cl, const char *id, struct cyg_err *err)
{
	if (cl == NULL)
		return cyg_fail(
		    err, CYG_ENOENT, "The cluster '%s' is not in the catalogue any more.", id);
	if (!spark_cluster_takes(cl, c->version_text))
		return cyg_fail(err, CYG_EINVAL,
		    "The cluster '%s' does not work with Spark %s of this environment.", cl->label,
		    c->version_text);
	return 0;
}

static void on_catalogue(
    void *arg, const struct spark_catalogue *catalogue, const struct cyg_err *why)
{
	struct connect *c = arg;
	const struct srv *srv = srvs_find_id(c->api->srvs, c->server_id);
	const struct spark_cluster *cl = NULL;
	struct cyg_err err = { .code = CYG_OK };
	json_t *response = NULL;
	int rc;

	if (srv == NULL || !srv_is_active(srv)) {
		connect_fail(c, 409, "The server is not running any more.");
		return;
	}
	rc = why != NULL ? cyg_fail(&err, why->code, "%s", why->msg) : 0;
	if (rc == 0) {
		cl = spark_catalogue_find(catalogue, srv->choice.cluster);
		rc = check_cluster(c, cl, srv->choice.cluster, &err);
	}
	if (rc == 0)
		rc = make_response(c, cl, &srv->choice, &response, &err);
	if (rc < 0)
		connect_fail(c, 502, err.msg);
	else
		send_response(c, response);
}

/* ---- the request ---- */

static int read_port(const json_t *ports, const char *name, unsigned *ret, struct cyg_err *err)
{
	const json_t *v = json_object_get(ports, name);

	if (!json_is_integer(v) || json_integer_value(v) < 1 || json_integer_value(v) > 65535)
		return cyg_fail(err, CYG_EINVAL, "ports.%s must be a port number", name);
	*ret = (unsigned)json_integer_value(v);
	return 0;
}

static int read_question(struct connect *c, struct cyg_str body, struct cyg_err *err)
{
	json_t *root = json_loadb(body.p, body.len, JSON_REJECT_DUPLICATES, NULL);
	const char *version = json_string_value(json_object_get(root, "spark_version"));
	const json_t *ports = json_object_get(root, "ports");
	int rc = version == NULL ? cyg_fail(err, CYG_EINVAL, "spark_version is missing")
				 : spark_version_parse(version, c->version, err);

	if (rc == 0)
		(void)snprintf(c->version_text, sizeof(c->version_text), "%d.%d.%d", c->version[0],
		    c->version[1], c->version[2]);
	if (rc == 0)
		rc = read_port(ports, "master", &c->master_port, err);
	if (rc == 0)
		rc = read_port(ports, "driver_ui", &c->ui_port, err);
	json_decref(root);
	return rc;
}

void api_spark_connect(struct http_req *req)
{
	const struct who *who = auth_who(req);
	struct api *api = api_of(req);
	struct connect *c;
	struct cyg_err err;

	if (who->srv == NULL || who->srv->choice.cluster[0] == '\0') {
		reply_error(req, 403, "This server was started without a Spark cluster.");
		return;
	}
	if (api->offer->clusters == NULL) {
		reply_error(req, 404, "This site has no catalogue of Spark clusters.");
		return;
	}
	if (!asks_admit(api->asks, ASKS_CONNECT, who->srv->user, req))
		return;
	c = cyg_xcalloc(1, sizeof(*c));
	c->api = api;
	c->req = req;
	(void)cyg_str_copy(c->server_id, sizeof(c->server_id), cyg_str_of(who->srv->id));
	(void)cyg_str_copy(c->user, sizeof(c->user), cyg_str_of(who->srv->user));
	(void)snprintf(c->app_name, sizeof(c->app_name), "%s-notebook", who->srv->user);
	cyg_random_hex(c->secret, SECRET_BYTES);
	req->data = c;
	req->on_abort = on_connect_abort;
	if (read_question(c, req->body, &err) < 0) {
		connect_fail(c, 400, err.msg);
		return;
	}
	clusters_want(api->offer->clusters, &c->wait, on_catalogue, c);
}

/* ---- which value came from which layer ---- */

struct ask {
	struct api *api;
	struct http_req *req;
	struct http_call *call;
	char user[CYG_NAME_MAX];
};

static void ask_free(struct ask *a)
{
	http_call_cancel(a->call);
	asks_leave(a->api->asks, ASKS_SPARK, a->user);
	free(a);
}

static void on_ask_abort(struct http_req *req)
{
	ask_free(req->data);
}

static void on_agent(void *arg, const struct http_result *result)
{
	struct ask *a = arg;
	struct http_req *req = a->req;

	req->on_abort = NULL;
	a->call = NULL;
	ask_free(a);
	if (result->status == 200)
		http_reply(req, 200, "application/json", result->body);
	else if (result->status == 404)
		reply_error(req, 404, "This server was started without Spark.");
	else
		reply_error(req, 502, "The server does not answer.");
}

void api_get_spark(struct http_req *req)
{
	struct api *api = api_of(req);
	const struct srv *srv = api_about_server(req);
	struct ask *a;

	if (srv == NULL || srv->state != SRV_RUNNING) {
		reply_error(req, 404, "This server is not running.");
		return;
	}
	cyg_autofree char *path = srv_socket(srv);
	cyg_autofree char *target = cyg_xasprintf("%sapi/cygnet/spark", srv->base_url);
	const struct http_call_spec spec = { .socket_path = path,
		.method = "GET",
		.target = target,
		.host = "localhost",
		.timeout_ms = AGENT_MS,
		.body_max = AGENT_RESPONSE_MAX };
	if (!asks_admit(api->asks, ASKS_SPARK, srv->user, req))
		return;
	a = cyg_xcalloc(1, sizeof(*a));
	a->api = api;
	a->req = req;
	(void)cyg_str_copy(a->user, sizeof(a->user), cyg_str_of(srv->user));
	req->data = a;
	req->on_abort = on_ask_abort;
	a->call = http_call_start(api->uv, &spec, on_agent, a);
}

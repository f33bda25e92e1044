/* Spark for servers: POST /hub/api/cygnet/spark/connect, by the inner door. Reads the catalogue,
 * has the session rendered, makes its secrets, and sends it all once; nothing of it is kept here.
 */
#include "base/enc.h"
#include "base/mem.h"
#include "cygnet/spark_fill.h"
#include "hub/access/auth.h"
#include "hub/api/api.h"
#include "hub/base/asks.h"
#include "hub/base/reply.h"
#include "hub/offer/clusters.h"
#include "hub/offer/offer.h"
#include "hub/server/srv.h"
#include "spark/catalogue.h"
#include "spark/policy.h"
#include "spark/session.h"

#include <stdio.h>
#include <string.h>

enum {
	SECRET_BYTES = 32,
	UI_KEY_BYTES = 33, /* in base64url without padding */
	RESPONSE_MAX = 2 * 1024 * 1024,
};

struct secrets {
	char cluster[2 * SECRET_BYTES + 1];
	char ui[UI_KEY_BYTES / 3 * 4 + 1];
	char token[2 * SECRET_BYTES + 1];
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
	enum spark_flavour flavour;
	bool is_old; /* the agent sends its ports */
	unsigned master_port, ui_port;
	struct secrets secrets;
};

static void connect_free(struct connect *c)
{
	clusters_wait_cancel(&c->wait);
	asks_leave(c->api->asks, ASKS_CONNECT, c->user);
	cyg_cleanse(&c->secrets, sizeof(c->secrets));
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

static json_t *secrets_json(const struct connect *c)
{
	json_t *secrets = json_pack("{s:s}", "cluster", c->secrets.cluster);

	if (spark_has_jws(c->version))
		(void)json_object_set_new(secrets, "ui", json_string(c->secrets.ui));
	if (c->flavour == SPARK_FLAVOUR_CONNECT)
		(void)json_object_set_new(secrets, "token", json_string(c->secrets.token));
	return secrets;
}

/* What an agent that sends its ports expects, because it fills in no places: the member "worker",
 * and a driver's file with the port of its UI. */
static void add_old_members(const struct spark_session *s, json_t *response)
{
	static const char name[] = "driver/spark-defaults.conf";
	const struct spark_sizes *z = &s->plan.sizes;
	json_t *files = json_object_get(response, "files");
	cyg_autofree char *text = cyg_xasprintf("%sspark.ui.port " CYG_SPARK_PORT_UI "\n",
	    json_string_value(json_object_get(files, name)));

	(void)json_object_set_new(files, name, json_string(text));
	(void)json_object_set_new(response, "worker",
	    json_pack("{s:i, s:i, s:i}", "cores", (int)z->worker_cores, "memory_mb",
		(int)z->worker_mb, "daemon_mb", (int)z->daemon_mb));
}

static int make_response(
    const struct connect *c, const struct spark_cluster *cl, json_t **ret, struct cyg_err *err)
{
	const struct choice *choice = &srvs_find_id(c->api->srvs, c->server_id)->choice;
	const struct spark_session_ask ask = { .cluster = cl,
		.flavour = c->flavour,
		.version = { c->version[0], c->version[1], c->version[2] },
		.cores = choice->cores,
		.memory_mb = choice->memory_mb,
		.app_name = c->app_name };
	struct spark_session *s = NULL;
	int rc = spark_session_make(&ask, &s, err);

	if (rc < 0)
		return rc;
	*ret = spark_session_json(s, err);
	if (*ret != NULL && c->is_old)
		add_old_members(s, *ret);
	else if (*ret != NULL)
		(void)json_object_set_new(*ret, "secrets", secrets_json(c));
	spark_session_free(s);
	return *ret != NULL ? 0 : -(int)err->code;
}

/* ---- the response ---- */

/* Every place of that name becomes the value. The text is taken and cleansed. */
static char *fill(char *text, const char *place, const char *value)
{
	cyg_autobuf struct cyg_buf out;
	const char *from = text;
	const char *at;

	cyg_buf_init(&out, RESPONSE_MAX);
	for (; (at = strstr(from, place)) != NULL; from = at + strlen(place)) {
		(void)cyg_buf_add(&out, from, (size_t)(at - from), NULL);
		(void)cyg_buf_add_str(&out, value, NULL);
	}
	(void)cyg_buf_add_str(&out, from, NULL);
	cyg_cleanse(text, strlen(text));
	free(text);
	return cyg_buf_take(&out, NULL);
}

/* For an agent that sends its ports: the places filled in. */
static char *fill_old(const struct connect *c, char *text)
{
	char port[16];

	(void)snprintf(port, sizeof(port), "%u", c->master_port);
	text = fill(text, CYG_SPARK_PORT_MASTER, port);
	(void)snprintf(port, sizeof(port), "%u", c->ui_port);
	text = fill(text, CYG_SPARK_PORT_UI, port);
	return fill(text, CYG_SPARK_SECRET_CLUSTER, c->secrets.cluster);
}

/* Sends the response; the text with the secret does not stay in memory (what jansson frees may). */
static void send_response(struct connect *c, json_t *response)
{
	struct http_req *req = c->req;
	char *text = json_dumps(response, JSON_COMPACT);

	if (c->is_old)
		text = fill_old(c, text);

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

/* The catalogue's cluster for a server that still runs; else *status and a sentence. */
static int find_cluster(const struct connect *c, const struct spark_catalogue *catalogue,
    const struct spark_cluster **ret, int *status, struct cyg_err *err)
{
	const struct srv *srv = srvs_find_id(c->api->srvs, c->server_id);

	*status = 409;
	if (srv == NULL || !srv_is_active(srv))
		return cyg_fail(err, CYG_EBUSY, "The server is not running any more.");
	*status = 502;
	*ret = spark_catalogue_find(catalogue, srv->choice.cluster);
	return check_cluster(c, *ret, srv->choice.cluster, err);
}

static void on_catalogue(
    void *arg, const struct spark_catalogue *catalogue, const struct cyg_err *why)
{
	struct connect *c = arg;
	const struct spark_cluster *cl = NULL;
	struct cyg_err err;
	json_t *response = NULL;
	int status = 502;
	int rc;

	if (why != NULL) {
		connect_fail(c, 502, why->msg);
		return;
	}
	rc = find_cluster(c, catalogue, &cl, &status, &err);
	if (rc == 0) {
		status = 400;
		rc = make_response(c, cl, &response, &err);
	}
	if (rc < 0)
		connect_fail(c, status, err.msg);
	else
		send_response(c, response);
}

/* ---- the request ---- */

static void make_secrets(struct secrets *s)
{
	unsigned char key[UI_KEY_BYTES];
	cyg_autobuf struct cyg_buf text;

	cyg_random_hex(s->cluster, SECRET_BYTES);
	cyg_random_hex(s->token, SECRET_BYTES);
	cyg_random(key, sizeof(key));
	cyg_buf_init(&text, sizeof(s->ui));
	(void)cyg_base64url_write(&text, key, sizeof(key), NULL);
	(void)cyg_str_copy(s->ui, sizeof(s->ui), cyg_buf_str(&text));
	cyg_cleanse(text.data, text.len);
	cyg_cleanse(key, sizeof(key));
}

static int read_flavour(struct connect *c, const json_t *v, struct cyg_err *err)
{
	c->flavour = SPARK_FLAVOUR_CLASSIC;
	if (v == NULL || json_is_null(v) ||
	    (json_is_string(v) && spark_flavour_find(json_string_value(v), &c->flavour)))
		return 0;
	return cyg_fail(err, CYG_EINVAL, "flavour must be classic or connect");
}

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
		rc = read_flavour(c, json_object_get(root, "flavour"), err);
	c->is_old = ports != NULL;
	if (rc == 0 && c->is_old)
		rc = read_port(ports, "master", &c->master_port, err);
	if (rc == 0 && c->is_old)
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
	make_secrets(&c->secrets);
	req->data = c;
	req->on_abort = on_connect_abort;
	if (read_question(c, req->body, &err) < 0) {
		connect_fail(c, 400, err.msg);
		return;
	}
	clusters_want(api->offer->clusters, &c->wait, on_catalogue, c);
}

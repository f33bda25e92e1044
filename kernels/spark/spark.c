/* The states of a server's Spark cluster, read downwards: a JVM asks for it, the hub renders the
 * configuration, files are written, the daemons start, the worker registers, and then every request
 * that waited gets its response. */
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "cygnet/paths.h"
#include "daemon/log.h"
#include "daemon/unixsock.h"
#include "kernels/base/reply.h"
#include "kernels/base/tape.h"
#include "kernels/spark/spark_priv.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { HUB_TIMEOUT_MS = 20 * 1000, FILE_MAX = 256 * 1024 };

#define TO(state) (1u << (state))

static const unsigned allowed[SPARK_STATES] = {
	[SPARK_OFF] = 0,
	[SPARK_ABSENT] = TO(SPARK_ASKING) | TO(SPARK_UP),
	[SPARK_ASKING] = TO(SPARK_STARTING) | TO(SPARK_UP) | TO(SPARK_FAILED),
	[SPARK_STARTING] = TO(SPARK_UP) | TO(SPARK_FAILED),
	[SPARK_UP] = TO(SPARK_FAILED),
	[SPARK_FAILED] = TO(SPARK_ASKING),
};

static const char *const state_names[SPARK_STATES] = { "off", "absent", "asking", "starting", "up",
	"failed" };

void spark_move(struct spark *s, enum spark_state to, const char *why)
{
	if ((allowed[s->state] & TO(to)) == 0)
		abort(); /* our mistake */
	cyg_log_info("spark", "%s -> %s (%s)", state_names[s->state], state_names[to], why);
	s->state = to;
}

enum spark_state spark_state_of(const struct spark *s)
{
	return s != NULL ? s->state : SPARK_OFF;
}

/* ---- requests that wait ---- */

struct waiter {
	struct cyg_link link;
	struct http_req *req;
	struct spark *spark;
};

static void respond(struct http_req *req, const struct spark *s)
{
	if (s->state == SPARK_UP)
		http_reply(req, 200, "text/plain", CYG_STR("up\n"));
	else
		http_reply(req, 503, "text/plain", cyg_str_of(s->why));
}

static void respond_all(struct spark *s)
{
	cyg_list_each_safe (it, &s->waiters) {
		struct waiter *w = CYG_CONTAINER_OF(it, struct waiter, link);

		cyg_list_remove(&s->waiters, it);
		w->req->on_abort = NULL;
		respond(w->req, s);
		free(w);
	}
}

void spark_fail(struct spark *s, const char *why)
{
	free(s->why);
	s->why = cyg_xstrdup(why);
	spark_move(s, SPARK_FAILED, why);
	(void)uv_timer_stop(&s->timer);
	spark_daemons_stop(s);
	spark_wipe(s);
	respond_all(s);
}

void spark_up(struct spark *s)
{
	spark_move(s, SPARK_UP,
	    s->pids[SPARK_WORKER] != 0 ? "the worker has registered" : "nothing to start");
	(void)uv_timer_stop(&s->timer);
	respond_all(s);
}

/* ---- the hub's response ---- */

/* Copies a member that is text; NULL when it is not there. */
static void take_text(char **to, const struct tape *t, tape_node obj, const char *key)
{
	free(*to);
	*to = tape_get_str(t, obj, key);
}

static unsigned take_number(
    const struct tape *t, tape_node obj, const char *key, unsigned otherwise)
{
	tape_node n = tape_find(t, obj, key);
	int64_t v = 0;

	if (n == TAPE_NONE || tape_int(t, n, &v, NULL) < 0 || v <= 0 || v > 1024 * 1024)
		return otherwise;
	return (unsigned)v;
}

static int write_files(struct spark *s, const struct tape *t, struct cyg_err *err)
{
	static const char *const names[] = { "daemon/spark-defaults.conf",
		"driver/spark-defaults.conf" };
	tape_node files = tape_find(t, tape_root(t), "files");

	for (size_t i = 0; i < CYG_N(names); i++) {
		tape_node file = tape_find(t, files, names[i]);
		cyg_autobuf struct cyg_buf text;
		int rc;

		cyg_buf_init(&text, FILE_MAX);
		if (file == TAPE_NONE || tape_string(t, file, &text, NULL) < 0)
			return cyg_fail(err, CYG_EPROTO, "the hub's response lacks %s", names[i]);
		rc = spark_write_secret(s, names[i], cyg_buf_str(&text), err);
		cyg_cleanse(text.data, text.len);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static void take_properties(struct spark *s, const struct tape *t)
{
	tape_node properties = tape_find(t, tape_root(t), "properties");

	free(s->properties);
	s->properties =
	    properties != TAPE_NONE ? cyg_str_dup(tape_text(t, properties)) : cyg_xstrdup("[]");
}

/* Writes what the page shows to a file for the next agent; it holds no secret. */
static int keep_facts(const struct spark *s, struct cyg_err *err)
{
	cyg_autofree char *path = cyg_xasprintf("%s/properties.json", s->runtime_dir);
	cyg_autobuf struct cyg_buf out;
	struct jsonw w;
	int rc;

	cyg_buf_init(&out, SPARK_ANSWER_MAX);
	jsonw_init(&w, &out);
	jsonw_object(&w);
	jsonw_key_cstr(&w, "kind", s->kind);
	jsonw_key_cstr(&w, "label", s->label);
	jsonw_key(&w, "properties");
	jsonw_raw(&w, cyg_str_of(s->properties));
	jsonw_object_end(&w);
	rc = jsonw_finish(&w, err);
	return rc < 0 ? rc : cyg_file_write(AT_FDCWD, path, cyg_buf_str(&out), 0600, err);
}

/* The user may have changed the file: when it is not valid it is ignored. */
static void read_facts(struct spark *s)
{
	cyg_autofree char *path = cyg_xasprintf("%s/properties.json", s->runtime_dir);
	cyg_autobuf struct cyg_buf text;
	struct tape *t = NULL;

	cyg_buf_init(&text, SPARK_ANSWER_MAX);
	if (cyg_file_read(AT_FDCWD, path, false, &text, NULL) < 0 ||
	    tape_parse(cyg_buf_str(&text), &t, NULL, NULL) < 0)
		return;
	take_text(&s->kind, t, tape_root(t), "kind");
	take_text(&s->label, t, tape_root(t), "label");
	take_properties(s, t);
	tape_free(t);
}

static int take_response(struct spark *s, struct cyg_str body, struct cyg_err *err)
{
	struct tape *t = NULL;
	tape_node root;
	int rc = tape_parse(body, &t, NULL, err);

	if (rc < 0)
		return cyg_wrap(err, "the hub's response");
	root = tape_root(t);
	take_text(&s->kind, t, tape_find(t, root, "cluster"), "kind");
	take_text(&s->label, t, tape_find(t, root, "cluster"), "label");
	s->worker_cores = take_number(t, tape_find(t, root, "worker"), "cores", 1);
	s->worker_mb = take_number(t, tape_find(t, root, "worker"), "memory_mb", 1024);
	s->daemon_mb = take_number(t, tape_find(t, root, "worker"), "daemon_mb", 256);
	take_properties(s, t);
	rc = s->kind == NULL
		 ? cyg_fail(err, CYG_EPROTO, "the hub's response names no kind of cluster")
		 : write_files(s, t, err);
	tape_free(t);
	return rc == 0 ? keep_facts(s, err) : rc;
}

static void on_rendered(void *arg, const struct http_result *result)
{
	struct spark *s = arg;
	struct cyg_err err;
	char why[CYG_ERR_MSG + 64];
	int rc = 0;

	s->call = NULL;
	if (result->status == 0) {
		(void)snprintf(why, sizeof(why),
		    "the hub cannot be asked for the Spark configuration: %s", result->err.msg);
		spark_fail(s, why);
		return;
	}
	if (result->status != 200) {
		(void)snprintf(why, sizeof(why),
		    "the hub refused the Spark configuration (%d): %.*s", result->status,
		    (int)(result->body.len < 200 ? result->body.len : 200), result->body.p);
		spark_fail(s, why);
		return;
	}
	rc = take_response(s, result->body, &err);
	if (rc == 0 && strcmp(s->kind, "local") == 0) {
		spark_up(s);
		return;
	}
	if (rc == 0) {
		spark_move(s, SPARK_STARTING, "the configuration is there");
		rc = spark_daemons_start(s, &err);
	}
	if (rc < 0)
		spark_fail(s, err.msg);
}

/* ---- asking ---- */

static int write_question(const struct spark *s, struct cyg_buf *out, struct cyg_err *err)
{
	struct jsonw w;

	jsonw_init(&w, out);
	jsonw_object(&w);
	jsonw_key_cstr(&w, "cluster", s->opts.cluster);
	jsonw_key_cstr(&w, "spark_version", s->stack.version);
	jsonw_key(&w, "ports");
	jsonw_object(&w);
	jsonw_key_int(&w, "master", s->ports.master);
	jsonw_key_int(&w, "driver_ui", s->ports.driver_ui);
	jsonw_object_end(&w);
	jsonw_object_end(&w);
	return jsonw_finish(&w, err);
}

static int ask_hub(struct spark *s, struct cyg_err *err)
{
	cyg_autofree char *hub = cyg_xasprintf("%s/hub.sock", s->opts.run_dir);
	cyg_autofree char *path = cyg_xasprintf("%s/secrets/credential", s->opts.run_dir);
	cyg_autofree char *credential = NULL;
	cyg_autofree char *auth = NULL;
	cyg_autobuf struct cyg_buf body;
	struct http_call_spec spec = { .socket_path = hub,
		.method = "POST",
		.target = CYG_HUB_PATH "/api/cygnet/spark/connect",
		.host = "hub",
		.content_type = "application/json",
		.timeout_ms = HUB_TIMEOUT_MS,
		.body_max = SPARK_ANSWER_MAX };
	int rc = cyg_file_read_secret(AT_FDCWD, path, &credential, err);

	cyg_buf_init(&body, 4096);
	if (rc == 0)
		rc = write_question(s, &body, err);
	if (rc < 0)
		return rc;
	auth = cyg_xasprintf("token %s", credential);
	spec.authorization = auth;
	spec.body = cyg_buf_str(&body);
	s->call = http_call_start(s->opts.loop, &spec, on_rendered, s);
	cyg_cleanse(auth, strlen(auth));
	cyg_cleanse(credential, strlen(credential));
	return 0;
}

static void begin(struct spark *s)
{
	struct cyg_err err;

	spark_move(s, SPARK_ASKING, "a program needs it");
	if (spark_pick_ports(&s->ports, &err) < 0 || ask_hub(s, &err) < 0)
		spark_fail(s, err.msg);
}

static void on_waiter_gone(struct http_req *req)
{
	struct waiter *w = req->data;

	cyg_list_remove(&w->spark->waiters, &w->link);
	free(w);
}

/* POST /up on the socket in the run folder: the response comes when the cluster is up, or says why
 * it is not. */
static void handle_up(struct http_req *req)
{
	struct spark *s = req->ctx;
	struct waiter *w;

	if (s->state == SPARK_UP) {
		respond(req, s);
		return;
	}
	w = cyg_xcalloc(1, sizeof(*w));
	w->req = req;
	w->spark = s;
	req->data = w;
	req->on_abort = on_waiter_gone;
	cyg_list_add(&s->waiters, &w->link);
	if (s->state == SPARK_ABSENT || s->state == SPARK_FAILED)
		begin(s);
}

static const struct http_endpoint up_endpoints[] = {
	{ HTTP_POST, "/up", "container", handle_up, 0 },
	{ .path = NULL },
};

/* ---- what the page shows ---- */

static void handle_status(struct http_req *req)
{
	const struct spark *s = *(struct spark *const *)req->ctx;
	cyg_autobuf struct cyg_buf out = { 0 };
	struct jsonw w;
	struct cyg_err err;

	if (spark_state_of(s) == SPARK_OFF) {
		reply_error(req, 404, NULL, "This server was started without Spark.");
		return;
	}
	cyg_buf_init(&out, SPARK_ANSWER_MAX * 2);
	jsonw_init(&w, &out);
	jsonw_object(&w);
	jsonw_key(&w, "app");
	jsonw_object(&w);
	jsonw_key_cstr(&w, "cluster", s->opts.cluster);
	jsonw_key_cstr(&w, "label", s->label != NULL ? s->label : s->opts.cluster);
	jsonw_key_cstr(&w, "version", s->stack.version);
	jsonw_key_cstr(&w, "state", state_names[s->state]);
	jsonw_key_cstr(&w, "why", s->state == SPARK_FAILED ? s->why : NULL);
	jsonw_object_end(&w);
	jsonw_key(&w, "properties");
	jsonw_raw(&w, cyg_str_of(s->properties != NULL ? s->properties : "[]"));
	jsonw_object_end(&w);
	if (jsonw_finish(&w, &err) < 0) {
		reply_err(req, &err);
		return;
	}
	http_reply(req, 200, "application/json", cyg_buf_str(&out));
}

const struct http_endpoint spark_endpoints[] = {
	{ HTTP_GET, "/api/cygnet/spark", "agent", handle_status, 0 },
	{ .path = NULL },
};

/* ---- life ---- */

/* Opens the socket. Until spark_settle, connections wait in its backlog. */
static int open_socket(struct spark *s, struct cyg_err *err)
{
	const struct http_mount mounts[] = { { .prefix = "", .endpoints = up_endpoints, .ctx = s },
		{ .endpoints = NULL } };
	const struct http_server_opts opts = { .mounts = mounts };
	int rc = http_server_new(s->opts.loop, &opts, &s->server, err);

	if (rc < 0)
		return rc;
	s->listen_fd = unixsock_listen(s->socket_path, SOCK_STREAM, 0600, (gid_t)-1, err);
	return s->listen_fd < 0 ? s->listen_fd : 0;
}

void spark_accept(struct spark *s)
{
	struct cyg_err err;
	int fd = s->listen_fd;

	s->listen_fd = -1;
	if (http_server_listen(s->server, fd, &err) < 0)
		cyg_log_warn("spark", "Spark cannot be asked for: %s", err.msg);
}

int spark_new(
    const struct spark_opts *opts, char *const *setup, struct spark **ret, struct cyg_err *err)
{
	struct spark *s = cyg_xcalloc(1, sizeof(*s));
	int rc;

	s->opts = *opts;
	s->state = SPARK_ABSENT;
	s->listen_fd = -1;
	cyg_list_init(&s->waiters);
	(void)uv_timer_init(opts->loop, &s->timer);
	s->timer.data = s;
	s->secrets_dir = cyg_xasprintf("%s/secrets/spark", opts->run_dir);
	s->runtime_dir = cyg_xasprintf("%s/runtime/spark", opts->run_dir);
	s->socket_path = cyg_xasprintf("%s/runtime/spark.sock", opts->run_dir);
	rc = spark_stack_find(setup, &s->stack, err);
	if (rc == 0)
		rc = spark_write_hooks(s, err);
	if (rc == 0)
		rc = open_socket(s, err);
	if (rc < 0) {
		spark_close(s);
		return cyg_wrap(err, "Spark");
	}
	read_facts(s);
	*ret = s;
	return 0;
}

static void on_timer_closed(uv_handle_t *h)
{
	struct spark *s = h->data;

	free(s->why);
	spark_stack_free(&s->stack);
	free(s->secrets_dir);
	free(s->runtime_dir);
	free(s->socket_path);
	free(s->kind);
	free(s->label);
	free(s->properties);
	free(s);
}

void spark_close(struct spark *s)
{
	if (s == NULL)
		return;
	s->closing = true;
	http_call_cancel(s->call);
	if (s->server != NULL)
		http_server_close(s->server);
	cyg_close(s->listen_fd);
	(void)uv_timer_stop(&s->timer);
	uv_close((uv_handle_t *)&s->timer, on_timer_closed);
}

void spark_extend_env(const struct spark *s, struct env *env)
{
	cyg_autofree char *conf = NULL;
	cyg_autofree char *python = NULL;
	const char *path = env_get(env, "PYTHONPATH");

	if (s == NULL || s->state == SPARK_OFF)
		return;
	conf = cyg_xasprintf("%s/driver", s->secrets_dir);
	python = cyg_xasprintf(
	    "%s/python%s%s", s->runtime_dir, path != NULL ? ":" : "", path != NULL ? path : "");
	env_set(env, "SPARK_CONF_DIR", conf);
	env_set(env, "SPARK_HOME", s->stack.home);
	env_set(env, "SPARK_LOCAL_IP", "127.0.0.1");
	env_set(env, "PYTHONPATH", python);
}

const char *spark_kernel_word(const struct spark *s)
{
	return s != NULL && s->state != SPARK_OFF ? "--ext=cygnet_spark" : NULL;
}

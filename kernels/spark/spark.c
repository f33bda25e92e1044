/* The agent's Spark as a whole: its start and end, the socket that kernels ask on, and what of it
 * stands in the environment of kernels. */
#include "kernels/spark/spark.h"

#include "base/mem.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "daemon/unixsock.h"
#include "kernels/spark/spark_priv.h"

#include <string.h>
#include <sys/socket.h>

/* ---- news of sessions and clusters ---- */

static void on_rendered(void *arg, const struct answer *answer)
{
	struct spark *s = arg;

	if (strcmp(answer->cluster, s->opts.cluster) != 0)
		return;
	free(s->label);
	free(s->properties);
	s->label = cyg_xstrdup(answer->label);
	s->properties = cyg_xstrdup(answer->properties);
	spark_keep_facts(s);
}

static void on_cluster(void *arg, struct cluster *c)
{
	up_on_cluster(arg, c);
}

static bool is_busy(void *arg, const char *kernel)
{
	const struct spark *s = arg;

	return s->opts.is_busy(s->opts.arg, kernel);
}

/* Its driver is watched while it is ready. */
static void watch(struct spark *s, const struct session *session)
{
	struct monitor_driver d;
	char *dir = session_describe(session, &d);

	monitor_begin(s->monitor, &d);
	report_began(s->report, d.cluster);
	free(dir);
}

/* It is ready no more: the hub gets to know why. */
static void unwatch(struct spark *s, const struct session *session, bool lost)
{
	const int64_t seconds = monitor_seconds(s->monitor, session_id(session));
	struct monitor_driver d;
	cyg_autofree char *dir = NULL;

	if (seconds < 0)
		return;
	dir = session_describe(session, &d);
	report_ended(
	    s->report, &(struct report_ended){ d.session, d.cluster, d.flavour,
			   lost ? session_cause(session) : "It was ended as asked.", seconds });
	monitor_end(s->monitor, session_id(session), lost);
}

static void on_session(void *arg, struct session *session)
{
	struct spark *s = arg;
	const enum session_state state = session_state_of(session);

	if (state == SESSION_READY)
		archive_build_soon(s->archive);
	if (state == SESSION_READY && !monitor_knows(s->monitor, session_id(session)))
		watch(s, session);
	else if (state == SESSION_LOST || state == SESSION_ENDING)
		unwatch(s, session, state == SESSION_LOST);
}

static const char *app_of(void *arg, const char *session)
{
	const struct spark *s = arg;

	return monitor_app_of(s->monitor, session);
}

void spark_on_cell(
    struct spark *s, struct session *session, const char *cell, const char *msg, int64_t count)
{
	session_used(session);
	if (cell != NULL && msg != NULL)
		monitor_cell_began(s->monitor, session_id(session), cell, msg);
}

void spark_on_done(struct spark *s, const char *kernel, struct cyg_str msg_id)
{
	if (s == NULL)
		return;
	if (msg_id.p == NULL) /* nobody waits for its jobs any more */
		monitor_cancel_kernel(s->monitor, kernel);
	monitor_cell_ended(s->monitor, kernel, msg_id);
}

void spark_on_kernel(struct spark *s, const char *action, const char *kernel)
{
	if (s != NULL && strcmp(action, "restart") == 0)
		spark_on_done(s, kernel, (struct cyg_str){ NULL, 0 });
	if (s == NULL || strcmp(action, "shutdown") != 0)
		return;
	sessions_kernel_gone(s->sessions, kernel);
	choices_drop(&s->choices, kernel);
}

void spark_on_child(struct spark *s, const struct init_child *child)
{
	if (s != NULL)
		sessions_on_child(s->sessions, child);
	if (s != NULL)
		archive_on_child(s->archive, child);
}

void spark_on_exited(struct spark *s, const struct init_exited *exited)
{
	if (s != NULL)
		sessions_on_exited(s->sessions, exited);
	if (s != NULL)
		archive_on_exited(s->archive, exited);
}

struct monitor *spark_monitor(struct spark *s)
{
	return s->monitor;
}

/* Requests are accepted from now on; until now they waited in the socket's backlog. */
void spark_settle(struct spark *s)
{
	struct cyg_err err;

	if (s == NULL)
		return;
	sessions_settle(s->sessions);
	if (http_server_listen(s->server, CYG_TAKE_FD(s->listen_fd), &err) < 0)
		cyg_log_warn("spark", "Spark cannot be asked for: %s", err.msg);
}

/* ---- what the page shows ---- */

static const char *state_name(const struct spark *s, const struct cluster *c)
{
	if (s->up_call != NULL)
		return "asking";
	return c == NULL || cluster_state_of(c) == CLUSTER_OPEN ? "starting"
								: cluster_state_name(c);
}

void spark_write_status(const struct spark *s, struct jsonw *w)
{
	const struct cluster *c = sessions_cluster(s->sessions, s->opts.cluster);
	const bool has_failed = c != NULL && cluster_state_of(c) == CLUSTER_FAILED;

	jsonw_object(w);
	jsonw_key(w, "app");
	jsonw_object(w);
	jsonw_key_cstr(w, "cluster", s->opts.cluster);
	jsonw_key_cstr(w, "label", s->label != NULL ? s->label : s->opts.cluster);
	jsonw_key_cstr(w, "version", s->stack.version);
	jsonw_key_cstr(w, "state", state_name(s, c));
	jsonw_key_cstr(w, "why", has_failed ? cluster_why(c) : NULL);
	jsonw_object_end(w);
	jsonw_key(w, "properties");
	jsonw_raw(w, cyg_str_of(s->properties != NULL ? s->properties : "[]"));
	jsonw_object_end(w);
}

/* ---- life ---- */

/* Opens the socket. Until spark_settle, connections wait in its backlog. */
static int open_socket(struct spark *s, struct cyg_err *err)
{
	const struct http_mount mounts[] = {
		{ .prefix = "", .endpoints = module_endpoints, .ctx = s }, { .endpoints = NULL }
	};
	const struct http_server_opts opts = { .mounts = mounts };
	int rc = http_server_new(s->opts.loop, &opts, &s->server, err);

	if (rc < 0)
		return rc;
	s->listen_fd = unixsock_listen(s->socket_path, SOCK_STREAM, 0600, (gid_t)-1, err);
	return s->listen_fd < 0 ? s->listen_fd : 0;
}

static void make_archive(struct spark *s)
{
	const struct archive_opts opts = { .loop = s->opts.loop,
		.init = s->opts.init,
		.stack = &s->stack,
		.cache_dir = s->cache_dir,
		.run_dir = s->opts.run_dir };

	s->archive = archive_new(&opts);
}

static void make_sessions(struct spark *s)
{
	const struct sessions_opts opts = { .loop = s->opts.loop,
		.init = s->opts.init,
		.events = s->opts.events,
		.stack = &s->stack,
		.archive = s->archive,
		.hub = &s->hub,
		.run_dir = s->opts.run_dir,
		.home = s->opts.home,
		.cluster = s->opts.cluster,
		.idle_s = s->opts.idle_s,
		.is_busy = is_busy,
		.on_rendered = on_rendered,
		.on_cluster = on_cluster,
		.on_session = on_session,
		.app_of = app_of,
		.arg = s };

	s->sessions = sessions_new(&opts);
	if (!s->opts.is_first)
		sessions_restore(s->sessions);
}

int spark_new(
    const struct spark_opts *opts, char *const *setup, struct spark **ret, struct cyg_err *err)
{
	struct spark *s = cyg_xcalloc(1, sizeof(*s));
	int rc;

	s->opts = *opts;
	s->listen_fd = -1;
	s->hub = (struct hub_ask_opts){ opts->loop, opts->run_dir };
	cyg_list_init(&s->waiters);
	choices_init(&s->choices);
	s->secrets_dir = cyg_xasprintf("%s/secrets/spark", opts->run_dir);
	s->runtime_dir = cyg_xasprintf("%s/runtime/spark", opts->run_dir);
	s->cache_dir = cyg_xasprintf("%s/.cache/cygnet/spark", opts->home);
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
	spark_read_facts(s);
	s->monitor = monitor_new(
	    &(struct monitor_opts){ opts->loop, opts->events, SPARK_EVENTS, opts->base_url });
	make_archive(s);
	s->report = report_new(&s->hub, s->monitor);
	make_sessions(s);
	*ret = s;
	return 0;
}

static void spark_free(void *p)
{
	struct spark *s = p;

	choices_free(&s->choices);
	spark_stack_free(&s->stack);
	free(s->secrets_dir);
	free(s->runtime_dir);
	free(s->cache_dir);
	free(s->socket_path);
	free(s->label);
	free(s->properties);
	free(s);
}

void spark_close(struct spark *s)
{
	if (s == NULL)
		return;
	up_close(s);
	sessions_close(s->sessions);
	archive_close(s->archive);
	report_close(s->report);
	monitor_close(s->monitor);
	if (s->server != NULL)
		http_server_close(s->server);
	cyg_close(s->listen_fd);
	ev_free_later(s->opts.loop, s, spark_free);
}

/* ---- environment ---- */

void spark_extend_env(const struct spark *s, struct env *env)
{
	cyg_autofree char *conf = NULL;
	cyg_autofree char *python = NULL;
	const char *path = env_get(env, "PYTHONPATH");

	if (s == NULL)
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
	return s != NULL ? "--ext=cygnet_spark" : NULL;
}

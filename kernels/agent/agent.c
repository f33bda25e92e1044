/* The start and the end of the agent. Start: the loop, then the kernels and documents that the last
 * agent recorded, then the link to init, whose list of children completes them, then the server. A
 * stop (SIGTERM) first ends kernels and shells. The end is the start backwards; kernels and
 * terminals that still run go on for the next agent. */
#include "kernels/agent/agent.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "http/url.h"
#include "kernels/agent/agent_priv.h"
#include "kernels/agent/runtime.h"

#include <string.h>

/* Of a stop: init gives the agent half of its grace of 10 s, then it signals all processes. */
enum { STOP_MS = 4500 };

static void agent_end(struct agent *a, const struct cyg_err *why)
{
	if (why != NULL && a->failed.code == CYG_OK)
		a->failed = *why;
	if (a->ended)
		return;
	a->ended = true;
	cyg_loop_stop(a->loop);
}

/* ---- a stop: kernels and shells end first, so that they can save their state ---- */

static void check_stopped(struct agent *a)
{
	if (a->stopping && kernels_list(a->kernels)->n == 0 && terminals_list(a->terminals)->n == 0)
		agent_end(a, NULL);
}

static void on_stop_timer(uv_timer_t *t)
{
	struct agent *a = t->data;

	cyg_log_warn("agent", "%zu kernels and %zu terminals do not end by themselves",
	    kernels_list(a->kernels)->n, terminals_list(a->terminals)->n);
	agent_end(a, NULL);
}

/* From here on nothing can be started. Requests that wait for a kernel get no response. */
static void begin_stop(struct agent *a)
{
	if (a->stopping || a->ended)
		return;
	a->stopping = true;
	if (!a->ready) { /* what runs is not known */
		agent_end(a, NULL);
		return;
	}
	http_server_close(CYG_TAKE(a->server));
	kernels_shutdown(a->kernels);
	terminals_end(a->terminals);
	(void)uv_timer_start(&a->stop_timer, on_stop_timer, STOP_MS, 0);
	check_stopped(a);
}

int64_t agent_last_activity(void *arg)
{
	const struct agent *a = arg;
	int64_t kernels_us = kernels_last_activity(a->kernels);
	int64_t terminals_us = terminals_last_activity(a->terminals);

	return kernels_us > terminals_us ? kernels_us : terminals_us;
}

static void agent_status(void *arg, struct pages_status *ret)
{
	const struct agent *a = arg;
	int64_t last_us = agent_last_activity(arg);

	*ret = (struct pages_status){
		.started_us = a->started_us,
		.last_activity_us = last_us > 0 ? last_us : a->started_us,
		.kernels = (unsigned)kernels_list(a->kernels)->n,
		.connections = (unsigned)(kernels_connections(a->kernels) +
					  terminals_connections(a->terminals)),
	};
}

/* ---- what is kept for the next agent, what is sent as events ---- */

static void on_change(void *arg)
{
	struct agent *a = arg;
	struct cyg_err err;

	if (a->ready && !a->ended &&
	    runtime_write(a->runtime_path, a->kernels, &a->nbsessions, &err) < 0)
		cyg_log_warn("runtime", "%s", err.msg);
	check_stopped(a);
}

struct action {
	const char *name;
	const struct kernel *kernel;
};

static void write_action(struct jsonw *w, const void *arg)
{
	const struct action *action = arg;

	jsonw_key_cstr(w, "action", action->name);
	jsonw_key_cstr(w, "kernel_id", kernel_id(action->kernel));
	jsonw_key_cstr(w, "kernel_name", kernel_name(action->kernel));
	jsonw_key_cstr(w, "status", "success");
	jsonw_key_cstr(w, "msg", "");
}

static void on_action(void *arg, const char *name, const struct kernel *kernel)
{
	struct agent *a = arg;
	const struct action action = { name, kernel };

	events_emit(a->events, EVENTS_JUPYTER "kernel_actions/v1", write_action, &action);
	spark_on_kernel(a->spark, name, kernel_id(kernel));
}

static void on_done(void *arg, const struct kernel *kernel, struct cyg_str msg_id)
{
	const struct agent *a = arg;

	spark_on_done(a->spark, kernel_id(kernel), msg_id);
}

/* ---- init ---- */

static void on_child(void *arg, const struct init_child *child, int pty_fd)
{
	struct agent *a = arg;

	if (child->pty != 0) {
		terminals_on_child(a->terminals, child, pty_fd);
		return;
	}
	cyg_close(pty_fd);
	spark_on_child(a->spark, child);
	kernels_on_child(a->kernels, child);
}

static void on_exited(void *arg, const struct init_exited *exited)
{
	struct agent *a = arg;

	spark_on_exited(a->spark, exited);
	kernels_on_exited(a->kernels, exited);
	terminals_on_exited(a->terminals, exited);
	check_stopped(a);
}

static void set_specs(struct agent *a)
{
	const struct hello_env *env = init_link_env(a->init);
	const char *home = hello_get(env, "HOME");

	a->specs = specs_path_new(a->opts->stack_prefixes, hello_get(env, "JUPYTER_PATH"),
	    home != NULL ? home : a->opts->root_dir, a->opts->jupyter_prefix);
}

/* The last step of the start: requests are accepted once all running children are known. */
static void on_ready(void *arg)
{
	struct agent *a = arg;
	struct cyg_err err;

	spark_settle(a->spark);
	kernels_settle(a->kernels);
	nbsessions_drop_dead(&a->nbsessions);
	a->ready = true;
	on_change(a);
	if (http_server_listen(a->server, a->opts->listen_fd, &err) < 0) {
		agent_end(a, &err);
		return;
	}
	cyg_log_info("agent", "serves %s with %zu kernels and %zu terminals", a->opts->base_url,
	    kernels_list(a->kernels)->n, terminals_list(a->terminals)->n);
}

static void on_init_end(void *arg, const struct cyg_err *why)
{
	agent_end(arg, why);
}

static bool is_busy(void *arg, const char *id)
{
	const struct agent *a = arg;
	const struct kernel *k = kernels_find(a->kernels, cyg_str_of(id));

	return k != NULL && kernel_is_busy(k);
}

/* In a stack without Spark the agent serves all the same: Spark stays off and the log says why. */
static void start_spark(struct agent *a)
{
	const char *home = hello_get(init_link_env(a->init), "HOME");
	const struct spark_opts opts = { .loop = a->uv,
		.init = a->init,
		.events = a->events,
		.run_dir = a->opts->run_dir,
		.home = home != NULL ? home : a->opts->root_dir,
		.base_url = a->opts->base_url,
		.cluster = a->opts->spark_cluster,
		.idle_s = a->opts->spark_idle_s,
		.is_busy = is_busy,
		.arg = a,
		.program = a->program,
		.is_first = init_link_env(a->init)->restarts == 0 };
	struct cyg_err err;

	if (opts.cluster == NULL || opts.cluster[0] == '\0')
		return;
	if (spark_new(&opts, init_link_env(a->init)->list, &a->spark, &err) < 0)
		cyg_log_warn("spark", "%s", err.msg);
	else
		a->spark_monitor = spark_monitor(a->spark);
}

static void extend_env(void *arg, struct env *env)
{
	const struct agent *a = arg;

	spark_extend_env(a->spark, env);
}

static const char *ipykernel_word(void *arg)
{
	const struct agent *a = arg;

	return spark_kernel_word(a->spark);
}

static void on_hello(void *arg)
{
	struct agent *a = arg;
	struct cyg_err err;

	set_specs(a);
	start_spark(a);
	if (documents_open(&a->documents, a->uv, a->opts, init_link_env(a->init), &err) < 0) {
		agent_end(a, &err);
		return;
	}
	if (init_link_env(a->init)->restarts == 0)
		return; /* a new server: ignore what an old one left in the run folder */
	if (runtime_read(a->runtime_path, a->kernels, &a->nbsessions, &err) < 0)
		cyg_log_warn("runtime", "%s", err.msg);
}

/* ---- start and end ---- */

static int start_kernels(struct agent *a, struct cyg_err *err)
{
	const struct kernels_opts opts = {
		.loop = a->uv,
		.init = a->init,
		.specs = &a->specs,
		.run_dir = a->opts->run_dir,
		.on_change = on_change,
		.on_action = on_action,
		.on_done = on_done,
		.extend_env = extend_env,
		.ipykernel_word = ipykernel_word,
		.arg = a,
	};
	int rc = kernels_new(&opts, &a->kernels, err);

	if (rc < 0)
		return rc;
	nbsessions_init(&a->nbsessions, a->kernels, on_change, a);
	a->kernel_ctx = (struct kernel_ctx){
		.kernels = a->kernels,
		.nbsessions = &a->nbsessions,
		.loop = a->uv,
		.specs = &a->specs,
		.root_dir = a->opts->root_dir,
	};
	return 0;
}

/* The endpoints of this server: each part's table, with the context of that part. */
static int start_server(struct agent *a, struct cyg_err *err)
{
	const bool pages = a->opts->jupyter_prefix != NULL;
	const struct http_mount mounts[] = {
		{ a->prefix, agent_endpoints, a, NULL },
		{ a->prefix, specs_endpoints, &a->kernel_ctx, NULL },
		{ a->prefix, kernels_endpoints, &a->kernel_ctx, NULL },
		{ a->prefix, nbsessions_endpoints, &a->kernel_ctx, NULL },
		{ a->prefix, terminals_endpoints, a->terminals, NULL },
		{ a->prefix, events_endpoints, a->events, NULL },
		{ a->prefix, contents_endpoints, &a->documents.contents, NULL },
		{ a->prefix, spark_endpoints, &a->spark, NULL },
		{ a->prefix, monitor_endpoints, &a->spark_monitor, NULL },
		{ a->prefix, ui_proxy_endpoints, &a->spark_monitor, NULL },
		{ a->prefix, pages ? pages_endpoints : bare_endpoints, &a->documents.pages,
		    pages ? pages_not_found : NULL },
		{ .endpoints = NULL },
	};
	const struct http_server_opts opts = { .mounts = mounts };

	return http_server_new(a->uv, &opts, &a->server, err);
}

static void start_others(struct agent *a)
{
	const struct terminals_opts terminals = {
		.loop = a->uv,
		.init = a->init,
		.run_dir = a->opts->run_dir,
		.root_dir = a->opts->root_dir,
		.extend_env = extend_env,
		.arg = a,
	};
	const struct hub_link_opts hub = {
		.loop = a->uv,
		.run_dir = a->opts->run_dir,
		.base_url = a->opts->base_url,
		.last_activity = agent_last_activity,
		.arg = a,
	};

	a->terminals = terminals_new(&terminals);
	a->events = events_new(a->uv);
	a->documents.events = a->events;
	a->documents.pages.status = agent_status;
	a->documents.pages.status_arg = a;
	a->hub = hub_link_new(&hub);
}

static void on_loop_end(void *arg, const char *why)
{
	cyg_log_info("agent", "%s", why);
	begin_stop(arg);
}

static int agent_start(struct agent *a, struct cyg_err *err)
{
	static const struct init_link_events events = {
		.on_hello = on_hello,
		.on_child = on_child,
		.on_exited = on_exited,
		.on_ready = on_ready,
		.on_end = on_init_end,
	};
	cyg_autofree char *runtime_dir = cyg_xasprintf("%s/runtime", a->opts->run_dir);
	int rc = cyg_loop_new(on_loop_end, a, -1, &a->loop, err);

	if (rc < 0)
		return rc;
	a->uv = cyg_loop_uv(a->loop);
	(void)uv_timer_init(a->uv, &a->stop_timer);
	a->stop_timer.data = a;
	a->started_us = cyg_clock_wall_us();
	a->runtime_path = cyg_xasprintf("%s/agent.json", runtime_dir);
	rc = cyg_file_mkdirs(runtime_dir, 0700, err);
	if (rc == 0)
		rc = init_link_new(a->uv, a->opts->link_fd, &events, a, &a->init, err);
	if (rc == 0)
		rc = start_kernels(a, err);
	if (rc < 0)
		return rc;
	start_others(a);
	return start_server(a, err);
}

static void agent_stop(struct agent *a)
{
	a->ended = true;
	if (a->server != NULL)
		http_server_close(a->server);
	hub_link_close(a->hub);
	terminals_close(a->terminals);
	spark_close(a->spark);
	/* Work on files that is under way ends later, in cyg_loop_free. */
	a->documents.events = NULL;
	events_close(a->events);
	if (a->kernels != NULL)
		nbsessions_free(&a->nbsessions);
	kernels_close(a->kernels);
	init_link_close(a->init);
	if (a->loop != NULL) {
		uv_close((uv_handle_t *)&a->stop_timer, NULL);
		cyg_loop_free(a->loop);
	}
	documents_close(&a->documents);
	specs_path_free(&a->specs);
	free(a->runtime_path);
	free(a->program);
	free(a->prefix);
}

/* Where this program is: spark-env.sh calls it. */
static char *program_path(void)
{
	char path[CYG_PATH_MAX] = "";
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	return cyg_xstrndup(path, n > 0 ? (size_t)n : 0);
}

static int read_base_url(struct agent *a, struct cyg_err *err)
{
	struct cyg_str base = cyg_str_of(a->opts->base_url);
	struct cyg_str path = CYG_STR("");
	struct cyg_arena arena;
	int rc = 0;

	if (cyg_str_ends(base, "/"))
		base.len--;
	cyg_arena_init(&arena);
	if (base.len > 0)
		rc = url_path_decode(&arena, base, &path, err);
	if (rc < 0)
		(void)cyg_wrap(err, "base-url");
	a->prefix = cyg_str_dup(path);
	cyg_arena_free(&arena);
	return rc;
}

int agent_run(const struct agent_opts *opts, struct cyg_err *err)
{
	struct agent *a = cyg_xcalloc(1, sizeof(*a));
	int rc;

	a->opts = opts;
	a->program = program_path();
	rc = read_base_url(a, err);
	if (rc == 0)
		rc = agent_start(a, err);
	if (rc == 0) {
		cyg_loop_run(a->loop);
		if (a->failed.code != CYG_OK) {
			*err = a->failed;
			rc = -(int)a->failed.code;
		}
	}
	agent_stop(a);
	free(a);
	return rc;
}

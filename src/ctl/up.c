/* `cygnetctl up`: Cygnet on one machine. Folders, sockets, then spawner, proxy and hub as
 * supervised children; prints the address when they respond; on SIGTERM the servers stop, then the
 * daemons in reverse. */
#include "ctl/up.h"

#include "base/file.h"
#include "base/mem.h"
#include "ctl/command.h"
#include "cygnet/paths.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "daemon/options.h"
#include "http/client.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum { CHILD_SPAWNER, CHILD_PROXY, CHILD_HUB, CHILDREN };
enum { DEATHS_MAX = 5 }; /* of a daemon before everything was ready: then `up` ends */
enum { READY_TIMEOUT_MS = 60000, ASK_TIMEOUT_MS = 5000, DAEMON_GRACE_MS = 5000, REAP_MS = 200 };
enum { RESPONSE_MAX = 256 * 1024 };

struct up {
	struct up_options opts;
	struct cyg_loop *loop;
	struct up_sockets sockets;
	struct up_supervisor supervisor;
	struct up_child *children[CHILDREN];
	int parent_pipe[2];
	char *password, *password_file;
	char *admin_token, *admin_token_file;
	char *url, *hub_sock, *strings[16];
	size_t n_strings;
	struct http_call *call; /* the readiness question, or the request to stop the servers */
	uv_timer_t reaper;
	uv_signal_t sigchld;
	uv_timer_t deadline; /* of stopping the servers */
	bool ready, wrote_ready;
	bool ending;
	int code;
};

static const struct cyg_option option_table[] = {
	{ "address", OPT_STRING, offsetof(struct up_options, address), "127.0.0.1", 0, 0, NULL,
	    false, "IPv4 address that the proxy listens on." },
	{ "port", OPT_UINT, offsetof(struct up_options, port), "8000", 0, 65535, NULL, false,
	    "Port that the proxy listens on; 0 takes a free one." },
	{ "state-dir", OPT_STRING, offsetof(struct up_options, state_dir), NULL, 0, 0, NULL, false,
	    "Accounts, homes, uids. /var/lib/cygnet for root, else below XDG_STATE_HOME." },
	{ "run-dir", OPT_STRING, offsetof(struct up_options, run_dir), NULL, 0, 0, NULL, false,
	    "Sockets and run folders. /run/cygnet for root, else below XDG_RUNTIME_DIR." },
	{ "cache-dir", OPT_STRING, offsetof(struct up_options, cache_dir), NULL, 0, 0, NULL, false,
	    "Binaries of containers, stacks. /var/cache/cygnet for root, else below XDG_CACHE_HOME." },
	{ "bin-dir", OPT_STRING, offsetof(struct up_options, bin_dir), NULL, 0, 0, NULL, true,
	    "Folder of the cygnet-* programs." },
	{ "web-dir", OPT_STRING, offsetof(struct up_options, web_dir), NULL, 0, 0, NULL, true,
	    "Folder of the portal's files." },
	{ "config-dir", OPT_STRING, offsetof(struct up_options, config_dir), NULL, 0, 0, NULL, true,
	    "Folder with hub.yaml, profiles.yaml, templates.yaml and stacks.yaml; proxy.yaml and spawner.yaml are read when they are there." },
	{ "public-url", OPT_STRING, offsetof(struct up_options, public_url), NULL, 0, 0, NULL,
	    false,
	    "Address by which browsers come, with its closing slash, when it is not http://localhost:PORT/." },
	{ "ready-file", OPT_STRING, offsetof(struct up_options, ready_file), NULL, 0, 0, NULL,
	    false,
	    "Where to write {url, user, password, pid} as JSON once Cygnet is ready (mode 0600)." },
	{ "stop-time", OPT_MS, offsetof(struct up_options, stop_ms), "30s", 1000, 600000, NULL,
	    false, "How long servers may take to stop at the end." },
	{ .name = NULL },
};
static const struct cyg_program program = {
	.name = "cygnetctl up",
	.purpose = "Runs Cygnet on this machine until interrupted.",
	.options = option_table,
};

static void end_begin(struct up *u);
static void stop_next(struct up *u);

/* A string that lives as long as the run: children keep pointers into their arguments. */
static const char *keep(struct up *u, char *s)
{
	u->strings[u->n_strings++] = s;
	return s;
}

static void on_child_death(void *arg, struct up_child *c, unsigned deaths)
{
	struct up *u = arg;

	if (u->ready || u->ending || deaths < DEATHS_MAX)
		return;
	cyg_log_error(
	    "up", "the %s does not stay alive: its messages above say why", up_child_name(c));
	u->code = 1;
	end_begin(u);
}

static void on_child_end(void *arg, struct up_child *c)
{
	struct up *u = arg;

	(void)c;
	if (u->ending)
		stop_next(u);
}

/* ---- starting ---- */

static void spec_init(struct up_child_spec *spec, const char *name, const char *path)
{
	*spec = (struct up_child_spec){ .name = name, .uid = (uid_t)-1, .gid = (gid_t)-1 };
	spec->args[0] = path;
}

static void spec_arg(struct up_child_spec *spec, const char *option, const char *value)
{
	size_t n = 0;

	while (spec->args[n] != NULL)
		n++;
	if (n + 2 >= UP_ARGS_MAX)
		abort();
	spec->args[n] = option;
	spec->args[n + 1] = value;
}

static void spec_fd(struct up_child_spec *spec, const char *name, int fd)
{
	spec->fds[spec->n_fds] = fd;
	spec->fd_names[spec->n_fds++] = name;
}

/* A daemon's own options file, when the administrator wrote one; what we pass ourselves wins over
 * it. */
static void spec_config(struct up *u, struct up_child_spec *spec, const char *name)
{
	cyg_autofree char *path = cyg_xasprintf("%s/%s", u->opts.config_dir, name);

	if (access(path, F_OK) == 0)
		spec_arg(spec, "--config", keep(u, CYG_TAKE(path)));
}

static int start_spawner(struct up *u, struct cyg_err *err)
{
	const struct up_options *o = &u->opts;
	struct up_child_spec spec;

	spec_init(
	    &spec, "spawner", keep(u, cyg_xasprintf("%s/cygnet-spawner-sandbox", o->bin_dir)));
	spec_config(u, &spec, "spawner.yaml");
	spec_arg(&spec, "--run-dir", o->run_dir);
	spec_arg(&spec, "--state-dir", o->state_dir);
	spec_arg(&spec, "--cache-dir", o->cache_dir);
	spec_arg(&spec, "--bin-dir", o->bin_dir);
	spec_arg(&spec, "--templates", keep(u, cyg_xasprintf("%s/templates.yaml", o->config_dir)));
	spec_arg(&spec, "--stacks", keep(u, cyg_xasprintf("%s/stacks.yaml", o->config_dir)));
	spec_fd(&spec, "ctl", u->sockets.spawner);
	return up_child_start(&u->supervisor, &spec, &u->children[CHILD_SPAWNER], err);
}

static int start_proxy(struct up *u, struct cyg_err *err)
{
	const struct up_options *o = &u->opts;
	struct up_child_spec spec;

	spec_init(&spec, "proxy", keep(u, cyg_xasprintf("%s/cygnet-proxy", o->bin_dir)));
	spec_config(u, &spec, "proxy.yaml");
	spec_fd(&spec, "http", u->sockets.http);
	spec_fd(&spec, "control", u->sockets.control);
	spec_fd(&spec, "inner", u->sockets.inner);
	if (geteuid() == 0) {
		spec.uid = UP_UID_PROXY;
		spec.gid = UP_GID_SHARED;
	}
	return up_child_start(&u->supervisor, &spec, &u->children[CHILD_PROXY], err);
}

static int start_hub(struct up *u, struct cyg_err *err)
{
	const struct up_options *o = &u->opts;
	struct up_child_spec spec;

	spec_init(&spec, "hub", keep(u, cyg_xasprintf("%s/cygnet-hub", o->bin_dir)));
	spec_arg(&spec, "--config", keep(u, cyg_xasprintf("%s/hub.yaml", o->config_dir)));
	spec_arg(&spec, "--profiles", keep(u, cyg_xasprintf("%s/profiles.yaml", o->config_dir)));
	spec_arg(&spec, "--run-dir", o->run_dir);
	spec_arg(&spec, "--state-dir", keep(u, cyg_xasprintf("%s/hub", o->state_dir)));
	spec_arg(&spec, "--web-dir", o->web_dir);
	spec_arg(&spec, "--public-url", u->url);
	spec_arg(&spec, "--dev-password-file", u->password_file);
	spec_arg(&spec, "--admin-token-file", u->admin_token_file);
	spec_fd(&spec, "http", u->sockets.hub);
	spec_fd(&spec, "hub-control", u->sockets.hub_control);
	if (geteuid() == 0) {
		spec.uid = UP_UID_HUB;
		spec.gid = UP_GID_SHARED;
	}
	return up_child_start(&u->supervisor, &spec, &u->children[CHILD_HUB], err);
}

/* Prints how to sign in, only with the development provider, and the address. */
static void on_site(void *arg, const struct http_result *res)
{
	struct up *u = arg;
	json_t *site = res->status == 200 ? json_loadb(res->body.p, res->body.len, 0, NULL) : NULL;

	u->call = NULL;
	if (json_is_true(json_object_get(site, "development")))
		(void)printf(
		    "Sign in with any name (say, alice) and the password %s\n", u->password);
	json_decref(site);
	(void)printf("Cygnet is ready: %s\n", u->url);
	(void)fflush(stdout);
}

static void ask(struct up *u, const char *target, http_call_fn done)
{
	const struct http_call_spec spec = { .socket_path = u->hub_sock,
		.method = "GET",
		.target = target,
		.host = "localhost",
		.timeout_ms = READY_TIMEOUT_MS,
		.body_max = RESPONSE_MAX };

	u->call = http_call_start(cyg_loop_uv(u->loop), &spec, done, u);
}

static void on_ready(void *arg, const struct http_result *res)
{
	struct up *u = arg;
	struct cyg_err err;

	u->call = NULL;
	u->ready = res->status == 200;
	if (!u->ready) {
		cyg_log_error("up", "the hub does not answer: %s; its messages are above",
		    res->status == 0 ? res->err.msg : "not healthy");
		u->code = 1;
		end_begin(u);
		return;
	}
	if (u->opts.ready_file != NULL && up_write_ready(&u->opts, u->url, u->password, &err) < 0) {
		cyg_log_error("up", "cannot write the ready file: %s", err.msg);
		u->code = 1;
		end_begin(u);
		return;
	}
	u->wrote_ready = u->opts.ready_file != NULL;
	ask(u, CYG_HUB_PATH "/api/cygnet/site", on_site);
}

/* ---- children of servers that lost their parent ---- */

static bool is_ours(const struct up *u, pid_t pid)
{
	for (size_t i = 0; i < CHILDREN; i++) {
		if (u->children[i] != NULL && up_child_pid(u->children[i]) == pid)
			return true;
	}
	return false;
}

/* We are a subreaper: what a dead spawner leaves behind becomes our child, and ends as one. libuv
 * waits for the daemons itself, so those are only looked at, never taken. */
static void reap_strangers(struct up *u)
{
	for (;;) {
		siginfo_t info = { 0 };

		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
			return;
		if (is_ours(u, info.si_pid)) {
			(void)uv_timer_start(&u->reaper, u->reaper.timer_cb, REAP_MS, 0);
			return;
		}
		(void)waitpid(info.si_pid, NULL, WNOHANG);
	}
}

static void on_reaper(uv_timer_t *timer)
{
	reap_strangers(timer->data);
}

static void on_sigchld(uv_signal_t *sig, int signum)
{
	(void)signum;
	reap_strangers(sig->data);
}

/* ---- ending: servers first, then hub, proxy, spawner ---- */

static void on_servers_told(void *arg, const struct http_result *res)
{
	struct up *u = arg;

	u->call = NULL;
	if (res->status >= 200 && res->status < 300)
		return; /* the hub ends by itself when the last server is gone */
	cyg_log_warn("up", "cannot ask the hub to stop the servers (%s); they go on",
	    res->status == 0 ? res->err.msg : "refused");
	up_child_stop(u->children[CHILD_HUB], SIGTERM, DAEMON_GRACE_MS);
}

static void on_deadline(uv_timer_t *timer)
{
	struct up *u = timer->data;

	cyg_log_warn("up", "servers did not stop in %llu ms", (unsigned long long)u->opts.stop_ms);
	up_child_stop(u->children[CHILD_HUB], SIGTERM, DAEMON_GRACE_MS);
}

static void stop_servers(struct up *u)
{
	cyg_autofree char *auth = cyg_xasprintf("token %s", u->admin_token);
	const struct http_call_spec spec = { .socket_path = u->hub_sock,
		.method = "POST",
		.target = CYG_HUB_PATH "/api/shutdown",
		.host = "localhost",
		.content_type = "application/json",
		.body = CYG_STR("{\"servers\": true, \"proxy\": false}"),
		.authorization = auth,
		.timeout_ms = ASK_TIMEOUT_MS,
		.body_max = 4096 };

	up_child_stop(u->children[CHILD_HUB], 0, 0);
	u->call = http_call_start(cyg_loop_uv(u->loop), &spec, on_servers_told, u);
	(void)uv_timer_start(&u->deadline, on_deadline, u->opts.stop_ms, 0);
	cyg_cleanse(auth, strlen(auth));
}

/* Stops the last daemon that still runs; when none does, the loop ends. */
static void stop_next(struct up *u)
{
	static const int order[] = { CHILD_HUB, CHILD_PROXY, CHILD_SPAWNER };

	(void)uv_timer_stop(&u->deadline);
	for (size_t i = 0; i < CYG_N(order); i++) {
		struct up_child *c = u->children[order[i]];

		if (c == NULL || !up_child_is_running(c))
			continue;
		up_child_stop(c, SIGTERM, DAEMON_GRACE_MS);
		return;
	}
	cyg_loop_stop(u->loop);
}

static void end_begin(struct up *u)
{
	if (u->ending)
		return;
	u->ending = true;
	http_call_cancel(u->call);
	u->call = NULL;
	for (size_t i = 0; i < CHILDREN; i++) {
		if (u->children[i] != NULL)
			up_child_stop(u->children[i], 0, 0);
	}
	if (u->children[CHILD_HUB] != NULL && up_child_is_running(u->children[CHILD_HUB]) &&
	    u->code == 0)
		stop_servers(u);
	else {
		if (u->code == 0)
			cyg_log_warn("up",
			    "the hub is not there to stop the servers: they go on, and "
			    "the next start finds them");
		stop_next(u);
	}
}

static void on_loop_end(void *arg, const char *why)
{
	cyg_log_info("up", "%s: stopping servers, then the daemons", why);
	end_begin(arg);
}

/* ---- the order of the run ---- */

static int prepare(struct up *u, struct up_locks *locks, struct cyg_err *err)
{
	int rc = up_default_folders(&u->opts, err);

	if (rc == 0)
		rc = up_make_folders(&u->opts, locks, err);
	if (rc == 0)
		rc = up_bind_sockets(&u->opts, &u->sockets, err);
	if (rc == 0)
		rc = up_password(&u->opts, &u->password, &u->password_file, err);
	if (rc == 0)
		rc = up_admin_token(&u->opts, &u->admin_token, &u->admin_token_file, err);
	if (rc < 0)
		return rc;
	if (pipe2(u->parent_pipe, O_CLOEXEC) < 0)
		return cyg_fail_sys(err, errno, "make a pipe");
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (u->opts.public_url != NULL)
		u->url = cyg_xstrdup(u->opts.public_url);
	else
		u->url = cyg_xasprintf("http://%s:%u/",
		    strcmp(u->opts.address, "127.0.0.1") == 0 ? "localhost" : u->opts.address,
		    u->sockets.port);
	u->hub_sock = cyg_xasprintf("%s/hub/http.sock", u->opts.run_dir);
	return cyg_loop_new(on_loop_end, u, -1, &u->loop, err);
}

static int start_all(struct up *u, struct cyg_err *err)
{
	uv_loop_t *uv = cyg_loop_uv(u->loop);
	int rc;

	(void)uv_timer_init(uv, &u->reaper);
	(void)uv_timer_init(uv, &u->deadline);
	(void)uv_signal_init(uv, &u->sigchld);
	u->reaper.data = u->deadline.data = u->sigchld.data = u;
	u->reaper.timer_cb = on_reaper;
	(void)uv_signal_start(&u->sigchld, on_sigchld, SIGCHLD);
	u->supervisor =
	    (struct up_supervisor){ uv, u->parent_pipe[0], on_child_end, on_child_death, u };
	rc = start_spawner(u, err);
	if (rc == 0)
		rc = start_proxy(u, err);
	if (rc == 0)
		rc = start_hub(u, err);
	if (rc == 0)
		ask(u, CYG_HUB_PATH "/health?wait=1",
		    on_ready); /* waits in the hub's backlog until it serves */
	return rc;
}

static void free_secret(char *s)
{
	if (s == NULL)
		return;
	cyg_cleanse(s, strlen(s));
	free(s);
}

static void tear_down(struct up *u)
{
	for (size_t i = 0; i < CHILDREN; i++)
		up_child_close(u->children[i]);
	if (u->loop != NULL && u->reaper.type == UV_TIMER) {
		uv_close((uv_handle_t *)&u->reaper, NULL);
		uv_close((uv_handle_t *)&u->deadline, NULL);
		uv_close((uv_handle_t *)&u->sigchld, NULL);
	}
	cyg_loop_free(u->loop);
	if (u->wrote_ready)
		(void)unlink(u->opts.ready_file);
	if (u->admin_token_file != NULL)
		(void)unlink(u->admin_token_file);
	up_close_sockets(&u->opts, &u->sockets);
	cyg_close(u->parent_pipe[0]);
	cyg_close(u->parent_pipe[1]);
	for (size_t i = 0; i < u->n_strings; i++)
		free(u->strings[i]);
	free_secret(u->password);
	free(u->password_file);
	free_secret(u->admin_token);
	free(u->admin_token_file);
	free(u->url);
	free(u->hub_sock);
	cyg_options_free(&program, &u->opts);
}

int ctl_up(int argc, char **argv)
{
	struct up u = { .parent_pipe = { -1, -1 }, .sockets = { -1, -1, -1, -1, -1, -1, 0 } };
	struct cyg_err err;
	struct up_locks locks = { -1, -1 };
	int first = 0;
	int rc;

	cyg_log_init("cygnetctl", CYG_LOG_INFO);
	rc = cyg_options_read(&program, argc, argv, &u.opts, &first, &err);
	if (rc < 0) {
		(void)fprintf(stderr, "cygnetctl up: %s\n", err.msg);
		cyg_options_free(&program, &u.opts);
		return 2;
	}
	rc = prepare(&u, &locks, &err);
	if (rc == 0) {
		cyg_log_info("up", "state %s, sockets %s, cache %s", u.opts.state_dir,
		    u.opts.run_dir, u.opts.cache_dir);
		rc = start_all(&u, &err);
		if (rc < 0) {
			cyg_log_error("up", "%s", err.msg);
			u.code = 1;
			end_begin(&u);
		}
		cyg_loop_run(u.loop);
	} else {
		(void)fprintf(stderr, "cygnetctl up: %s\n", err.msg);
		u.code = 1;
	}
	tear_down(&u);
	cyg_close(locks.run_fd);
	cyg_close(locks.state_fd);
	return u.code;
}

/* The driver of a session: its files, its JVM, whether it is ready, and its end. */
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "kernels/spark/driver_log.h"
#include "kernels/spark/files.h"
#include "kernels/spark/jvm.h"
#include "kernels/spark/ports.h"
#include "kernels/spark/python_path.h"
#include "kernels/spark/session_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
	LOOK_MS = 50,
	READY_TIMEOUT_MS = 120 * 1000,
	KILL_MS = 5000, /* a driver that was told to end has so long to tell its cluster */
};

static bool is_connect(const struct session *s)
{
	return strcmp(s->flavour_name, "connect") == 0;
}

/* ---- folders and files ---- */

char *session_secrets_dir(const struct session *s)
{
	return cyg_xasprintf(
	    "%s/secrets/spark/sessions/%s", sessions_opts_of(s->owner)->run_dir, s->id);
}

char *session_runtime_dir(const struct session *s)
{
	return cyg_xasprintf(
	    "%s/runtime/spark/sessions/%s", sessions_opts_of(s->owner)->run_dir, s->id);
}

char *session_log_path(const struct session *s)
{
	return cyg_xasprintf(
	    "%s/log/spark-driver-%s.log", sessions_opts_of(s->owner)->run_dir, s->id);
}

void session_remove_files(struct session *s)
{
	static const char *const names[] = { "local", "stdin", "stdout" };
	cyg_autofree char *secrets = session_secrets_dir(s);
	cyg_autofree char *runtime = session_runtime_dir(s);
	struct cyg_err err;

	if (cyg_file_remove_tree(AT_FDCWD, secrets, &err) < 0)
		cyg_log_warn("spark", "%s", err.msg);
	for (size_t i = 0; i < CYG_N(names); i++) {
		cyg_autofree char *path = cyg_xasprintf("%s/%s", runtime, names[i]);

		if (cyg_file_remove_tree(AT_FDCWD, path, &err) < 0)
			cyg_log_warn("spark", "%s", err.msg);
	}
}

/* Folders, ports and secrets: the cluster's, and its own on top. */
static int fill_places(struct session *s, struct cyg_err *err)
{
	static const char *const ports[] = { "{port.ui}", "{port.connect}" };
	const char *run = sessions_opts_of(s->owner)->run_dir;
	cyg_autofree char *secrets = cyg_xasprintf("%s/secrets/spark", run);

	fill_copy(&s->fill, cluster_fill(s->cluster));
	fill_set(&s->fill, "{secrets}", secrets);
	fill_set(&s->fill, "{session}", s->id);
	for (size_t i = 0; i < s->answer->n_secrets; i++) {
		cyg_autofree char *place = cyg_xasprintf("{secret.%s}", s->answer->secrets[i].name);

		if (fill_get(&s->fill, place) == NULL && strlen(place) < 32)
			fill_set(&s->fill, place, s->answer->secrets[i].value);
	}
	return ports_pick(&s->fill, ports, CYG_N(ports), err);
}

static int write_secrets(struct session *s, struct cyg_err *err)
{
	cyg_autofree char *dir =
	    cyg_xasprintf("%s/secrets/spark", sessions_opts_of(s->owner)->run_dir);
	cyg_autofree char *own = session_secrets_dir(s);
	const char *token = fill_get(&s->fill, "{secret.token}");
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->answer->n_files; i++) {
		const struct answer_pair *file = &s->answer->files[i];

		if (cyg_str_starts(cyg_str_of(file->name), "sessions/"))
			rc = spark_write_filled(dir, file->name, file->value, &s->fill, err);
	}
	if (rc == 0 && is_connect(s))
		rc = token != NULL
			 ? spark_write_secret(own, "token", cyg_str_of(token), err)
			 : cyg_fail(err, CYG_EPROTO, "the hub's response lacks secrets.token");
	return rc;
}

static int make_files(struct session *s, struct cyg_err *err)
{
	cyg_autofree char *runtime = session_runtime_dir(s);
	cyg_autofree char *local = cyg_xasprintf("%s/local", runtime);
	cyg_autofree char *in = cyg_xasprintf("%s/stdin", runtime);
	cyg_autofree char *out = cyg_xasprintf("%s/stdout", runtime);
	cyg_autofree char *log = session_log_path(s);
	const char *const made[] = { out, log };
	int rc = cyg_file_mkdirs(local, 0700, err);

	if (rc == 0 && mkfifo(in, 0600) < 0)
		rc = cyg_fail_sys(err, errno, "make %s", in);
	for (size_t i = 0; rc == 0 && i < CYG_N(made); i++) {
		cyg_autoclose int fd =
		    open(made[i], O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

		if (fd < 0)
			rc = cyg_fail_sys(err, errno, "make %s", made[i]);
	}
	return rc;
}

/* ---- the JVM ---- */

/* A driver stands for its kernel: it gets the kernel's environment, and no secret is in that. */
static int make_env(const struct session *s, struct env *env, struct cyg_err *err)
{
	const struct spark_stack *stack = sessions_opts_of(s->owner)->stack;
	cyg_autofree char *path =
	    s->pythonpath != NULL ? python_path_join(cyg_str_of(s->pythonpath), err) : NULL;

	env_init(env, stack->setup);
	if (s->pythonpath != NULL && path == NULL)
		return -(int)err->code;
	if (path != NULL && path[0] != '\0')
		env_set(env, "PYTHONPATH", path);
	if (env_get(env, "PYSPARK_PYTHON") == NULL)
		env_set(env, "PYSPARK_PYTHON", "python3");
	return 0;
}

static void on_started(
    void *arg, const struct init_child *child, int pty_fd, const struct cyg_err *err)
{
	struct session *s = arg;

	cyg_close(pty_fd);
	s->is_starting = false;
	s->pid = child != NULL ? child->pid : 0;
	if (s->state == SESSION_DRIVER && child == NULL)
		session_fail(s, err->msg);
	else if (s->state == SESSION_DRIVER)
		session_watch_driver(s);
	else if (child != NULL)
		jvm_signal(sessions_opts_of(s->owner)->init, s->pid, SIGKILL);
	else if (s->state == SESSION_ENDING)
		session_move(s, SESSION_GONE, "it did not start");
}

static int start_jvm(struct session *s, struct cyg_err *err)
{
	const struct sessions_opts *opts = sessions_opts_of(s->owner);
	cyg_autofree char *runtime = session_runtime_dir(s);
	cyg_autofree char *in = cyg_xasprintf("%s/stdin", runtime);
	cyg_autofree char *out = cyg_xasprintf("%s/stdout", runtime);
	cyg_autofree char *log = session_log_path(s);
	struct env env;
	const struct jvm_spec spec = { .stack = opts->stack,
		.archive = opts->archive,
		.answer = s->answer,
		.jvm = &s->answer->jvms[s->answer->n_jvms - 1],
		.fill = &s->fill,
		.tag = s->tag,
		.cwd = access(s->cwd, X_OK) == 0 ? s->cwd : opts->home,
		.log = log,
		.in = in,
		.out = out,
		.env = &env };
	int rc = make_env(s, &env, err);

	if (rc == 0)
		rc = jvm_start(opts->init, &spec, on_started, s, err);
	env_free(&env);
	s->is_starting = rc == 0;
	return rc;
}

void session_start_driver(struct session *s)
{
	struct cyg_err err;
	int rc = fill_places(s, &err);

	if (rc == 0)
		rc = write_secrets(s, &err);
	if (rc == 0)
		rc = make_files(s, &err);
	session_move(s, SESSION_DRIVER, "its cluster is there");
	if (rc == 0)
		rc = start_jvm(s, &err);
	s->has_log = rc == 0;
	if (rc < 0)
		session_fail(s, err.msg);
}

/* ---- is it ready? ---- */

/* A gateway says where it listens by a file that it renames into place (PythonGatewayServer). */
static bool is_ready(const struct session *s)
{
	cyg_autofree char *secrets = session_secrets_dir(s);
	cyg_autofree char *gateway = cyg_xasprintf("%s/gateway", secrets);

	return is_connect(s) ? ports_listens(ports_of(&s->fill, "{port.connect}"))
			     : access(gateway, R_OK) == 0;
}

static void on_look(uv_timer_t *timer)
{
	struct session *s = timer->data;

	if (is_ready(s)) {
		(void)uv_timer_stop(&s->timer);
		session_move(s, SESSION_READY, "the driver is ready");
	} else if (cyg_clock_mono_ms() > s->deadline_ms) {
		session_fail(s, "The driver was not ready after two minutes.");
	}
}

void session_watch_driver(struct session *s)
{
	s->deadline_ms = cyg_clock_mono_ms() + READY_TIMEOUT_MS;
	(void)uv_timer_start(&s->timer, on_look, LOOK_MS, LOOK_MS);
}

/* ---- its end ---- */

void session_fail_from_log(struct session *s, const char *how)
{
	cyg_autofree char *log = session_log_path(s);
	cyg_autofree char *line = driver_log_cause(log);

	session_fail(s, line != NULL ? line : how);
}

static void on_kill(uv_timer_t *timer)
{
	struct session *s = timer->data;

	jvm_signal(sessions_opts_of(s->owner)->init, s->pid, SIGKILL);
}

/* One that is stopped hears neither; the second signal reaches it all the same. */
void session_kill(struct session *s)
{
	if (s->pid == 0)
		return;
	jvm_signal(sessions_opts_of(s->owner)->init, s->pid, SIGTERM);
	(void)uv_timer_start(&s->timer, on_kill, KILL_MS, KILL_MS);
}

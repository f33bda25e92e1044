/* Master and worker of a disposable cluster: two JVMs, children of init. Their environment holds
 * only what Spark needs, because a worker passes its environment on to executors. */
#include "base/clock.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "kernels/base/init_link.h"
#include "kernels/base/tape.h"
#include "kernels/spark/spark_priv.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum {
	ARGS_MAX = 64,
	ENV_MAX = 16,
	LOOK_MS = 100,
	UP_TIMEOUT_MS = 120 * 1000,
	LOOK_TIMEOUT_MS = 5000
};

static const char *const daemon_tags[SPARK_DAEMONS] = { "spark:master", "spark:worker" };

/* What Spark 4 needs opened on Java 17 and newer (JavaModuleOptions of spark-launcher). */
static const char *const opened[] = { "java.lang", "java.lang.invoke", "java.lang.reflect",
	"java.io", "java.net", "java.nio", "java.util", "java.util.concurrent",
	"java.util.concurrent.atomic", "jdk.internal.ref", "sun.nio.ch", "sun.nio.cs",
	"sun.security.action", "sun.util.calendar" };

struct words {
	char *list[ARGS_MAX + 1];
	size_t n;
};

static void add(struct words *w, char *word)
{
	if (w->n == ARGS_MAX)
		abort(); /* the lists below are fixed */
	w->list[w->n++] = word;
}

static void words_free(struct words *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->list[i]);
}

static void java_words(const struct spark *s, int which, struct words *w)
{
	add(w, cyg_xstrdup(s->stack.java));
	add(w, cyg_xstrdup("-XX:TieredStopAtLevel=1"));
	add(w, cyg_xstrdup("-XX:+UseSerialGC"));
	add(w, cyg_xstrdup("-Xss512k"));
	add(w, cyg_xasprintf("-Xmx%um", s->daemon_mb));
	for (size_t i = 0; i < CYG_N(opened); i++)
		add(w, cyg_xasprintf("--add-opens=java.base/%s=ALL-UNNAMED", opened[i]));
	add(w, cyg_xstrdup("-cp"));
	add(w, cyg_xstrdup(s->stack.class_path));
	add(w, cyg_xasprintf("org.apache.spark.deploy.%s",
		   which == SPARK_MASTER ? "master.Master" : "worker.Worker"));
	add(w, cyg_xstrdup("--host"));
	add(w, cyg_xstrdup("127.0.0.1"));
	add(w, cyg_xstrdup("--webui-port"));
	add(w,
	    cyg_xasprintf("%u", which == SPARK_MASTER ? s->ports.master_web : s->ports.worker_web));
	add(w, cyg_xstrdup("--properties-file"));
	add(w, cyg_xasprintf("%s/daemon/spark-defaults.conf", s->secrets_dir));
	if (which == SPARK_MASTER) {
		add(w, cyg_xstrdup("--port"));
		add(w, cyg_xasprintf("%u", s->ports.master));
		return;
	}
	add(w, cyg_xstrdup("--cores"));
	add(w, cyg_xasprintf("%u", s->worker_cores));
	add(w, cyg_xstrdup("--memory"));
	add(w, cyg_xasprintf("%um", s->worker_mb));
	add(w, cyg_xasprintf("spark://127.0.0.1:%u", s->ports.master));
}

/* Executors inherit the worker's environment: nothing of the agent's or the user's may be in it,
 * and without SPARK_SCALA_VERSION every executor would fail. */
static void daemon_env(const struct spark *s, struct words *w)
{
	static const struct {
		const char *name, *otherwise;
	} from_setup[] = { { "PATH", "/usr/bin:/bin" }, { "LD_LIBRARY_PATH", "" },
		{ "JAVA_HOME", "/usr" }, { "PYSPARK_PYTHON", "python3" }, { "HOME", "/" },
		{ "USER", "user" } };

	add(w, cyg_xasprintf("SPARK_HOME=%s", s->stack.home));
	add(w, cyg_xasprintf("SPARK_SCALA_VERSION=%s", s->stack.scala));
	add(w, cyg_xasprintf("SPARK_CONF_DIR=%s/empty", s->runtime_dir));
	add(w, cyg_xstrdup("SPARK_LOCAL_IP=127.0.0.1"));
	add(w, cyg_xasprintf("SPARK_WORKER_DIR=%s/work", s->runtime_dir));
	add(w, cyg_xasprintf("SPARK_LOCAL_DIRS=%s/local", s->runtime_dir));
	for (size_t i = 0; i < CYG_N(from_setup); i++)
		add(w,
		    cyg_xasprintf("%s=%s", from_setup[i].name,
			spark_stack_setup(&s->stack, from_setup[i].name, from_setup[i].otherwise)));
	add(w, cyg_xstrdup("LANG=C.UTF-8"));
}

static void on_started(
    void *arg, const struct init_child *child, int pty_fd, const struct cyg_err *err)
{
	struct spark *s = arg;

	cyg_close(pty_fd);
	if (child == NULL) {
		if (s->state == SPARK_STARTING)
			spark_fail(s, err->msg);
		return;
	}
	for (int i = 0; i < SPARK_DAEMONS; i++) {
		if (strcmp(child->tag, daemon_tags[i]) == 0)
			s->pids[i] = child->pid;
	}
	if (s->state != SPARK_STARTING)
		spark_daemons_stop(s); /* it failed meanwhile */
}

static int start_daemon(struct spark *s, int which, struct cyg_err *err)
{
	cyg_autofree char *log = cyg_xasprintf(
	    "%s/log/spark-%s.log", s->opts.run_dir, which == SPARK_MASTER ? "master" : "worker");
	struct words argv = { .n = 0 };
	struct words env = { .n = 0 };
	struct init_start_spec spec = {
		.tag = daemon_tags[which], .cwd = s->runtime_dir, .log = log
	};
	int rc;

	java_words(s, which, &argv);
	daemon_env(s, &env);
	spec.argv = (const char *const *)argv.list;
	spec.env = (const char *const *)env.list;
	rc = init_link_start(s->opts.init, &spec, on_started, s, err);
	words_free(&argv);
	words_free(&env);
	return rc < 0 ? cyg_wrap(err, "start %s", daemon_tags[which]) : 0;
}

/* Reads the master's /json/ page: has the worker registered? */
static void on_looked(void *arg, const struct http_result *result)
{
	struct spark *s = arg;
	struct tape *t = NULL;
	int64_t alive = 0;

	s->call = NULL;
	if (s->state != SPARK_STARTING)
		return;
	if (result->status == 200 && tape_parse(result->body, &t, NULL, NULL) == 0) {
		tape_node n = tape_find(t, tape_root(t), "aliveworkers");

		if (n != TAPE_NONE)
			(void)tape_int(t, n, &alive, NULL);
		tape_free(t);
	}
	if (alive > 0)
		spark_up(s);
}

static void on_look(uv_timer_t *timer)
{
	struct spark *s = timer->data;
	const struct http_call_spec spec = { .loopback_port = (uint16_t)s->ports.master_web,
		.method = "GET",
		.target = "/json/",
		.host = "127.0.0.1",
		.timeout_ms = LOOK_TIMEOUT_MS,
		.body_max = SPARK_ANSWER_MAX };

	if (cyg_clock_mono_ms() > s->deadline_ms) {
		spark_fail(s,
		    "the Spark cluster did not start in two minutes; log/spark-master.log and log/spark-worker.log in the server's run folder say more");
		return;
	}
	if (s->call == NULL)
		s->call = http_call_start(s->opts.loop, &spec, on_looked, s);
}

int spark_daemons_start(struct spark *s, struct cyg_err *err)
{
	int rc = start_daemon(s, SPARK_MASTER, err);

	/* The worker tries again until the master answers, so both JVMs start side by side. */
	if (rc == 0)
		rc = start_daemon(s, SPARK_WORKER, err);
	s->deadline_ms = cyg_clock_mono_ms() + UP_TIMEOUT_MS;
	(void)uv_timer_start(&s->timer, on_look, LOOK_MS, LOOK_MS);
	return rc;
}

void spark_daemons_stop(struct spark *s)
{
	struct cyg_err err;

	for (int i = 0; i < SPARK_DAEMONS; i++) {
		if (s->pids[i] == 0)
			continue;
		if (init_link_signal(s->opts.init, s->pids[i], SIGKILL, true, &err) < 0)
			cyg_log_warn("spark", "cannot end %s: %s", daemon_tags[i], err.msg);
		s->pids[i] = 0;
	}
}

void spark_on_child(struct spark *s, const struct init_child *child)
{
	for (int i = 0; s != NULL && i < SPARK_DAEMONS; i++) {
		if (strcmp(child->tag, daemon_tags[i]) == 0)
			s->pids[i] = child->pid;
	}
}

/* After a restart of the agent: the cluster is up when its configuration and both daemons (where it
 * has any) are there. Otherwise what is left of it is ended, and the next request starts a new one.
 */
void spark_settle(struct spark *s)
{
	cyg_autofree char *conf = NULL;
	bool local;

	if (s == NULL)
		return;
	local = s->kind != NULL && strcmp(s->kind, "local") == 0;
	conf = cyg_xasprintf("%s/driver/spark-defaults.conf", s->secrets_dir);
	if (access(conf, R_OK) == 0 &&
	    (local || (s->pids[SPARK_MASTER] != 0 && s->pids[SPARK_WORKER] != 0))) {
		spark_up(s);
	} else {
		spark_daemons_stop(s);
		spark_wipe(s);
	}
	spark_accept(s);
}

void spark_on_exited(struct spark *s, const struct init_exited *exited)
{
	char why[160];

	for (int i = 0; s != NULL && i < SPARK_DAEMONS; i++) {
		if (s->pids[i] == 0 || s->pids[i] != exited->pid)
			continue;
		s->pids[i] = 0;
		(void)snprintf(why, sizeof(why), "the cluster's %s ended (%s %d)%s",
		    i == SPARK_MASTER ? "master" : "worker",
		    exited->signal != 0 ? "signal" : "code",
		    exited->signal != 0 ? exited->signal : exited->status,
		    exited->oom != 0 ? ": out of memory" : "");
		if (s->state == SPARK_STARTING || s->state == SPARK_UP)
			spark_fail(s, why);
	}
}

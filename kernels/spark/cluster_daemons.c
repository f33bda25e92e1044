/* The daemons of a cluster: their start, their ends, and starting them again. Their environment
 * holds only what Spark needs, because a worker passes its environment on to executors. */
#include "base/clock.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "kernels/spark/cluster_priv.h"
#include "kernels/spark/jvm.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum {
	ENDED_MAX = 4,                  /* ends in a row, after which the cluster has failed */
	ENDED_FORGOTTEN_MS = 60 * 1000, /* one that lived so long starts counting anew */
};

void cluster_name_daemons(struct cluster *c)
{
	c->n_daemons =
	    c->answer->n_jvms > 0 ? c->answer->n_jvms - 1 : 0; /* the last is the driver */
	for (size_t i = 0; i < c->n_daemons; i++) {
		struct cluster_daemon *d = &c->daemons[i];

		d->cluster = c;
		d->jvm = &c->answer->jvms[i];
		d->ended = 0;
		(void)snprintf(d->tag, sizeof(d->tag), "spark:%.60s:%.40s", c->id, d->jvm->name);
	}
}

static void set_from_setup(
    struct env *env, const struct spark_stack *stack, const char *name, const char *otherwise)
{
	const char *value = spark_stack_setup(stack, name, otherwise);

	if (value != NULL)
		env_set(env, name, value);
}

static void make_env(const struct cluster *c, struct env *env)
{
	const struct spark_stack *stack = c->opts.stack;
	cyg_autofree char *conf = cyg_xasprintf("%s/runtime/spark/empty", c->opts.run_dir);

	env_init(env, NULL);
	env_set(env, "SPARK_CONF_DIR", conf);
	env_set(env, "LANG", "C.UTF-8");
	set_from_setup(env, stack, "PATH", "/usr/bin:/bin");
	set_from_setup(env, stack, "LD_LIBRARY_PATH", "");
	set_from_setup(env, stack, "JAVA_HOME", "/usr");
	set_from_setup(env, stack, "PYSPARK_PYTHON", "python3");
	set_from_setup(env, stack, "HOME", "/");
	set_from_setup(env, stack, "USER", "user");
	/* What user code imports on executors is what it imports in kernels. */
	set_from_setup(env, stack, "PYTHONPATH", NULL);
	set_from_setup(env, stack, "PYTHONNOUSERSITE", NULL);
	set_from_setup(env, stack, "PYTHONUSERBASE", NULL);
}

static void on_started(
    void *arg, const struct init_child *child, int pty_fd, const struct cyg_err *err)
{
	struct cluster_daemon *d = arg;
	struct cluster *c = d->cluster;

	cyg_close(pty_fd);
	if (d->unwanted > 0) {
		d->unwanted--;
		if (child != NULL)
			jvm_signal(c->opts.init, child->pid, SIGKILL);
		return;
	}
	d->is_starting = false;
	if (child != NULL)
		d->pid = child->pid;
	else
		cluster_fail(c, err->msg);
}

static void start(struct cluster_daemon *d)
{
	struct cluster *c = d->cluster;
	cyg_autofree char *cwd = cyg_xasprintf("%s/runtime/spark", c->opts.run_dir);
	cyg_autofree char *log =
	    c->opts.is_own
		? cyg_xasprintf("%s/log/spark-%s.log", c->opts.run_dir, d->jvm->name)
		: cyg_xasprintf("%s/log/spark-%s-%s.log", c->opts.run_dir, d->jvm->name, c->id);
	struct env env;
	const struct jvm_spec spec = { .stack = c->opts.stack,
		.archive = c->opts.archive,
		.answer = c->answer,
		.jvm = d->jvm,
		.fill = &c->fill,
		.tag = d->tag,
		.cwd = cwd,
		.log = log,
		.env = &env };
	struct cyg_err err;
	int rc;

	if (d->pid != 0 || d->is_starting)
		return;
	make_env(c, &env);
	d->is_starting = true;
	rc = jvm_start(c->opts.init, &spec, on_started, d, &err);
	env_free(&env);
	if (rc == 0)
		return;
	d->is_starting = false;
	cluster_fail(c, err.msg);
}

void cluster_start_first(struct cluster *c)
{
	start(&c->daemons[0]);
}

/* A worker that asks a master which does not listen yet would wait for seconds before it asks
 * again. */
void cluster_start_others(struct cluster *c)
{
	for (size_t i = 1; i < c->n_daemons && c->state != CLUSTER_FAILED; i++)
		start(&c->daemons[i]);
}

void cluster_end_daemons(struct cluster *c)
{
	for (size_t i = 0; i < CLUSTER_DAEMONS_MAX; i++) {
		struct cluster_daemon *d = &c->daemons[i];

		if (d->is_starting)
			d->unwanted++;
		d->is_starting = false;
		jvm_signal(c->opts.init, d->pid, SIGKILL);
		d->pid = 0;
	}
}

bool cluster_runs(const struct cluster *c)
{
	for (size_t i = 0; i < c->n_daemons; i++) {
		if (c->daemons[i].pid != 0)
			return true;
	}
	return false;
}

/* ---- ends ---- */

static struct cluster_daemon *find(struct cluster *c, const char *tag)
{
	for (size_t i = 0; i < c->n_daemons; i++) {
		if (strcmp(c->daemons[i].tag, tag) == 0)
			return &c->daemons[i];
	}
	return NULL;
}

bool cluster_on_child(struct cluster *c, const struct init_child *child)
{
	struct cluster_daemon *d = find(c, child->tag);

	if (d != NULL)
		d->pid = child->pid;
	return d != NULL;
}

/* The first daemon is the one that the others and the drivers ask. */
static void start_again(struct cluster_daemon *d, const char *how)
{
	struct cluster *c = d->cluster;
	const enum cluster_state to = d == &c->daemons[0] ? CLUSTER_STARTING : CLUSTER_OPEN;
	cyg_autofree char *news =
	    cyg_xasprintf("%s. It is being started again; what waits for it goes on then.", how);

	cyg_log_warn("spark", "cluster %s: %s", c->id, news);
	if (c->state == CLUSTER_UP || (c->state == CLUSTER_OPEN && to == CLUSTER_STARTING))
		cluster_move(c, to, "a daemon ended");
	cluster_look(c);
	start(d);
	if (c->state != CLUSTER_FAILED)
		c->opts.on_news(c->opts.arg, c, news);
}

static bool is_there(const struct cluster *c)
{
	return c->state == CLUSTER_STARTING || c->state == CLUSTER_OPEN || c->state == CLUSTER_UP;
}

bool cluster_on_exited(struct cluster *c, const struct init_exited *exited)
{
	struct cluster_daemon *d = find(c, exited->tag);
	const uint64_t now = cyg_clock_mono_ms();
	cyg_autofree char *what = NULL;
	cyg_autofree char *how = NULL;
	cyg_autofree char *why = NULL;

	if (d == NULL)
		return false;
	if (d->pid != exited->pid)
		return true; /* an earlier one, which we ended */
	d->pid = 0;
	if (!is_there(c))
		return true;
	d->ended = now - d->ended_ms > ENDED_FORGOTTEN_MS ? 1 : d->ended + 1;
	d->ended_ms = now;
	what = cyg_xasprintf("The Spark cluster's %s", d->jvm->name);
	how = jvm_end_text(what, exited);
	if (d->jvm->restart && d->ended < ENDED_MAX) {
		start_again(d, how);
		return true;
	}
	why = cyg_xasprintf(
	    "%s, again and again; log/spark-%s.log in the server's run folder says more.", how,
	    d->jvm->name);
	cluster_fail(c, why);
	return true;
}

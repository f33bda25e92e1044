/* Layers in, properties and JVMs out: the one place where a session is put together. */
#include "spark/session.h"

#include "base/mem.h"
#include "cygnet/spark_fill.h"
#include "spark/policy.h"

#include <string.h>

/* The settings of a render: what the plan says, the cluster's own, the user's, the policy's. */
static int render(const struct spark_session *s, const struct spark_session_ask *ask,
    const struct spark_policy *policy, struct spark_rendered **ret, struct cyg_err *err)
{
	const struct spark_setting name = { SPARK_LAYER_CLUSTER, SPARK_OP_SET, "spark.app.name",
		ask->app_name, NULL };
	const struct {
		const struct spark_setting *list;
		size_t n;
	} parts[] = { { &name, 1 }, { s->plan.settings, s->plan.n_settings },
		{ ask->cluster->settings, ask->cluster->n_settings },
		{ ask->settings, ask->n_settings } };
	cyg_autofree struct spark_setting *all = NULL;
	size_t n = 0;

	for (size_t i = 0; i < CYG_N(parts); i++)
		n += parts[i].n;
	all = cyg_xcalloc(n + SPARK_POLICY_MAX, sizeof(*all));
	n = 0;
	for (size_t i = 0; i < CYG_N(parts); i++) {
		if (parts[i].n > 0)
			memcpy(all + n, parts[i].list, parts[i].n * sizeof(*all));
		n += parts[i].n;
	}
	n += spark_policy_settings(policy, all + n);
	return spark_render(all, n, ret, err);
}

static struct spark_policy policy_of(const struct spark_session *s)
{
	return (struct spark_policy){ .version = { s->plan.ask.version[0], s->plan.ask.version[1],
					  s->plan.ask.version[2] },
		.secret = CYG_SPARK_SECRET_CLUSTER };
}

static int render_driver(
    struct spark_session *s, const struct spark_session_ask *ask, struct cyg_err *err)
{
	struct spark_policy policy = policy_of(s);
	int rc;

	policy.master_url = s->plan.master;
	rc = render(s, ask, &policy, &s->scripts, err);
	policy.ui_port = CYG_SPARK_PORT_UI;
	policy.ui_key = CYG_SPARK_SECRET_UI;
	if (ask->flavour == SPARK_FLAVOUR_CONNECT) {
		policy.connect_port = CYG_SPARK_PORT_CONNECT;
		policy.connect_token = CYG_SPARK_SECRET_TOKEN;
	}
	return rc < 0 ? rc : render(s, ask, &policy, &s->driver, err);
}

/* Master and worker get the crypto block and nothing of the driver's. */
static int render_daemons(struct spark_session *s, struct cyg_err *err)
{
	const struct spark_policy policy = policy_of(s);
	struct spark_setting all[SPARK_POLICY_MAX + 2];
	size_t n = spark_policy_settings(&policy, all);

	all[n++] = (struct spark_setting){ SPARK_LAYER_POLICY, SPARK_OP_SET,
		"spark.master.rest.enabled", "false", NULL };
	all[n++] = (struct spark_setting){ SPARK_LAYER_POLICY, SPARK_OP_SET,
		"spark.worker.cleanup.enabled", "true", NULL };
	return spark_render(all, n, &s->daemons, err);
}

static int check(const struct spark_session_ask *ask, struct cyg_err *err)
{
	if (spark_flavour_has(ask->flavour, ask->version))
		return 0;
	return cyg_fail(err, CYG_EINVAL,
	    "The flavour %s needs Spark 4.2 or newer; this environment has %d.%d.%d.",
	    spark_flavour_name(ask->flavour), ask->version[0], ask->version[1], ask->version[2]);
}

int spark_session_make(
    const struct spark_session_ask *ask, struct spark_session **ret, struct cyg_err *err)
{
	const struct spark_plan_ask plan = { .kind = ask->cluster->kind,
		.flavour = ask->flavour,
		.version = { ask->version[0], ask->version[1], ask->version[2] },
		.cores = ask->cores,
		.memory_mb = ask->memory_mb };
	struct spark_session *s;
	int rc = check(ask, err);

	if (rc < 0)
		return rc;
	s = cyg_xcalloc(1, sizeof(*s));
	cyg_arena_init(&s->arena_);
	s->id = cyg_arena_dup(&s->arena_, cyg_str_of(ask->cluster->id));
	s->label = cyg_arena_dup(&s->arena_, cyg_str_of(ask->cluster->label));
	spark_plan_make(&plan, &s->arena_, &s->plan);
	rc = render_driver(s, ask, err);
	if (rc == 0)
		rc = render_daemons(s, err);
	if (rc == 0)
		rc = spark_plan_daemons(&s->plan, s->driver, &s->arena_, s->jvms, &s->n_jvms, err);
	if (rc < 0) {
		spark_session_free(s);
		return rc;
	}
	*ret = s;
	return 0;
}

void spark_session_free(struct spark_session *s)
{
	if (s == NULL)
		return;
	spark_rendered_free(s->driver);
	spark_rendered_free(s->scripts);
	spark_rendered_free(s->daemons);
	cyg_arena_free(&s->arena_);
	free(s);
}

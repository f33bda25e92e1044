/* Everything that one session gets: the plan, the properties of driver, scripts and daemons, and
 * the JVMs, as the response to the agent. Pure; no secret is in it: the places that the agent fills
 * (cygnet/spark_fill.h) stand for them. */
#ifndef SPARK_SESSION_H
#define SPARK_SESSION_H

#include "spark/catalogue.h"
#include "spark/plan.h"

#include <jansson.h>

/* Borrowed for the call. */
struct spark_session_ask {
	const struct spark_cluster *cluster;
	enum spark_flavour flavour;
	int version[3];
	unsigned cores, memory_mb;            /* of the server */
	const char *app_name;                 /* every layer may change it */
	const struct spark_setting *settings; /* of the layers bundles to connect */
	size_t n_settings;
};

struct spark_session {
	struct spark_plan plan;
	struct spark_rendered *driver;  /* of the session's driver */
	struct spark_rendered *scripts; /* of what the user starts: no lock on the UI, no port */
	struct spark_rendered *daemons; /* of master and worker, where there are any */
	struct spark_daemon jvms[SPARK_DAEMONS_MAX];
	size_t n_jvms;
	const char *id, *label;  /* of the cluster */
	struct cyg_arena arena_; /* private */
};

/* Fails with a sentence for the user that names what is wrong. */
int spark_session_make(
    const struct spark_session_ask *ask, struct spark_session **ret, struct cyg_err *err);
/* NULL is accepted. */
void spark_session_free(struct spark_session *s);

/* ---- session_json.c ---- */
/* {"cluster", "flavour", "properties", "files", "environment", "daemons"}; a new object, or NULL
 * with *err. */
json_t *spark_session_json(const struct spark_session *s, struct cyg_err *err);
/* [{"name", "value" (null: secret or forbidden), "secret", "layer", "locked",
 *   "lost": [{"layer", "value", "why"}]}]; a new array. */
json_t *spark_properties_json(const struct spark_rendered *r);

#endif

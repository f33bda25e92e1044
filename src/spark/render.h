/* Spark's properties from layers: a pure function. Each layer may set, append to, forbid or lock a
 * property; the result keeps, for every property, which layer its value came from and what lost.
 * Order: cluster < site < bundles < user < notebook < this connect < policy; policy always wins. */
#ifndef SPARK_RENDER_H
#define SPARK_RENDER_H

#include "base/arena.h"
#include "base/buf.h"

enum spark_layer {
	SPARK_LAYER_CLUSTER,
	SPARK_LAYER_SITE,
	SPARK_LAYER_BUNDLES,
	SPARK_LAYER_USER,
	SPARK_LAYER_NOTEBOOK,
	SPARK_LAYER_CONNECT,
	SPARK_LAYER_POLICY,
	SPARK_LAYERS,
};

enum spark_op {
	SPARK_OP_SET,
	SPARK_OP_APPEND, /* to what lower layers say, with a separator; like SET when they say
			    nothing */
	SPARK_OP_FORBID, /* the property is left out, and no later layer but policy may set it */
	SPARK_OP_LOCK,   /* like SET, and no later layer but policy may change it */
	/* Of option bundles, as SWAN merges them. */
	SPARK_OP_OFFER, /* like SET, unless its own layer has set it already */
	SPARK_OP_JOIN,  /* like APPEND, and appended as well to what later layers but policy set */
};

enum { SPARK_SETTINGS_MAX = 2000, SPARK_NAME_MAX = 256, SPARK_VALUE_MAX = 16 * 1024 };

struct spark_setting {
	enum spark_layer layer;
	enum spark_op op;
	const char *name;      /* "spark.executor.memory" */
	const char *value;     /* NULL with FORBID */
	const char *separator; /* of APPEND and JOIN; NULL: "," */
};

/* A value that did not make it into the property, and why: "overridden", "locked", "forbidden". */
struct spark_lost {
	enum spark_layer layer;
	const char *value; /* of the losing setting; "" for a forbid that policy overruled */
	const char *why;
};

struct spark_property {
	const char *name;
	const char *value;      /* NULL: forbidden, not rendered */
	enum spark_layer layer; /* the layer that set it last */
	bool locked;            /* by a LOCK or by policy */
	bool secret;            /* its value is never shown: see spark_is_secret */
	struct spark_lost *lost;
	size_t n_lost;
};

struct spark_rendered {
	struct spark_property *properties; /* sorted by name */
	size_t n;
	struct cyg_arena *arena_; /* private */
};

/* settings may come in any order; within a layer the later one wins. Names are [A-Za-z0-9._-] and
 * start with "spark."; values are text without line ends, and what becomes of them may not begin or
 * end with a blank. Bad ones fail naming the layer and the property. */
int spark_render(const struct spark_setting *settings, size_t n, struct spark_rendered **ret,
    struct cyg_err *err);
void spark_rendered_free(struct spark_rendered *r);
/* The value, or NULL. */
const char *spark_rendered_get(const struct spark_rendered *r, const char *name);
/* The word for a layer, as the API and the page say it: "cluster", "policy". */
const char *spark_layer_name(enum spark_layer layer);
/* Spark's own redaction pattern (spark.redaction.regex: secret, password, token, access key), and
 * the credentials of extraJavaOptions are not guessed at. */
bool spark_is_secret(const char *name);
/* Appends spark-defaults.conf: one property a line, escaped as java.util.Properties reads it,
 * secrets included. */
int spark_write_defaults(const struct spark_rendered *r, struct cyg_buf *out, struct cyg_err *err);

#endif

/* What follows from the size of a server and the kind of its cluster: memory, cores, the settings
 * that are our defaults, and the JVMs to start. Pure. A kind of cluster is one row of a table here;
 * the places that the agent fills in are those of cygnet/spark_fill.h. */
#ifndef SPARK_PLAN_H
#define SPARK_PLAN_H

#include "spark/render.h"

enum spark_kind {
	SPARK_KIND_LOCAL,      /* inside the driver */
	SPARK_KIND_DISPOSABLE, /* a standalone cluster for one server alone, inside its own limits
				*/
	SPARK_KINDS,
};

/* NULL-ended, by number. */
extern const char *const spark_kind_names[];
const char *spark_kind_name(enum spark_kind kind);

enum spark_flavour {
	SPARK_FLAVOUR_CLASSIC, /* the driver is a Py4J gateway */
	SPARK_FLAVOUR_CONNECT, /* the driver is a Connect server: Spark 4.2 and newer */
	SPARK_FLAVOURS,
};

const char *spark_flavour_name(enum spark_flavour flavour);
/* False when there is none of that name. */
bool spark_flavour_find(const char *name, enum spark_flavour *ret);
/* Whether this version of Spark has it. */
bool spark_flavour_has(enum spark_flavour flavour, const int version[3]);

struct spark_plan_ask {
	enum spark_kind kind;
	enum spark_flavour flavour;
	int version[3];            /* of Spark */
	unsigned cores, memory_mb; /* of the server; 0 cores count as one */
};

/* All zero where the kind has no such process. */
struct spark_sizes {
	unsigned driver_mb;                              /* heap */
	unsigned executor_mb, executor_cores, executors; /* of each; at most for one application */
	unsigned daemon_mb;                              /* heap of each daemon */
	unsigned worker_mb, worker_cores;                /* what the worker offers */
};

struct spark_plan {
	struct spark_plan_ask ask;
	struct spark_sizes sizes;
	bool has_cluster;               /* a master, a worker and executors beside the driver */
	const char *master;             /* value of spark.master */
	struct spark_setting *settings; /* of layer cluster; every later layer may change them */
	size_t n_settings;
};

/* Borrowed for as long as the arena and the properties live. */
struct spark_daemon {
	const char *name; /* "master", "worker", "driver" */
	const char *main_class;
	unsigned heap_mb;
	const char **jvm_options;
	size_t n_jvm_options;
	const char **class_path_extra; /* before Spark's own jars */
	size_t n_class_path_extra;
	const char *library_path_extra; /* before LD_LIBRARY_PATH; NULL: none */
	const char **arguments;
	size_t n_arguments;
	const char *(*environment)[2]; /* name and value */
	size_t n_environment;
	bool restart; /* started again when it ends by itself; else its end is told */
};

enum { SPARK_DAEMONS_MAX = 4, SPARK_WORDS_MAX = 256 };

/* The sizes and settings; everything is in the arena. */
void spark_plan_make(
    const struct spark_plan_ask *ask, struct cyg_arena *arena, struct spark_plan *ret);
/* The JVMs in the order of their start, the driver last: its heap, options and class path are those
 * of the session's rendered properties. Fails with a sentence when a property cannot be read. */
int spark_plan_daemons(const struct spark_plan *plan, const struct spark_rendered *session,
    struct cyg_arena *arena, struct spark_daemon ret[SPARK_DAEMONS_MAX], size_t *n,
    struct cyg_err *err);

#endif

/* Sizes and default settings by kind of cluster: the table at the top, then what follows from it.
 * The JVMs are jvms.c's; what the policy demands is policy.c's. */
#include "spark/plan.h"

#include "base/mem.h"
#include "cygnet/spark_fill.h"

#include <string.h>

enum {
	OVERHEAD_MB =
	    1536,        /* what is not a heap: the kernel, four JVMs' own memory, Python workers */
	DAEMON_MB = 256, /* heap of master and worker each */
	HEAP_MIN_MB = 512,
	DRIVER_MAX_MB = 16 * 1024,   /* what one collects; the rest is worth more in executors */
	EXECUTOR_MAX_MB = 24 * 1024, /* of one JVM: below 32 GB its pointers stay short */
	/* How many applications get executors side by side: notebooks and terminals of one user.
	 * Their heaps grow only with what they hold, and who has no work gives its executors back,
	 * so this may promise more than the server has; the kernel's limit stands behind it. */
	PLACES = 4,
	SETTINGS_MAX = 24,
};

struct row {
	const char *name;
	char *(*master)(struct cyg_arena *arena, unsigned cores);
	bool has_cluster; /* a master, a worker and executors beside the driver */
};

static char *local_master(struct cyg_arena *arena, unsigned cores)
{
	return cyg_arena_printf(arena, "local[%u]", cores);
}

static char *disposable_master(struct cyg_arena *arena, unsigned cores)
{
	(void)cores;
	return cyg_arena_dup(arena, CYG_STR("spark://127.0.0.1:" CYG_SPARK_PORT_MASTER));
}

static const struct row rows[SPARK_KINDS] = {
	[SPARK_KIND_LOCAL] = { "local", local_master, false },
	[SPARK_KIND_DISPOSABLE] = { "disposable", disposable_master, true },
};
const char *const spark_kind_names[] = { "local", "disposable", NULL };

const char *spark_kind_name(enum spark_kind kind)
{
	return rows[kind].name;
}

static const char *const flavour_names[SPARK_FLAVOURS] = { "classic", "connect" };

const char *spark_flavour_name(enum spark_flavour flavour)
{
	return flavour_names[flavour];
}

bool spark_flavour_find(const char *name, enum spark_flavour *ret)
{
	for (size_t i = 0; i < SPARK_FLAVOURS; i++) {
		if (strcmp(name, flavour_names[i]) == 0) {
			*ret = (enum spark_flavour)i;
			return true;
		}
	}
	return false;
}

bool spark_flavour_has(enum spark_flavour flavour, const int version[3])
{
	return flavour == SPARK_FLAVOUR_CLASSIC || version[0] > 4 ||
	       (version[0] == 4 && version[1] >= 2);
}

/* ---- sizes ---- */

static unsigned at_least(unsigned n, unsigned min)
{
	return n > min ? n : min;
}

static unsigned at_most(unsigned n, unsigned max)
{
	return n < max ? n : max;
}

/* Half of what is left goes to the driver, as far as that makes sense; the executors of one
 * application get the rest and all cores, in few large JVMs. */
static void share(unsigned cores, unsigned left_mb, struct spark_sizes *s)
{
	unsigned share_mb;

	s->driver_mb = at_most(at_least(left_mb / 2, HEAP_MIN_MB), DRIVER_MAX_MB);
	share_mb = at_least(left_mb > s->driver_mb ? left_mb - s->driver_mb : 0, HEAP_MIN_MB);
	s->executors =
	    at_least(at_most((share_mb + EXECUTOR_MAX_MB - 1) / EXECUTOR_MAX_MB, cores), 1);
	s->executor_mb = share_mb / s->executors;
	s->executor_cores = cores / s->executors;
	s->daemon_mb = DAEMON_MB;
	s->worker_mb = PLACES * s->executors * s->executor_mb;
	s->worker_cores = PLACES * s->executors * s->executor_cores;
}

static struct spark_sizes sizes_of(const struct spark_plan_ask *ask)
{
	struct spark_sizes s = { 0 };
	const unsigned kept =
	    OVERHEAD_MB + (rows[ask->kind].has_cluster ? 2 * (unsigned)DAEMON_MB : 0);
	const unsigned left = ask->memory_mb > kept ? ask->memory_mb - kept : 0;

	if (rows[ask->kind].has_cluster)
		share(at_least(ask->cores, 1), left, &s);
	else
		s.driver_mb = at_least(left, HEAP_MIN_MB);
	return s;
}

/* ---- settings ---- */

struct list {
	struct cyg_arena *arena;
	struct spark_plan *plan;
};

static void set(struct list *l, const char *name, const char *value)
{
	l->plan->settings[l->plan->n_settings++] =
	    (struct spark_setting){ SPARK_LAYER_CLUSTER, SPARK_OP_SET, name, value, NULL };
}

static void set_number(struct list *l, const char *name, unsigned n, const char *unit)
{
	set(l, name, cyg_arena_printf(l->arena, "%u%s", n, unit));
}

/* Executors come with work and go without it, so that no number of applications can hold all places
 * for good. What they wrote for shuffles, and what they cache, holds them a while longer and not
 * for ever, as Spark would have it. */
static void set_executors(struct list *l, const struct spark_sizes *s)
{
	set_number(l, "spark.executor.memory", s->executor_mb, "m");
	set_number(l, "spark.executor.cores", s->executor_cores, "");
	set_number(l, "spark.cores.max", s->executors * s->executor_cores, "");
	set(l, "spark.dynamicAllocation.enabled", "true");
	set(l, "spark.dynamicAllocation.shuffleTracking.enabled", "true");
	set(l, "spark.dynamicAllocation.minExecutors", "0");
	set(l, "spark.dynamicAllocation.initialExecutors", "1");
	set_number(l, "spark.dynamicAllocation.maxExecutors", s->executors, "");
	set(l, "spark.dynamicAllocation.executorIdleTimeout", "60s");
	set(l, "spark.dynamicAllocation.shuffleTracking.timeout", "60s");
	set(l, "spark.dynamicAllocation.cachedExecutorIdleTimeout", "30min");
}

void spark_plan_make(
    const struct spark_plan_ask *ask, struct cyg_arena *arena, struct spark_plan *ret)
{
	struct list l = { arena, ret };

	*ret = (struct spark_plan){
		.ask = *ask, .sizes = sizes_of(ask), .has_cluster = rows[ask->kind].has_cluster
	};
	ret->settings = cyg_arena_alloc(arena, SETTINGS_MAX * sizeof(*ret->settings));
	ret->master = rows[ask->kind].master(arena, at_least(ask->cores, 1));
	set_number(&l, "spark.driver.memory", ret->sizes.driver_mb, "m");
	set(&l, "spark.ui.showConsoleProgress", "false");
	if (ret->has_cluster)
		set_executors(&l, &ret->sizes);
	/* A session of the agent's ends when the agent says so. */
	if (ask->flavour == SPARK_FLAVOUR_CONNECT)
		set(&l, "spark.connect.session.manager.defaultSessionTimeout", "30d");
}

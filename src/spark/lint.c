/* The lint: what a value must be, what hurts (a table), and what the server does not have. */
#include "spark/lint.h"

#include "base/mem.h"
#include "base/num.h"
#include "spark/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NEAREST_MAX = 16 /* names for which the nearest one is looked for */ };

#define MB (1024ULL * 1024)

struct lint {
	const struct spark_lint_ask *ask;
	struct cyg_arena *arena;
	struct spark_lint_item *items;
	size_t n;
	size_t looked_for;
};

static void say_nearest(struct lint *l, const char *name, const char *text, const char *nearest)
{
	if (l->n < SPARK_LINT_MAX)
		l->items[l->n++] =
		    (struct spark_lint_item){ name, SPARK_LINT_WARNING, text, nearest };
}

static void say(struct lint *l, const char *name, enum spark_lint_level level, const char *text)
{
	if (l->n < SPARK_LINT_MAX)
		l->items[l->n++] = (struct spark_lint_item){ name, level, text, NULL };
}

static bool is_users(enum spark_layer layer)
{
	return layer >= SPARK_LAYER_BUNDLES && layer <= SPARK_LAYER_CONNECT;
}

/* ---- values ---- */

static bool is_double(const char *value)
{
	char *end = NULL;
	double d = strtod(value, &end);

	return value[0] != '\0' && *end == '\0' && isfinite(d);
}

static bool is_int(const char *value)
{
	uint64_t n;

	return cyg_num_parse_u64(
		   cyg_str_of(value[0] == '-' ? value + 1 : value), 0, INT64_MAX, &n, NULL) == 0;
}

/* What the value must be when it is not that; NULL when it is. A value with a reference such as
 * ${env:X} is Spark's to resolve. */
static const char *wrong_type(const struct spark_option *o, const char *value)
{
	uint64_t n;

	switch (o->type) {
	case SPARK_TYPE_BOOLEAN:
		return cyg_str_case_eq(cyg_str_of(value), "true") ||
			       cyg_str_case_eq(cyg_str_of(value), "false")
			   ? NULL
			   : "true or false";
	case SPARK_TYPE_INT:
		return is_int(value) ? NULL : "a whole number";
	case SPARK_TYPE_DOUBLE:
		return is_double(value) ? NULL : "a number such as 0.6";
	case SPARK_TYPE_BYTES:
		return value[0] == '-' || spark_size_parse(value, 1, &n, NULL) == 0
			   ? NULL
			   : "a size such as 512m or 2g";
	case SPARK_TYPE_TIME:
		return value[0] == '-' || spark_time_parse(value, 1, &n, NULL) == 0
			   ? NULL
			   : "a time such as 30s or 5min";
	case SPARK_TYPE_TEXT:
		break;
	}
	return NULL;
}

/* Names below these are whatever somebody likes. */
static bool is_free(const char *name)
{
	static const char *const prefixes[] = { "spark.hadoop.", "spark.executorEnv.",
		"spark.yarn.appMasterEnv.", "spark.kubernetes.", "spark.sql.catalog.",
		"spark.metrics.conf.", "spark.ui.filter.", "spark.driver.resource.",
		"spark.executor.resource.", "spark.task.resource.", "spark.app." };

	for (size_t i = 0; i < CYG_N(prefixes); i++) {
		if (cyg_str_starts(cyg_str_of(name), prefixes[i]))
			return true;
	}
	return false;
}

static void check_unknown(struct lint *l, const char *name)
{
	const char *nearest = NULL;

	if (is_free(name))
		return;
	if (l->looked_for++ < NEAREST_MAX)
		nearest = spark_options_nearest(l->ask->known, name);
	if (nearest != NULL)
		say_nearest(l, name,
		    cyg_arena_printf(
			l->arena, "Spark does not know %s; did you mean %s?", name, nearest),
		    nearest);
	else
		say(l, name, SPARK_LINT_WARNING,
		    cyg_arena_printf(l->arena,
			"Spark does not know %s; it has an effect only if a library reads it.",
			name));
}

static void check_values(struct lint *l, const struct spark_option *o, const char *value)
{
	cyg_autobuf struct cyg_buf list;

	cyg_buf_init(&list, 1000);
	for (size_t i = 0; i < o->values.n; i++) {
		if (cyg_str_case_eq(cyg_str_of(value), o->values.list[i]))
			return;
	}
	for (size_t i = 0; i < o->values.n; i++)
		(void)cyg_buf_printf(&list, NULL, "%s%s", i > 0 ? ", " : "", o->values.list[i]);
	say(l, o->name, SPARK_LINT_ERROR,
	    cyg_arena_printf(
		l->arena, "%s must be one of %s, not '%.80s'.", o->name, list.data, value));
}

static void check_known(struct lint *l, const struct spark_property *p)
{
	const struct spark_option *o = spark_options_find(l->ask->known, p->name);
	const char *must_be;

	if (o == NULL && l->ask->known->is_complete)
		check_unknown(l, p->name);
	if (o == NULL || strchr(p->value, '$') != NULL)
		return;
	must_be = wrong_type(o, p->value);
	if (must_be != NULL)
		say(l, p->name, SPARK_LINT_ERROR,
		    cyg_arena_printf(l->arena, "%s must be %s, not '%.80s'.", p->name, must_be,
			p->secret ? "…" : p->value));
	else if (o->values.n > 0 && !p->secret)
		check_values(l, o, p->value);
}

/* ---- what hurts ---- */

enum when { IS, HAS, MORE_BYTES, MORE_THAN, ANY };

/* Options that are known to hurt, each with why. */
static const struct {
	const char *name;
	enum when when;
	const char *value; /* text of IS and HAS */
	uint64_t limit;    /* of MORE_… */
	const char *why;
} hurting[] = {
	{ "spark.driver.extraJavaOptions", HAS, "TieredStopAtLevel=1", 0,
	    "it makes everything that computes four to seven times slower" },
	{ "spark.executor.extraJavaOptions", HAS, "TieredStopAtLevel=1", 0,
	    "it makes everything that computes four to seven times slower" },
	{ "spark.executor.extraJavaOptions", HAS, "UseSerialGC", 0,
	    "one core alone collects garbage then, and all tasks wait for it" },
	{ "spark.dynamicAllocation.enabled", IS, "false", 0,
	    "the application keeps its executors for good, and other notebooks of yours may wait for ever" },
	{ "spark.dynamicAllocation.shuffleTracking.enabled", IS, "false", 0,
	    "without a shuffle service, executors that go take their shuffle files with them" },
	{ "spark.sql.adaptive.enabled", IS, "false", 0,
	    "Spark then no longer joins small partitions, nor splits skewed ones" },
	{ "spark.sql.adaptive.coalescePartitions.enabled", IS, "false", 0,
	    "every shuffle then has spark.sql.shuffle.partitions tasks, however little it moves" },
	{ "spark.sql.shuffle.partitions", MORE_THAN, NULL, 10000,
	    "thousands of tiny tasks cost more than they compute" },
	{ "spark.sql.autoBroadcastJoinThreshold", MORE_BYTES, NULL, 1024 * MB,
	    "the driver collects the whole table before it is sent, and dies of it" },
	{ "spark.driver.maxResultSize", IS, "0", 0,
	    "a collect() of too much then ends the driver instead of being refused" },
	{ "spark.kryoserializer.buffer.max", MORE_BYTES, NULL, 2047 * MB,
	    "Spark refuses 2048m and more" },
	{ "spark.speculation", IS, "true", 0,
	    "on one machine the copy of a slow task takes the core that the task needs" },
	{ "spark.ui.enabled", IS, "false", 0,
	    "progress under the cells, and cancelling, need the UI" },
	{ "spark.ui.retainedTasks", MORE_THAN, NULL, 1000000,
	    "the driver keeps them all in its memory" },
	{ "spark.python.worker.reuse", IS, "false", 0,
	    "every task then starts a Python of its own" },
	{ "spark.sql.execution.arrow.pyspark.enabled", IS, "false", 0,
	    "toPandas() and pandas UDFs then move row by row, ten times slower or more" },
	{ "spark.jars.packages", ANY, NULL, 0,
	    "the packages are downloaded at each start; without a way to their repository, Spark does not start" },
	{ "spark.executor.instances", ANY, NULL, 0,
	    "executors come and go with the work here; it is only how many there are at first" },
	{ "spark.rpc.message.maxSize", MORE_THAN, NULL, 2047, "Spark refuses more than 2047" },
	{ "spark.memory.fraction", IS, "1", 0,
	    "nothing is left for your own objects: executors die of it" },
};

static bool hurts(size_t i, const char *value)
{
	uint64_t n = 0;

	switch (hurting[i].when) {
	case IS:
		return cyg_str_case_eq(cyg_str_of(value), hurting[i].value);
	case HAS:
		return strstr(value, hurting[i].value) != NULL;
	case MORE_BYTES:
		return spark_size_parse(value, 1, &n, NULL) == 0 && n > hurting[i].limit;
	case MORE_THAN:
		return cyg_num_parse_u64(cyg_str_of(value), 0, UINT64_MAX, &n, NULL) == 0 &&
		       n > hurting[i].limit;
	case ANY:
		return value[0] != '\0';
	}
	return false;
}

static void check_hurting(struct lint *l, const struct spark_property *p)
{
	for (size_t i = 0; i < CYG_N(hurting); i++) {
		if (strcmp(hurting[i].name, p->name) == 0 && hurts(i, p->value))
			say(l, p->name, SPARK_LINT_WARNING,
			    cyg_arena_printf(
				l->arena, "%s %.80s: %s.", p->name, p->value, hurting[i].why));
	}
}

/* ---- what the server does not have ---- */

static bool was_set(const struct lint *l, const char *name)
{
	const struct spark_rendered *r = l->ask->rendered;

	for (size_t i = 0; i < r->n; i++) {
		if (strcmp(r->properties[i].name, name) == 0)
			return is_users(r->properties[i].layer);
	}
	return false;
}

/* Bytes of a size that is there and can be read, else 0. */
static uint64_t size_of(const struct lint *l, const char *name, uint64_t bare)
{
	const char *value = spark_rendered_get(l->ask->rendered, name);
	uint64_t n = 0;

	return value != NULL && spark_size_parse(value, bare, &n, NULL) == 0 ? n : 0;
}

static uint64_t number_of(const struct lint *l, const char *name)
{
	const char *value = spark_rendered_get(l->ask->rendered, name);
	uint64_t n = 0;

	return value != NULL && cyg_num_parse_u64(cyg_str_of(value), 0, UINT32_MAX, &n, NULL) == 0
		   ? n
		   : 0;
}

/* "4 GB" or "2560 MB". */
static const char *words_of(struct lint *l, uint64_t mb)
{
	return mb % 1024 == 0 ? cyg_arena_printf(l->arena, "%llu GB", (unsigned long long)mb / 1024)
			      : cyg_arena_printf(l->arena, "%llu MB", (unsigned long long)mb);
}

static void check_memory(struct lint *l, const char *name)
{
	const unsigned has_mb = l->ask->plan->ask.memory_mb;
	const char *value = spark_rendered_get(l->ask->rendered, name);

	if (was_set(l, name) && has_mb > 0 && size_of(l, name, MB) > has_mb * MB)
		say(l, name, SPARK_LINT_ERROR,
		    cyg_arena_printf(l->arena, "%s %s, but this server has %s.", name, value,
			words_of(l, has_mb)));
}

/* A worker never starts an executor that is larger than what it offers: the job would wait. */
static void check_executor(struct lint *l)
{
	const struct spark_sizes *s = &l->ask->plan->sizes;
	const char *value = spark_rendered_get(l->ask->rendered, "spark.memory.offHeap.enabled");
	const bool off_heap = value != NULL && cyg_str_case_eq(cyg_str_of(value), "true");
	const uint64_t all = size_of(l, "spark.executor.memory", MB) +
			     size_of(l, "spark.executor.pyspark.memory", MB) +
			     (off_heap ? size_of(l, "spark.memory.offHeap.size", 1) : 0);
	static const char *const parts[] = { "spark.executor.memory", "spark.memory.offHeap.size",
		"spark.executor.pyspark.memory" };

	for (size_t i = 0; i < CYG_N(parts); i++)
		check_memory(l, parts[i]);
	if (s->worker_mb > 0 && all > s->worker_mb * MB &&
	    size_of(l, parts[0], MB) <= l->ask->plan->ask.memory_mb * MB)
		say(l, parts[0], SPARK_LINT_ERROR,
		    cyg_arena_printf(l->arena,
			"An executor of this size needs %s, and the cluster in this server has %s: jobs would wait for ever.",
			words_of(l, all / MB), words_of(l, s->worker_mb)));
}

/* Driver and executors side by side. */
static void check_together(struct lint *l)
{
	const unsigned has_mb = l->ask->plan->ask.memory_mb;
	const uint64_t driver = size_of(l, "spark.driver.memory", MB) / MB;
	const uint64_t executor =
	    l->ask->plan->has_cluster ? size_of(l, "spark.executor.memory", MB) / MB : 0;
	const char *name =
	    was_set(l, "spark.driver.memory") ? "spark.driver.memory" : "spark.executor.memory";

	if (!was_set(l, name) || driver > has_mb || executor > has_mb ||
	    driver + executor <= has_mb)
		return;
	say(l, name, SPARK_LINT_WARNING,
	    cyg_arena_printf(l->arena,
		"Driver and executor may grow to %s together, but this server has %s: it may be ended when both are full.",
		words_of(l, driver + executor), words_of(l, has_mb)));
}

static void check_cores(struct lint *l)
{
	const unsigned has = l->ask->plan->ask.cores > 0 ? l->ask->plan->ask.cores : 1;
	const uint64_t cores = number_of(l, "spark.executor.cores");
	const uint64_t most = number_of(l, "spark.cores.max");
	const uint64_t task = number_of(l, "spark.task.cpus");

	if (!l->ask->plan->has_cluster)
		return;
	if (was_set(l, "spark.executor.cores") && cores > has)
		say(l, "spark.executor.cores", SPARK_LINT_ERROR,
		    cyg_arena_printf(l->arena, "spark.executor.cores %llu, but this server has %u.",
			(unsigned long long)cores, has));
	if ((was_set(l, "spark.cores.max") || was_set(l, "spark.executor.cores")) && most > 0 &&
	    cores > most)
		say(l, was_set(l, "spark.cores.max") ? "spark.cores.max" : "spark.executor.cores",
		    SPARK_LINT_ERROR,
		    cyg_arena_printf(l->arena,
			"An executor takes %llu cores and the application may have %llu: jobs would wait for ever.",
			(unsigned long long)cores, (unsigned long long)most));
	if (was_set(l, "spark.task.cpus") && cores > 0 && task > cores)
		say(l, "spark.task.cpus", SPARK_LINT_ERROR,
		    cyg_arena_printf(l->arena,
			"A task takes %llu cores and an executor has %llu: no task could run.",
			(unsigned long long)task, (unsigned long long)cores));
}

/* ---- what does not count ---- */

static void check_lost(struct lint *l, const struct spark_property *p)
{
	for (size_t i = 0; i < p->n_lost; i++) {
		const bool is_policy =
		    p->layer == SPARK_LAYER_POLICY && strcmp(p->lost[i].why, "overridden") == 0;

		if (!is_users(p->lost[i].layer) ||
		    (!is_policy && strcmp(p->lost[i].why, "overridden") == 0))
			continue;
		say(l, p->name, SPARK_LINT_WARNING,
		    cyg_arena_printf(l->arena,
			p->value == NULL ? "%s may not be set here; what was given does not count."
					 : "%s is fixed here; what was given does not count.",
			p->name));
		return;
	}
}

size_t spark_lint(const struct spark_lint_ask *ask, struct cyg_arena *arena,
    struct spark_lint_item ret[SPARK_LINT_MAX])
{
	struct lint l = { .ask = ask, .arena = arena, .items = ret };

	for (size_t i = 0; i < ask->rendered->n; i++) {
		const struct spark_property *p = &ask->rendered->properties[i];

		check_lost(&l, p);
		if (!is_users(p->layer) || p->value == NULL)
			continue;
		if (ask->known != NULL)
			check_known(&l, p);
		check_hurting(&l, p);
	}
	check_memory(&l, "spark.driver.memory");
	if (ask->plan->has_cluster)
		check_executor(&l);
	check_together(&l);
	check_cores(&l);
	return l.n;
}

json_t *spark_lint_json(const struct spark_lint_item *items, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(
		    list, json_pack("{s:s, s:s, s:s, s:s?}", "name", items[i].name, "level",
			      items[i].level == SPARK_LINT_ERROR ? "error" : "warning", "text",
			      items[i].text, "nearest", items[i].nearest));
	return list;
}

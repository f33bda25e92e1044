/* The JVMs of a plan: master and worker of a cluster, and the driver of a session with what Spark's
 * launcher would make of its properties. */
#include "base/mem.h"
#include "cygnet/spark_fill.h"
#include "spark/plan.h"
#include "spark/words.h"

#include <string.h>

/* JavaModuleOptions of Spark's launcher, by the first version that has them: without it Spark does
 * not run on Java 17 and newer, and Java 8 ignores what it does not know. */
static const struct {
	int major, minor;
	const char *option;
} module_options[] = {
	{ 3, 3, "-XX:+IgnoreUnrecognizedVMOptions" },
	{ 4, 0, "--add-modules=jdk.incubator.vector" },
	{ 3, 3, "--add-opens=java.base/java.lang=ALL-UNNAMED" },
	{ 3, 3, "--add-opens=java.base/java.lang.invoke=ALL-UNNAMED" },
	{ 3, 3, "--add-opens=java.base/java.lang.reflect=ALL-UNNAMED" },
	{ 3, 3, "--add-opens=java.base/java.io=ALL-UNNAMED" },
	{ 3, 3, "--add-opens=java.base/java.net=ALL-UNNAMED" },
	{ 3, 3, "--add-opens=java.base/java.nio=ALL-UNNAMED" },
	{ 3, 3, "--add-opens=java.base/java.util=ALL-UNNAMED" },
	{ 3, 3, "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED" },
	{ 3, 3, "--add-opens=java.base/java.util.concurrent.atomic=ALL-UNNAMED" },
	{ 4, 0, "--add-opens=java.base/jdk.internal.ref=ALL-UNNAMED" },
	{ 3, 3, "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED" },
	{ 3, 3, "--add-opens=java.base/sun.nio.cs=ALL-UNNAMED" },
	{ 3, 3, "--add-opens=java.base/sun.security.action=ALL-UNNAMED" },
	{ 3, 3, "--add-opens=java.base/sun.util.calendar=ALL-UNNAMED" },
	{ 3, 4, "--add-opens=java.security.jgss/sun.security.krb5=ALL-UNNAMED" },
	{ 3, 4, "-Djdk.reflect.useDirectMethodHandle=false" },
	{ 4, 0, "-Dio.netty.tryReflectionSetAccessible=true" },
	{ 4, 2, "-Dio.netty.allocator.type=pooled" },
	{ 4, 2, "-Dio.netty.handler.ssl.defaultEndpointVerificationAlgorithm=NONE" },
	{ 4, 2, "--sun-misc-unsafe-memory-access=allow" },
	{ 4, 0, "--enable-native-access=ALL-UNNAMED" },
};

static const char **new_words(struct cyg_arena *arena)
{
	return cyg_arena_alloc(arena, SPARK_WORDS_MAX * sizeof(char *));
}

static void add_module_options(const int version[3], struct spark_daemon *d)
{
	for (size_t i = 0; i < CYG_N(module_options); i++) {
		if (version[0] > module_options[i].major ||
		    (version[0] == module_options[i].major &&
			version[1] >= module_options[i].minor))
			d->jvm_options[d->n_jvm_options++] = module_options[i].option;
	}
}

static void set_arguments(
    struct cyg_arena *arena, struct spark_daemon *d, const char *const *words, size_t n)
{
	d->arguments = new_words(arena);
	memcpy(d->arguments, words, n * sizeof(*words));
	d->n_arguments = n;
}

/* Master and worker compute nothing: the quick compiler and the plain collector start them sooner
 * and smaller. Drivers and executors must not have these, they would be four to seven times slower.
 */
static struct spark_daemon daemon_of(const struct spark_plan *plan, struct cyg_arena *arena,
    const char *name, const char *main_class)
{
	struct spark_daemon d = { .name = name,
		.main_class = main_class,
		.heap_mb = plan->sizes.daemon_mb,
		.jvm_options = new_words(arena),
		.restart = true };

	d.jvm_options[d.n_jvm_options++] = "-XX:TieredStopAtLevel=1";
	d.jvm_options[d.n_jvm_options++] = "-XX:+UseSerialGC";
	d.jvm_options[d.n_jvm_options++] = "-Xss512k";
	add_module_options(plan->ask.version, &d);
	return d;
}

static const char daemon_file[] = CYG_SPARK_SECRETS "/daemon/spark-defaults.conf";

static struct spark_daemon master_of(const struct spark_plan *plan, struct cyg_arena *arena)
{
	static const char *const words[] = { "--host", "127.0.0.1", "--port", CYG_SPARK_PORT_MASTER,
		"--webui-port", CYG_SPARK_PORT_MASTER_WEB, "--properties-file", daemon_file };
	/* A master that is started again finds its applications and workers in a folder of this
	 * start of the cluster, and waits only so long for those that are gone. */
	static const char *const recovery[] = { "-Dspark.deploy.recoveryMode=FILESYSTEM",
		"-Dspark.deploy.recoveryDirectory=" CYG_SPARK_RUNTIME
		"/recovery-" CYG_SPARK_PORT_MASTER,
		"-Dspark.deploy.recoveryTimeout=15" };
	struct spark_daemon d =
	    daemon_of(plan, arena, "master", "org.apache.spark.deploy.master.Master");

	for (size_t i = 0; i < CYG_N(recovery); i++)
		d.jvm_options[d.n_jvm_options++] = recovery[i];
	set_arguments(arena, &d, words, CYG_N(words));
	return d;
}

static struct spark_daemon worker_of(const struct spark_plan *plan, struct cyg_arena *arena)
{
	static const char *environment[][2] = {
		{ "SPARK_WORKER_DIR", CYG_SPARK_RUNTIME "/work" },
		{ "SPARK_LOCAL_DIRS", CYG_SPARK_RUNTIME "/local" },
	};
	const char *const words[] = { "--host", "127.0.0.1", "--webui-port",
		CYG_SPARK_PORT_WORKER_WEB, "--properties-file", daemon_file, "--cores",
		cyg_arena_printf(arena, "%u", plan->sizes.worker_cores), "--memory",
		cyg_arena_printf(arena, "%um", plan->sizes.worker_mb), plan->master };
	struct spark_daemon d =
	    daemon_of(plan, arena, "worker", "org.apache.spark.deploy.worker.Worker");

	d.environment = environment;
	d.n_environment = CYG_N(environment);
	set_arguments(arena, &d, words, CYG_N(words));
	return d;
}

#define SESSION_SECRETS CYG_SPARK_SECRETS "/sessions/" CYG_SPARK_SESSION

static const char session_file[] = SESSION_SECRETS "/spark-defaults.conf";
static const char *session_environment[][2] = {
	{ "SPARK_CONF_DIR", SESSION_SECRETS },
	{ "SPARK_LOCAL_DIRS", CYG_SPARK_RUNTIME "/sessions/" CYG_SPARK_SESSION "/local" },
	/* Where a Py4J gateway writes its port and secret (PythonGatewayServer). */
	{ "_PYSPARK_DRIVER_CONN_INFO_PATH", SESSION_SECRETS "/gateway" },
};

/* What Spark's launcher does with a driver's own options before it starts the JVM. */
static int add_driver_options(const struct spark_rendered *session, struct cyg_arena *arena,
    struct spark_daemon *d, struct cyg_err *err)
{
	static const char *const names[] = { "spark.driver.defaultJavaOptions",
		"spark.driver.extraJavaOptions" };

	for (size_t i = 0; i < CYG_N(names); i++) {
		const char *value = spark_rendered_get(session, names[i]);

		if (value != NULL && spark_words_split(value, arena, d->jvm_options,
					 SPARK_WORDS_MAX, &d->n_jvm_options, err) < 0)
			return cyg_wrap(err, "%s", names[i]);
	}
	for (size_t i = 0; i < d->n_jvm_options; i++) {
		if (strncmp(d->jvm_options[i], "-Xmx", 4) == 0)
			return cyg_fail(err, CYG_EINVAL,
			    "The driver's memory is set with spark.driver.memory, not with %s in its Java options.",
			    d->jvm_options[i]);
	}
	return 0;
}

static void add_class_path(
    const struct spark_rendered *session, struct cyg_arena *arena, struct spark_daemon *d)
{
	static const char *const names[] = { "spark.driver.defaultExtraClassPath",
		"spark.driver.extraClassPath" };

	d->class_path_extra = new_words(arena);
	for (size_t i = 0; i < CYG_N(names); i++) {
		const char *value = spark_rendered_get(session, names[i]);

		if (value != NULL && value[0] != '\0')
			d->class_path_extra[d->n_class_path_extra++] = value;
	}
	d->library_path_extra = spark_rendered_get(session, "spark.driver.extraLibraryPath");
}

static int driver_heap(const struct spark_rendered *session, unsigned *heap_mb, struct cyg_err *err)
{
	const char *value = spark_rendered_get(session, "spark.driver.memory");
	uint64_t bytes = 0;

	if (value == NULL)
		value = "1g"; /* Spark's own, where it is forbidden here */
	if (spark_size_parse(value, 1024 * 1024, &bytes, err) < 0)
		return cyg_wrap(err, "spark.driver.memory");
	if (bytes >> 20 == 0 || bytes >> 20 > 16 * 1024 * 1024)
		return cyg_fail(err, CYG_EINVAL, "spark.driver.memory cannot be %.40s", value);
	*heap_mb = (unsigned)(bytes >> 20);
	return 0;
}

static int driver_of(const struct spark_plan *plan, const struct spark_rendered *session,
    struct cyg_arena *arena, struct spark_daemon *d, struct cyg_err *err)
{
	static const char *const classic[] = { "--properties-file", session_file, "pyspark-shell" };
	static const char *const connect[] = { "--properties-file", session_file, "--class",
		"org.apache.spark.sql.connect.service.SparkConnectServer", "spark-internal" };
	const bool is_connect = plan->ask.flavour == SPARK_FLAVOUR_CONNECT;
	int rc;

	*d = (struct spark_daemon){ .name = "driver",
		.main_class = "org.apache.spark.deploy.SparkSubmit",
		.jvm_options = new_words(arena),
		.environment = session_environment,
		.n_environment = CYG_N(session_environment) - (is_connect ? 1 : 0) };
	add_module_options(plan->ask.version, d);
	rc = driver_heap(session, &d->heap_mb, err);
	if (rc == 0)
		rc = add_driver_options(session, arena, d, err);
	add_class_path(session, arena, d);
	set_arguments(
	    arena, d, is_connect ? connect : classic, is_connect ? CYG_N(connect) : CYG_N(classic));
	return rc;
}

int spark_plan_daemons(const struct spark_plan *plan, const struct spark_rendered *session,
    struct cyg_arena *arena, struct spark_daemon ret[SPARK_DAEMONS_MAX], size_t *n,
    struct cyg_err *err)
{
	*n = 0;
	if (plan->has_cluster) {
		ret[(*n)++] = master_of(plan, arena);
		ret[(*n)++] = worker_of(plan, arena);
	}
	return driver_of(plan, session, arena, &ret[(*n)++], err);
}

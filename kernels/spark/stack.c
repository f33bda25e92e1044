/* Looks for Spark where the setup environment says it is: its versions, its jars, and a java. */
#include "kernels/spark/stack.h"

#include "base/buf.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

enum { CLASS_PATH_MAX = 128 * 1024 };

const char *spark_stack_setup(const struct spark_stack *s, const char *name, const char *otherwise)
{
	size_t len = strlen(name);

	for (char *const *e = s->setup; e != NULL && *e != NULL; e++) {
		if (strncmp(*e, name, len) == 0 && (*e)[len] == '=')
			return *e + len + 1;
	}
	return otherwise;
}

static int is_jar(const struct dirent *e)
{
	return cyg_str_ends(cyg_str_of(e->d_name), ".jar");
}

/* By bytes, not as the locale sorts: every JVM of this server has the same order. */
static int compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Spark's core jar is named for Scala and itself: spark-core_2.13-4.2.0.jar. */
static bool take_versions(struct spark_stack *s, struct cyg_str jar)
{
	const struct cyg_str prefix = CYG_STR("spark-core_");
	const struct cyg_str suffix = CYG_STR(".jar");
	struct cyg_str both;
	size_t dash;

	if (!cyg_str_starts(jar, prefix.p) || jar.len < prefix.len + suffix.len)
		return false;
	both = cyg_str_sub(jar, prefix.len, jar.len - prefix.len - suffix.len);
	dash = cyg_str_chr(both, '-');
	if (dash == both.len)
		return false;
	s->scala = cyg_str_dup(cyg_str_sub(both, 0, dash));
	s->version = cyg_str_dup(cyg_str_skip(both, dash + 1));
	return true;
}

static int read_jars(
    struct spark_stack *s, const char *dir, struct dirent *const *jars, int n, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf path;

	cyg_buf_init(&path, CLASS_PATH_MAX);
	for (int i = 0; i < n; i++) {
		const char *name = jars[i]->d_name;

		if (s->version == NULL)
			(void)take_versions(s, cyg_str_of(name));
		/* A folder with a star would be shorter, but no two JVMs could share classes. */
		if (cyg_buf_printf(&path, err, "%s%s/%s", i > 0 ? ":" : "", dir, name) < 0)
			return cyg_wrap(err, "the jars in %s", dir);
	}
	if (s->version == NULL)
		return cyg_fail(err, CYG_ENOENT,
		    "%s holds no Spark: there is no spark-core jar in it. SPARK_HOME must name a whole Spark.",
		    dir);
	s->class_path = cyg_buf_take(&path, NULL);
	return 0;
}

static int find_jars(struct spark_stack *s, struct cyg_err *err)
{
	cyg_autofree char *dir = cyg_xasprintf("%s/jars", s->home);
	struct dirent **jars = NULL;
	int n = scandir(dir, &jars, is_jar, compare_names);
	int rc;

	if (n < 0)
		return cyg_fail_sys(err, errno, "Spark's folder %s", dir);
	rc = read_jars(s, dir, jars, n, err);
	for (int i = 0; i < n; i++)
		free(jars[i]);
	free(jars);
	return rc;
}

static int find_java(struct spark_stack *s, struct cyg_err *err)
{
	const char *home = spark_stack_setup(s, "JAVA_HOME", "/usr");

	s->java = cyg_xasprintf("%s/bin/java", home);
	if (access(s->java, X_OK) != 0)
		return cyg_fail_sys(
		    err, errno, "Spark needs Java, but %s cannot be run (JAVA_HOME)", s->java);
	return 0;
}

int spark_stack_find(char *const *setup, struct spark_stack *ret, struct cyg_err *err)
{
	struct spark_stack s = { .setup = setup };
	const char *home = spark_stack_setup(&s, "SPARK_HOME", NULL);
	int rc;

	if (home == NULL)
		return cyg_fail(err, CYG_ENOENT,
		    "This server's software has no Spark: its environment does not set SPARK_HOME. Start the server with software that has Spark.");
	s.home = cyg_xstrdup(home);
	rc = find_java(&s, err);
	if (rc == 0)
		rc = find_jars(&s, err);
	if (rc < 0) {
		spark_stack_free(&s);
		return rc;
	}
	*ret = s;
	return 0;
}

void spark_stack_free(struct spark_stack *s)
{
	free(s->home);
	free(s->java);
	free(s->scala);
	free(s->version);
	free(s->class_path);
	*s = (struct spark_stack){ .home = NULL };
}

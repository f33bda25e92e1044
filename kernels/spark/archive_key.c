/* Names a class-data archive after all that it depends on. */
#include "kernels/spark/archive_key.h"

#include "base/buf.h"
#include "base/mem.h"
#include "kernels/base/digest.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum { FACTS_MAX = 256 * 1024, HASH_LEN = 32 };

static int add_file(struct cyg_buf *facts, const char *path, struct cyg_err *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return cyg_fail_sys(err, errno, "'%s'", path);
	return cyg_buf_printf(facts, err, "%s %lld %lld.%09ld\n", path, (long long)st.st_size,
	    (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}

/* The library is the JVM itself; bin/java beside it is only what starts it. */
static int add_jvm(struct cyg_buf *facts, const char *java, struct cyg_err *err)
{
	cyg_autofree char *real = realpath(java, NULL);
	cyg_autofree char *library = NULL;
	const char *bin = real != NULL ? strstr(real, "/bin/java") : NULL;

	if (bin == NULL)
		return cyg_fail(err, CYG_ENOENT, "'%s' is not the java of a JDK", java);
	library = cyg_xasprintf("%.*s/lib/server/libjvm.so", (int)(bin - real), real);
	return add_file(facts, library, err);
}

static int add_jars(struct cyg_buf *facts, const char *class_path, struct cyg_err *err)
{
	struct cyg_str rest = cyg_str_of(class_path);
	struct cyg_str jar;
	int rc = 0;

	while (rc == 0 && cyg_str_next(&rest, ':', &jar)) {
		cyg_autofree char *path = cyg_str_dup(jar);

		rc = add_file(facts, path, err);
	}
	return rc;
}

char *archive_key(const struct spark_stack *stack, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf facts;
	char hash[DIGEST_HEX];

	cyg_buf_init(&facts, FACTS_MAX);
	if (add_jvm(&facts, stack->java, err) < 0 || add_jars(&facts, stack->class_path, err) < 0)
		return NULL;
	digest_sha256(cyg_buf_str(&facts), hash);
	return cyg_xasprintf("spark-%s-%.*s", stack->version, HASH_LEN, hash);
}

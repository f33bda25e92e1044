/* The hub's response to POST /hub/api/cygnet/spark/connect: what to write, and which JVMs to start.
 * The agent does with it what it says and knows no kind of cluster by name. */
#ifndef SPARK_ANSWER_H
#define SPARK_ANSWER_H

#include "base/arena.h"
#include "cygnet/err.h"

enum {
	ANSWER_JVMS_MAX = 4,
	ANSWER_WORDS_MAX = 256, /* of one list */
	ANSWER_FILES_MAX = 8,
	ANSWER_SECRETS_MAX = 8,
	ANSWER_ENV_MAX = 16, /* variables of one list */
	ANSWER_HEAP_MAX_MB = 16 * 1024 * 1024,
};

struct answer_pair {
	const char *name;
	char *value;
};

/* Values may hold places (fill.h). */
struct answer_jvm {
	const char *name; /* "master" */
	const char *main_class;
	unsigned heap_mb;
	const char **jvm_options;
	size_t n_jvm_options;
	const char **class_path_extra; /* before Spark's own jars */
	size_t n_class_path_extra;
	const char *library_path_extra; /* or NULL */
	const char **arguments;
	size_t n_arguments;
	const char **environment; /* "NAME=value" */
	size_t n_environment;
	bool restart; /* started again when it ends by itself */
};

struct answer {
	const char *cluster, *label, *kind, *flavour;
	const char *properties; /* JSON array, without secrets */
	struct answer_pair secrets[ANSWER_SECRETS_MAX];
	size_t n_secrets;
	struct answer_pair files[ANSWER_FILES_MAX]; /* names are below {secrets} */
	size_t n_files;
	const char *environment[ANSWER_ENV_MAX]; /* "NAME=value", of every JVM */
	size_t n_environment;
	struct answer_jvm jvms[ANSWER_JVMS_MAX]; /* the driver is the last */
	size_t n_jvms;
	struct cyg_arena arena_;
};

/* Everything is copied. A member that is missing or wrong is refused by name ("the hub's response:
 * daemons[1]: main_class is missing"). Caller frees. */
int answer_read(struct cyg_str body, struct answer **ret, struct cyg_err *err);
/* Or NULL. */
const char *answer_secret(const struct answer *a, const char *name);
/* Cleanses secrets and files. NULL is accepted. */
void answer_free(struct answer *a);

#endif

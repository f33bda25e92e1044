/* One JVM of the hub's list as a child of init: its argument list, its environment, its end. */
#ifndef SPARK_JVM_H
#define SPARK_JVM_H

#include "cygnet/err.h"
#include "kernels/base/env.h"
#include "kernels/base/init_link.h"
#include "kernels/spark/answer.h"
#include "kernels/spark/archive.h"
#include "kernels/spark/fill.h"
#include "kernels/spark/stack.h"

struct jvm_spec {
	const struct spark_stack *stack;
	struct archive *archive;     /* of the stack, or NULL */
	const struct answer *answer; /* its environment counts for every JVM of it */
	const struct answer_jvm *jvm;
	const struct fill *fill;
	const char *tag;       /* of the child, by which a later agent knows it */
	const char *cwd;       /* absolute */
	const char *log;       /* what it prints goes there, except with out */
	const char *in;        /* a FIFO that it holds open itself as its standard input, or NULL */
	const char *out;       /* file for its standard output alone, or NULL */
	const struct env *env; /* before what Spark and the hub add */
};

/* done as init_link_start has it. -CYG_EPROTO when the hub's list has a place that nobody fills. */
int jvm_start(struct init_link *init, const struct jvm_spec *spec, init_started_fn done, void *arg,
    struct cyg_err *err);
/* The whole process group; also of one that is stopped. pid 0: nothing. */
void jvm_signal(struct init_link *init, int pid, int signal);
/* How what ("The driver") ended, for people: "The driver was ended by signal 9 (Killed)", without a
 * full stop. Caller frees. */
char *jvm_end_text(const char *what, const struct init_exited *exited);

#endif

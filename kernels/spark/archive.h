/* The class-data archive of a stack: Spark's classes, read and laid out once, which drivers and
 * daemons map instead of loading them from the jars. It halves the processor time of their starts.
 *
 * While there is none, the first driver writes down which classes it loads. When it has been ready
 * for a while, a process at low priority makes the archive from that list, in the user's cache,
 * where all later servers of that user find it. It is never needed: without one, or with one that
 * does not fit, JVMs start as they always did. */
#ifndef SPARK_ARCHIVE_H
#define SPARK_ARCHIVE_H

#include "cygnet/init_msg.h"
#include "kernels/base/init_link.h"
#include "kernels/spark/stack.h"

#include <stdbool.h>
#include <uv.h>

struct archive;

struct archive_opts {
	uv_loop_t *loop;
	struct init_link *init;
	const struct spark_stack *stack;
	const char *cache_dir; /* made (0700) when the archive is made */
	const char *run_dir;
};

/* Strings of opts must outlive it. NULL, after a line in the log, when no archive can be made for
 * this stack; every function below accepts that. */
struct archive *archive_new(const struct archive_opts *opts);
/* A process that makes the archive goes on, for the next agent. */
void archive_close(struct archive *a);

enum { ARCHIVE_WORDS_MAX = 4 };
/* Options for a JVM whose class path begins with the stack's jars, ended by NULL: they name the
 * archive when it is there. Otherwise those of the first driver have it write down its classes, and
 * there are none. Borrowed until the next call. */
const char *const *archive_words(struct archive *a, bool is_driver);
/* A session is ready: has the archive made a minute from now, unless it is there or somebody makes
 * it already. */
void archive_build_soon(struct archive *a);
/* A child that an earlier agent started. */
void archive_on_child(struct archive *a, const struct init_child *child);
/* The end of a child, whichever it was. */
void archive_on_exited(struct archive *a, const struct init_exited *exited);

#endif

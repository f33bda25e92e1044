/* Which class-data archive fits: its name. */
#ifndef SPARK_ARCHIVE_KEY_H
#define SPARK_ARCHIVE_KEY_H

#include "cygnet/err.h"
#include "kernels/spark/stack.h"

/* "spark-VERSION-HASH": the hash is of the JVM's library and of each jar's path, size and time of
 * change, because the JVM refuses an archive when one of them is another. NULL with *err for a JDK
 * that is not laid out as since Java 9, or when a jar cannot be looked at. Caller frees. */
char *archive_key(const struct spark_stack *stack, struct cyg_err *err);

#endif

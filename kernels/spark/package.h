/* The Python package that kernels import, cygnet_spark: the files of kernels/python/cygnet_spark
 * are in this program, so that a container needs no file of ours beside the two programs. */
#ifndef SPARK_PACKAGE_H
#define SPARK_PACKAGE_H

#include "cygnet/err.h"

/* Writes the package below an existing folder: dir/cygnet_spark (0700) and its files (0600). Each
 * file is replaced whole, so that a kernel may import it at the same time. Removes the single file
 * dir/cygnet_spark.py that an earlier agent wrote. After a failure some files may be written. */
int spark_package_write(const char *dir, struct cyg_err *err);

#endif

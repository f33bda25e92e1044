/* The folders that user code imports from, as the kernel names them: a JSON list of text. */
#ifndef SPARK_PYTHON_PATH_H
#define SPARK_PYTHON_PATH_H

#include "base/str.h"
#include "cygnet/err.h"

/* The folders with colons between them, as PYTHONPATH has them; "" for an empty list. NULL with
 * *err when it is no list of at most 64 texts without colons. Caller frees. */
char *python_path_join(struct cyg_str json, struct cyg_err *err);

#endif

/* The small languages inside Spark's values: sizes, times, and options of a JVM in one text. */
#ifndef SPARK_WORDS_H
#define SPARK_WORDS_H

#include "base/arena.h"
#include "cygnet/err.h"

#include <stdint.h>

/* "512m", "2g", "1024": JavaUtils.byteStringAs of Spark. The unit of a bare number is `bare` bytes
 * (1024 * 1024 for the memory of driver and executors). */
int spark_size_parse(const char *text, uint64_t bare, uint64_t *bytes, struct cyg_err *err);
/* "100ms", "30s", "5min": JavaUtils.timeStringAs of Spark; a bare number is of `bare` ms. */
int spark_time_parse(const char *text, uint64_t bare, uint64_t *ms, struct cyg_err *err);
/* Splits options as Spark's launcher does (CommandBuilderUtils.parseOptionString): at blanks, with
 * single and double quotes and the backslash. At most max words, appended to the n at list. */
int spark_words_split(const char *text, struct cyg_arena *arena, const char **list, size_t max,
    size_t *n, struct cyg_err *err);

#endif

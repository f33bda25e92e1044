/* Files below the secrets folder, which only the user's own processes read. */
#ifndef SPARK_FILES_H
#define SPARK_FILES_H

#include "base/str.h"
#include "cygnet/err.h"
#include "kernels/spark/fill.h"

/* Replaces dir/name (0400); its folders are made (0700). */
int spark_write_secret(const char *dir, const char *name, struct cyg_str text, struct cyg_err *err);
/* The same, with the places of name and text filled. */
int spark_write_filled(const char *dir, const char *name, const char *text, const struct fill *fill,
    struct cyg_err *err);

#endif

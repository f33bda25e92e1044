/* Members of JSON from outside, checked and copied: what the readers of this folder share. */
#ifndef SPARK_JSONREAD_H
#define SPARK_JSONREAD_H

#include "base/arena.h"
#include "cygnet/err.h"

#include <jansson.h>

struct spark_names {
	const char **list;
	size_t n;
};

struct spark_json {
	struct cyg_arena *arena; /* where copies go */
	bool trims;              /* blanks at the ends of values are cut, as Spark would */
};

/* A document that is an object, without duplicate keys. The message has line and column. */
int spark_json_load(struct cyg_str text, json_t **ret, struct cyg_err *err);
/* Text in one line of at most max bytes. NULL when it is not there or null. */
int spark_json_text(struct spark_json *j, const json_t *from, const char *key, size_t max,
    const char **ret, struct cyg_err *err);
/* The value of a property: text, a whole number, true or false, as Spark takes it. NULL when it is
 * not there. */
int spark_json_value(struct spark_json *j, const json_t *from, const char *key, const char **ret,
    struct cyg_err *err);
/* A list of at most max texts; none when it is not there or null. */
int spark_json_names(struct spark_json *j, const json_t *from, const char *key, size_t max,
    struct spark_names *ret, struct cyg_err *err);

#endif

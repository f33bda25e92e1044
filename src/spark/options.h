/* The options that a version of Spark knows: the list that was made from Spark itself
 * (share/cygnet/spark-options.json in the stack), or the names that a site lists in the form of
 * SWAN's spark_options.json. */
#ifndef SPARK_OPTIONS_H
#define SPARK_OPTIONS_H

#include "spark/jsonread.h"

enum { SPARK_OPTIONS_MAX = 4000, SPARK_OPTION_VALUES_MAX = 32 };

enum spark_type {
	SPARK_TYPE_TEXT,
	SPARK_TYPE_BOOLEAN,
	SPARK_TYPE_INT,
	SPARK_TYPE_DOUBLE,
	SPARK_TYPE_BYTES,
	SPARK_TYPE_TIME,
};

struct spark_option {
	const char *name, *category;
	enum spark_type type;
	const char *value; /* default as Spark writes it, or NULL */
	const char *doc, *since;
	struct spark_names values; /* of text: all that are allowed, in any case; none: any */
};

struct spark_options {
	struct cyg_arena arena_;
	struct spark_option *list; /* by name */
	size_t n;
	bool is_complete; /* made from Spark itself: a name that is not in it is unknown */
};

/* Either form. file is its name in messages. */
int spark_options_parse(
    const char *file, struct cyg_str text, struct spark_options **ret, struct cyg_err *err);
/* NULL is accepted. */
void spark_options_free(struct spark_options *o);
/* Borrowed, or NULL. */
const struct spark_option *spark_options_find(const struct spark_options *o, const char *name);
/* The known name that is nearest to this one: at most three letters wrong, missing, too many or
 * swapped, and at most a third of them; or NULL. */
const char *spark_options_nearest(const struct spark_options *o, const char *name);
/* [{"name", "category", "type", "default", "doc", "since"}]; a new array. */
json_t *spark_options_json(const struct spark_options *o);

#endif

/* Says what is wrong, or will hurt, in the settings that users gave, before anything is started.
 * Pure. */
#ifndef SPARK_LINT_H
#define SPARK_LINT_H

#include "spark/options.h"
#include "spark/plan.h"

enum spark_lint_level {
	SPARK_LINT_WARNING, /* it starts */
	SPARK_LINT_ERROR,   /* it cannot start, or would wait for ever */
};

struct spark_lint_item {
	const char *name; /* of the property */
	enum spark_lint_level level;
	const char *text;    /* a sentence */
	const char *nearest; /* the known name that may be meant, or NULL */
};

struct spark_lint_ask {
	const struct spark_rendered *rendered;
	const struct spark_plan *plan;
	const struct spark_options *known; /* NULL: nothing is said of types and unknown names */
};

enum { SPARK_LINT_MAX = 100 };

/* Looks at what the layers bundles to connect set or tried to set; at most SPARK_LINT_MAX are
 * found. Texts are in the arena; returns how many there are. */
size_t spark_lint(const struct spark_lint_ask *ask, struct cyg_arena *arena,
    struct spark_lint_item ret[SPARK_LINT_MAX]);
/* [{"name", "level": "error" | "warning", "text", "nearest"}]; a new array. */
json_t *spark_lint_json(const struct spark_lint_item *items, size_t n);

#endif

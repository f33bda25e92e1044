/* What somebody chose for a session: the members of a request that become the layers bundles, user,
 * notebook and connect.
 *   {"cluster"?: ID, "flavour"?: "classic" | "connect", "bundles"?: [NAME], "options"?: {NAME:
 * VALUE}, "notebook"?: {"bundles"?, "options"?}, "user"?: {"options"?}, "variables"?: {NAME: TEXT}}
 * The notebook's part may also be what SWAN's connector saved in it:
 *   {"bundled_options": [NAME], "list_of_options": [{"name", "value", "isEnabled"?}]}. */
#ifndef SPARK_CHOSEN_H
#define SPARK_CHOSEN_H

#include "spark/bundles.h"
#include "spark/plan.h"

#include <jansson.h>

enum {
	SPARK_CHOSEN_BUNDLES_MAX = 32,
	SPARK_CHOSEN_OPTIONS_MAX = 200, /* of each layer */
	SPARK_VARIABLES_MAX = 16,
};

struct spark_pair {
	const char *name, *value;
};

struct spark_pairs {
	struct spark_pair *list;
	size_t n;
};

struct spark_chosen {
	const char *cluster; /* NULL: the server's */
	enum spark_flavour flavour;
	const char **bundles; /* the notebook's first; each once */
	size_t n_bundles;
	struct spark_pairs user, notebook, connect;
	struct spark_pairs variables; /* of spark_variables */
};

/* The names that {NAME} in a value may stand for: NULL-ended. */
extern const char *const spark_variables[];

/* Everything is copied into the arena. What is wrong is said in a sentence. */
int spark_chosen_read(
    const json_t *body, struct cyg_arena *arena, struct spark_chosen *ret, struct cyg_err *err);

/* Where bundles are looked for. */
struct spark_choose_from {
	const struct spark_bundles *bundles; /* NULL: there are none */
	const char *cluster;                 /* id */
	const char *version;                 /* of Spark */
};

/* The layers as settings in the arena. Unknown bundles, bundles that do not fit, and {NAME} that
 * nothing defines are errors that name them. */
int spark_chosen_settings(const struct spark_chosen *c, const struct spark_choose_from *from,
    struct cyg_arena *arena, struct spark_setting **ret, size_t *n, struct cyg_err *err);

#endif

/* What is offered on the start form: profiles, and the labels of the stacks and clusters they name.
 * Read once from profiles.yaml. The spawner decides what is run: a profile only names a template.
 */
#ifndef HUB_PROFILES_H
#define HUB_PROFILES_H

#include "base/arena.h"
#include "cygnet/err.h"
#include "cygnet/limits.h"
#include "daemon/yaml_fields.h"

#include <stdint.h>

enum {
	PROFILES_MAX = 64,
	PROFILE_AMOUNTS_MAX = 16,
	PROFILE_LIST_MAX = 64,
	PROFILE_CORES_MAX = 4096,
};

struct profile_list {
	const char **items;
	size_t n;
};

struct profile_stack {
	const char *id, *label, *description;
	const char *spark;       /* version of Spark in it, or NULL */
	const char *platform;    /* such as x86_64-debian12, or NULL */
	const char *unavailable; /* why it cannot be had now (software.c), or NULL */
	struct profile_list kernels, groups;
	bool recommended;
};

struct profile_cluster {
	const char *id, *label, *description;
	struct yaml_pair *facts; /* label and value */
	size_t n_facts;
	struct profile_list groups;
};

struct profile_amounts {
	uint32_t *values;
	size_t n;
	uint32_t usual; /* the default, one of values */
};

struct profile {
	const char *id, *label, *description;
	const char *template_;
	struct profile_list stacks, clusters; /* ids */
	const char *usual_cluster;            /* what the form chooses at first, or NULL: none */
	struct profile_list groups;           /* empty: for everybody */
	struct profile_amounts cores, memory_mb;
	bool is_default, user_script, home_packages;
	bool notebook;                              /* the template serves Notebook 7 too */
	uint64_t start_timeout_s, start_timeout_ms; /* the same twice */
};

struct profiles {
	struct cyg_arena arena;
	struct profile *profiles;
	size_t n_profiles;
	struct profile_stack *stacks;
	size_t n_stacks;
	struct profile_cluster *clusters;
	size_t n_clusters;
};

/* What the file holds, for the reference page. */
extern const struct yaml_record profiles_record;

/* Errors name the file, the line, the column and what is allowed. *ret is freed with profiles_free.
 */
int profiles_load(const char *path, struct profiles **ret, struct cyg_err *err);
/* The same from memory; file is its name in messages. */
int profiles_parse(
    const char *file, struct cyg_str text, struct profiles **ret, struct cyg_err *err);
void profiles_free(struct profiles *p);
/* Borrowed, or NULL. */
const struct profile *profiles_find(const struct profiles *p, const char *id);
const struct profile_stack *profiles_find_stack(const struct profiles *p, const char *id);
const struct profile_cluster *profiles_find_cluster(const struct profiles *p, const char *id);
/* The one marked as default, else the first. */
const struct profile *profiles_default(const struct profiles *p);
bool profile_list_has(const struct profile_list *list, const char *item);
bool profile_amounts_have(const struct profile_amounts *amounts, uint64_t value);

#endif

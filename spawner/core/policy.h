/* What may be run: templates and stacks, read from two files that only root can change. The hub
 * names a template, a stack and limits; it cannot name an image, a mount, a capability or an
 * argument. So even a hub that an attacker controls can only start what the administrator wrote
 * down. */
#ifndef SPAWNER_CORE_POLICY_H
#define SPAWNER_CORE_POLICY_H

#include "cygnet/err.h"
#include "cygnet/spawn_msg.h"
#include "daemon/yaml_fields.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum policy_uid {
	POLICY_UID_RANGE, /* one uid for each user, from the spawner's own range */
	POLICY_UID_NSS,   /* the user's own, as the name service knows it */
};

struct policy_mount {
	const char *source, *target; /* of one length class: absolute, may hold {user} */
	bool writable;
	bool optional; /* a source that is not there is no error */
};

struct policy_mounts {
	struct policy_mount *list;
	size_t n;
};

struct policy_template {
	const char *name;
	const char **command; /* NULL-ended, with placeholders */
	size_t n_command;
	enum policy_uid uid;
	const char *home; /* inside, may hold {user} */
	struct policy_mounts mounts;
	struct yaml_pair *env;
	size_t n_env;
	const char **stacks; /* NULL-ended; NULL: every stack */
	size_t n_stacks;
	uint64_t memory_default, memory_max;
	uint32_t cpu_default, cpu_max; /* thousandths of a core; 0: no limit */
	uint64_t pids_max, tmp_bytes, shm_bytes;
	uint64_t setup_seconds, deadline_ms; /* of each setup script: the same time in both units */
};

struct policy_stack {
	const char *name, *prefix;
	const char *setup; /* absolute path, or NULL */
	struct policy_mounts mounts;
};

struct policy;

/* What both files hold, for the reference page; ended by a NULL name. */
extern const struct yaml_file policy_files[];
/* Reads both files. As root each must belong to root and be writable by nobody else. Errors are
 * "FILE:LINE:COLUMN: text". */
int policy_load(
    const char *templates_path, const char *stacks_path, struct policy **ret, struct cyg_err *err);
/* NULL is accepted. */
void policy_free(struct policy *p);

/* The number of templates, and their names by number from 0. */
size_t policy_n_templates(const struct policy *p);
const char *policy_template_name(const struct policy *p, size_t number);

/* What was granted of a request. */
struct policy_grant {
	const struct policy_template *template_;
	const struct policy_stack *stack;
	uint64_t memory_bytes;
	uint32_t cpu_milli;
};

/* Checks every field of a request against the rules, without a system call. The message says which
 * limit was passed and what is allowed. */
int policy_check(const struct policy *p, const struct spawn_spawn *r, struct policy_grant *ret,
    struct cyg_err *err);

/* Values of the placeholders in commands, mounts and homes; NULL: the placeholder is not known
 * here. */
struct policy_places {
	const char *user, *home, *run_dir, *bin, *base_url, *socket, *stack_prefix, *cache,
	    *cluster;
};

/* Replaces {user}, {home}, {run_dir}, {bin}, {base_url}, {socket}, {stack_prefix}, {cache},
 * {cluster}. The caller frees *ret. Unknown placeholders fail with -CYG_EINVAL. */
int policy_expand(
    const char *text, const struct policy_places *places, char **ret, struct cyg_err *err);

#endif

/* Limits by control groups, version 1 or 2: one group for each server, never the spawner's own.
 * When groups cannot be made the set is empty and says why; callers need no check. */
#ifndef SPAWNER_LOCAL_CGROUP_H
#define SPAWNER_LOCAL_CGROUP_H

#include "cygnet/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum cgroup_part { CGROUP_MEMORY, CGROUP_PIDS, CGROUP_CPU, CGROUP_CPUACCT, CGROUP_PARTS };

enum { CGROUP_DIR_MAX = 256, CGROUP_WHY_MAX = 160, CGROUP_INSTANCE_MAX = 56 };

struct cgroups {
	int version; /* 1, 2, or 0: no limits */
	/* the folder that holds our groups, per part; "" when that part cannot be had. Version 2
	 * has one folder, written in each part it offers. */
	char dirs[CGROUP_PARTS][CGROUP_DIR_MAX];
	char why[CGROUP_WHY_MAX]; /* why a part is missing; "" when all are there */
};

struct cgroup_limits {
	uint64_t memory_bytes, pids; /* 0: none */
	uint32_t cpu_milli;          /* 0: none */
};

/* Of one group; 0: unknown. */
struct cgroup_figures {
	uint64_t memory_used, memory_peak, memory_limit, cpu_us, processes, oom_kills;
};

/* Finds what this machine offers and makes the parent group "cygnet-INSTANCE". mounts is the text
 * of /proc/self/mounts, own that of /proc/self/cgroup. Never fails: see why. */
void cgroups_open(struct cgroups *c, const char *instance, const char *mounts, const char *own);
/* Removes the parent groups when they are empty. */
void cgroups_close(struct cgroups *c);
/* Bits of spawn_hello.limits. */
uint32_t cgroups_enforced(const struct cgroups *c);

/* Makes the group of one server with its limits. */
int cgroup_make(const struct cgroups *c, const char *id, const struct cgroup_limits *limits,
    struct cyg_err *err);
/* Descriptors of the files that move their writer in ("0"), the caller's to close; *ret_n: how
 * many. Fails when one cannot be opened: a server that is only in some of its groups would
 * not have all limits. */
int cgroup_open_procs(const struct cgroups *c, const char *id, int fds[CGROUP_PARTS], size_t *ret_n,
    struct cyg_err *err);
void cgroup_read(const struct cgroups *c, const char *id, struct cgroup_figures *ret);
/* SIGKILLs every member; returns how many there were. */
size_t cgroup_kill(const struct cgroups *c, const char *id);
/* True when the group is gone in every part. */
bool cgroup_remove(const struct cgroups *c, const char *id);
/* Calls seen for the id of each group there is. */
void cgroup_each(const struct cgroups *c, void (*seen)(void *arg, const char *id), void *arg);

#endif

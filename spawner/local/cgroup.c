/* The control group of one server: makes, enters, reads, empties and removes it. cgroup_find.c
 * finds what the machine offers; here versions 1 and 2 differ only in the table of file names
 * below. */
#include "spawner/local/cgroup.h"

#include "base/mem.h"
#include "base/num.h"
#include "cygnet/limits.h"
#include "spawner/local/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = CGROUP_DIR_MAX + 128, CPU_PERIOD_US = 100 * 1000 };

/* Where a number is found: the part, the file, the word before it (NULL: the file's first number),
 * and the divisor to our unit. */
struct figure {
	enum cgroup_part part;
	const char *file, *word;
	uint64_t divisor;
};
enum { FIG_USED, FIG_PEAK, FIG_LIMIT, FIG_CPU, FIG_PROCESSES, FIG_OOM, FIGURES };

static const struct figure figures[2][FIGURES] = {
	{
	    [FIG_USED] = { CGROUP_MEMORY, "memory.usage_in_bytes", NULL, 1 },
	    [FIG_PEAK] = { CGROUP_MEMORY, "memory.max_usage_in_bytes", NULL, 1 },
	    [FIG_LIMIT] = { CGROUP_MEMORY, "memory.limit_in_bytes", NULL, 1 },
	    [FIG_CPU] = { CGROUP_CPUACCT, "cpuacct.usage", NULL, 1000 },
	    [FIG_PROCESSES] = { CGROUP_PIDS, "pids.current", NULL, 1 },
	    [FIG_OOM] = { CGROUP_MEMORY, "memory.oom_control", "oom_kill ", 1 },
	},
	{
	    [FIG_USED] = { CGROUP_MEMORY, "memory.current", NULL, 1 },
	    [FIG_PEAK] = { CGROUP_MEMORY, "memory.peak", NULL, 1 },
	    [FIG_LIMIT] = { CGROUP_MEMORY, "memory.max", NULL, 1 },
	    [FIG_CPU] = { CGROUP_CPUACCT, "cpu.stat", "usage_usec ", 1 },
	    [FIG_PROCESSES] = { CGROUP_PIDS, "pids.current", NULL, 1 },
	    [FIG_OOM] = { CGROUP_MEMORY, "memory.events", "oom_kill ", 1 },
	},
};

/* False when that part is not there, or is the same folder as an earlier part's. */
static bool part_path(const struct cgroups *c, enum cgroup_part part, const char *id, char *path)
{
	if (c->dirs[part][0] == '\0')
		return false;
	for (int i = 0; i < (int)part; i++)
		if (strcmp(c->dirs[i], c->dirs[part]) == 0)
			return false;
	(void)snprintf(path, PATH_SIZE, "%s/%s", c->dirs[part], id);
	return true;
}

static int write_file(const struct cgroups *c, enum cgroup_part part, const char *id,
    const char *file, const char *value, struct cyg_err *err)
{
	char path[PATH_SIZE];
	int fd;

	if (c->dirs[part][0] == '\0')
		return 0;
	(void)snprintf(path, sizeof(path), "%s/%s/%s", c->dirs[part], id, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0) {
		int errnum = errno;

		cyg_close(fd);
		return cyg_fail_sys(err, errnum, "limit %s", file);
	}
	cyg_close(fd);
	return 0;
}

static int write_limits(const struct cgroups *c, const char *id, const struct cgroup_limits *limits,
    struct cyg_err *err)
{
	char text[64];
	unsigned long long quota = (unsigned long long)limits->cpu_milli * (CPU_PERIOD_US / 1000);
	int r = 0;

	if (limits->memory_bytes != 0) {
		(void)snprintf(
		    text, sizeof(text), "%llu", (unsigned long long)limits->memory_bytes);
		r = write_file(c, CGROUP_MEMORY, id,
		    c->version == 1 ? "memory.limit_in_bytes" : "memory.max", text, err);
		/* No swap: a server at its limit would only make the machine slow. Kernels without
		 * swap accounting lack the file. */
		(void)write_file(c, CGROUP_MEMORY, id,
		    c->version == 1 ? "memory.memsw.limit_in_bytes" : "memory.swap.max",
		    c->version == 1 ? text : "0", NULL);
	}
	if (r == 0 && limits->pids != 0) {
		(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)limits->pids);
		r = write_file(c, CGROUP_PIDS, id, "pids.max", text, err);
	}
	if (r == 0 && limits->cpu_milli != 0 && c->version == 1) {
		(void)snprintf(text, sizeof(text), "%llu", quota);
		r = write_file(c, CGROUP_CPU, id, "cpu.cfs_quota_us", text, err);
	} else if (r == 0 && limits->cpu_milli != 0) {
		(void)snprintf(text, sizeof(text), "%llu %d", quota, CPU_PERIOD_US);
		r = write_file(c, CGROUP_CPU, id, "cpu.max", text, err);
	}
	return r;
}

int cgroup_make(const struct cgroups *c, const char *id, const struct cgroup_limits *limits,
    struct cyg_err *err)
{
	char path[PATH_SIZE];

	for (int part = 0; part < CGROUP_PARTS; part++) {
		if (!part_path(c, (enum cgroup_part)part, id, path))
			continue;
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return cyg_fail_sys(err, errno, "make control group '%s'", path);
	}
	return write_limits(c, id, limits, err);
}

int cgroup_open_procs(const struct cgroups *c, const char *id, int fds[CGROUP_PARTS], size_t *ret_n,
    struct cyg_err *err)
{
	char path[PATH_SIZE], file[PATH_SIZE + 16];
	size_t n = 0;

	for (int part = 0; part < CGROUP_PARTS; part++) {
		int errnum;

		if (!part_path(c, (enum cgroup_part)part, id, path))
			continue;
		(void)snprintf(file, sizeof(file), "%s/cgroup.procs", path);
		fds[n] = open(file, O_WRONLY | O_CLOEXEC);
		if (fds[n] >= 0) {
			n++;
			continue;
		}
		errnum = errno;
		while (n > 0)
			cyg_close(fds[--n]);
		return cyg_fail_sys(err, errnum, "enter control group '%s'", path);
	}
	*ret_n = n;
	return 0;
}

static uint64_t read_figure(const struct cgroups *c, const char *id, const struct figure *f)
{
	char text[2048];
	char path[PATH_SIZE];
	const char *at = text;
	struct cyg_str digits;
	uint64_t value;
	ssize_t n;
	int fd;

	if (c->dirs[f->part][0] == '\0')
		return 0;
	(void)snprintf(path, sizeof(path), "%s/%s/%s", c->dirs[f->part], id, f->file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	cyg_close(fd);
	text[n > 0 ? n : 0] = '\0';
	if (f->word != NULL) {
		/* "oom_kill" is also the end of no other word, but the start of "oom_kill_disable"
		 */
		at = strstr(text, f->word);
		at = at == NULL ? "" : at + strlen(f->word);
	}
	digits = (struct cyg_str){ at, strspn(at, "0123456789") };
	/* "No limit" is a number near 2^63 in version 1, and a word in version 2. */
	if (cyg_num_parse_u64(digits, 0, 1ULL << 62, &value, NULL) < 0)
		return 0;
	return value / f->divisor;
}

void cgroup_read(const struct cgroups *c, const char *id, struct cgroup_figures *ret)
{
	const struct figure *f;

	memset(ret, 0, sizeof(*ret));
	if (c->version == 0)
		return;
	f = figures[c->version - 1];
	ret->memory_used = read_figure(c, id, &f[FIG_USED]);
	ret->memory_peak = read_figure(c, id, &f[FIG_PEAK]);
	ret->memory_limit = read_figure(c, id, &f[FIG_LIMIT]);
	ret->cpu_us = read_figure(c, id, &f[FIG_CPU]);
	ret->processes = read_figure(c, id, &f[FIG_PROCESSES]);
	ret->oom_kills = read_figure(c, id, &f[FIG_OOM]);
}

static size_t kill_members(const char *path)
{
	char file[PATH_SIZE + 16], text[16 * 1024];
	pid_t pids[2048];
	size_t n;
	ssize_t len;
	int fd;

	(void)snprintf(file, sizeof(file), "%s/cgroup.procs", path);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	cyg_close(fd);
	text[len > 0 ? len : 0] = '\0';
	n = process_parse_pids(text, pids, 0, CYG_N(pids));
	for (size_t i = 0; i < n; i++)
		(void)kill(pids[i], SIGKILL);
	return n;
}

size_t cgroup_kill(const struct cgroups *c, const char *id)
{
	char path[PATH_SIZE];
	size_t n = 0;

	for (int part = 0; part < CGROUP_PARTS; part++)
		if (part_path(c, (enum cgroup_part)part, id, path))
			n += kill_members(path);
	return n;
}

bool cgroup_remove(const struct cgroups *c, const char *id)
{
	char path[PATH_SIZE];
	bool gone = true;

	for (int part = 0; part < CGROUP_PARTS; part++)
		if (part_path(c, (enum cgroup_part)part, id, path) && rmdir(path) < 0 &&
		    errno != ENOENT)
			gone = false;
	return gone;
}

void cgroup_each(const struct cgroups *c, void (*seen)(void *arg, const char *id), void *arg)
{
	char path[PATH_SIZE];

	for (int part = 0; part < CGROUP_PARTS; part++) {
		const struct dirent *e;
		DIR *dir;

		if (!part_path(c, (enum cgroup_part)part, "", path))
			continue;
		dir = opendir(path);
		while (dir != NULL && (e = readdir(dir)) != NULL)
			if (strlen(e->d_name) == CYG_SERVER_ID_LEN && e->d_type == DT_DIR)
				seen(arg, e->d_name);
		if (dir != NULL)
			(void)closedir(dir);
	}
}

/* Finds out which control groups this machine offers: from the texts of /proc/self/mounts and
 * /proc/self/cgroup, then by trying to make the parent group. */
#include "base/mem.h"
#include "base/str.h"
#include "spawner/local/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const part_names[CGROUP_PARTS] = { "memory", "pids", "cpu", "cpuacct" };

static bool has_word(struct cyg_str list, const char *word)
{
	struct cyg_str part;

	while (list.len > 0 && cyg_str_next(&list, ',', &part))
		if (cyg_str_eq(part, word))
			return true;
	return false;
}

/* One line of /proc/self/mounts: device, folder, type, options. */
static bool mount_line(struct cyg_str line, struct cyg_str fields[4])
{
	for (int i = 0; i < 4; i++)
		if (!cyg_str_next(&line, ' ', &fields[i]))
			return false;
	return fields[1].len < CGROUP_DIR_MAX - 64 && cyg_str_starts(fields[1], "/");
}

static void find_v1(struct cgroups *c, const char *instance, struct cyg_str mounts)
{
	struct cyg_str line, f[4];

	while (mounts.len > 0 && cyg_str_next(&mounts, '\n', &line)) {
		if (!mount_line(line, f) || !cyg_str_eq(f[2], "cgroup"))
			continue;
		for (int part = 0; part < CGROUP_PARTS; part++)
			if (c->dirs[part][0] == '\0' && has_word(f[3], part_names[part]))
				(void)snprintf(c->dirs[part], CGROUP_DIR_MAX, "%.*s/cygnet-%s",
				    CYG_STR_ARGS(f[1]), instance);
	}
}

static bool write_text(const char *dir, const char *file, const char *text)
{
	char path[CGROUP_DIR_MAX + 64];
	bool done;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	cyg_close(fd);
	return done;
}

/* A group with processes in it cannot have groups with limits below (the "no internal process"
 * rule): unless we are at the root, the spawner itself moves into a leaf first. */
static bool enable_v2(struct cgroups *c, const char *own_dir, const char *parent, bool is_root)
{
	char leaf[CGROUP_DIR_MAX + 64];

	(void)snprintf(leaf, sizeof(leaf), "%s/cygnet-spawner", own_dir);
	if (!is_root &&
	    ((mkdir(leaf, 0755) < 0 && errno != EEXIST) || !write_text(leaf, "cgroup.procs", "0")))
		return false;
	if (mkdir(parent, 0755) < 0 && errno != EEXIST)
		return false;
	for (int part = 0; part < CGROUP_CPUACCT; part++) {
		char text[16];

		(void)snprintf(text, sizeof(text), "+%s", part_names[part]);
		if (write_text(own_dir, "cgroup.subtree_control", text) &&
		    write_text(parent, "cgroup.subtree_control", text))
			(void)snprintf(c->dirs[part], CGROUP_DIR_MAX, "%s", parent);
	}
	/* cpu.stat is there without any controller. */
	(void)snprintf(c->dirs[CGROUP_CPUACCT], CGROUP_DIR_MAX, "%s", parent);
	return true;
}

static bool has_limits(const struct cgroups *c)
{
	return cgroups_enforced(c) != 0;
}

/* Makes the parent at the top of the hierarchy, which only root may. For a spawner whose own group
 * holds other processes too (as when started from a shell) and so cannot have groups with limits
 * below it. */
static bool enable_at_top(struct cgroups *c, const char *top, const char *instance)
{
	struct cgroups at_top = { .version = 0 };
	char parent[CGROUP_DIR_MAX];

	(void)snprintf(
	    parent, sizeof(parent), "%.*s/cygnet-%.64s", CGROUP_DIR_MAX - 80, top, instance);
	if (!enable_v2(&at_top, top, parent, true) || !has_limits(&at_top)) {
		(void)rmdir(parent);
		return false;
	}
	*c = at_top;
	return true;
}

static bool find_v2(
    struct cgroups *c, const char *instance, struct cyg_str mounts, struct cyg_str own)
{
	struct cyg_str line, f[4], path = { NULL, 0 };
	char own_dir[CGROUP_DIR_MAX], parent[CGROUP_DIR_MAX], top[CGROUP_DIR_MAX];
	bool found;

	while (own.len > 0 && cyg_str_next(&own, '\n', &line))
		if (cyg_str_starts(line, "0::/"))
			path = cyg_str_skip(line, 3);
	while (path.len > 0 && mounts.len > 0 && cyg_str_next(&mounts, '\n', &line)) {
		if (!mount_line(line, f) || !cyg_str_eq(f[2], "cgroup2"))
			continue;
		if (f[1].len + path.len + 64 > CGROUP_DIR_MAX)
			return false;
		(void)snprintf(own_dir, sizeof(own_dir), "%.*s%.*s", CYG_STR_ARGS(f[1]),
		    path.len == 1 ? 0 : (int)path.len, path.p);
		(void)snprintf(parent, sizeof(parent), "%.*s/cygnet-%.64s", (int)strlen(own_dir),
		    own_dir, instance);
		(void)snprintf(top, sizeof(top), "%.*s", CYG_STR_ARGS(f[1]));
		found = enable_v2(c, own_dir, parent, path.len == 1);
		if (path.len > 1 && !has_limits(c) && enable_at_top(c, top, instance)) {
			(void)rmdir(parent);
			return true;
		}
		return found;
	}
	return false;
}

void cgroups_open(struct cgroups *c, const char *instance, const char *mounts, const char *own)
{
	bool any = false;

	memset(c, 0, sizeof(*c));
	find_v1(c, instance, cyg_str_of(mounts));
	for (int part = 0; part < CGROUP_PARTS; part++) {
		if (c->dirs[part][0] == '\0')
			continue;
		if (mkdir(c->dirs[part], 0755) < 0 && errno != EEXIST) {
			(void)snprintf(c->why, sizeof(c->why),
			    "no right to make control groups (%s)", strerror(errno));
			c->dirs[part][0] = '\0';
			continue;
		}
		any = true;
	}
	if (any) {
		c->version = 1;
	} else if (find_v2(c, instance, cyg_str_of(mounts), cyg_str_of(own))) {
		c->version = 2;
		c->why[0] = '\0';
	} else if (c->why[0] == '\0') {
		(void)snprintf(c->why, sizeof(c->why), "no control groups can be made here");
	}
	for (int part = 0; c->version != 0 && part < CGROUP_CPUACCT; part++)
		if (c->dirs[part][0] == '\0' && c->why[0] == '\0')
			(void)snprintf(c->why, sizeof(c->why), "the %s controller is not available",
			    part_names[part]);
}

void cgroups_close(struct cgroups *c)
{
	for (int part = 0; part < CGROUP_PARTS; part++)
		if (c->dirs[part][0] != '\0')
			(void)rmdir(c->dirs[part]);
	c->version = 0;
}

uint32_t cgroups_enforced(const struct cgroups *c)
{
	uint32_t bits = 0;

	for (int part = 0; part < CGROUP_CPUACCT; part++)
		if (c->dirs[part][0] != '\0')
			bits |= 1U << part;
	return bits;
}

/* Opening and closing the whole: folders, uids, control groups, adoption, the hub's socket. */
#include "spawner/core/spawner.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "daemon/unixsock.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { UID_FIRST = 200000, UID_COUNT = 100000, PROC_TEXT_MAX = 1 << 20 };

static void read_text(const char *path, struct cyg_buf *out)
{
	cyg_buf_init(out, PROC_TEXT_MAX);
	(void)cyg_file_read(AT_FDCWD, path, true, out, NULL);
}

/* Two spawners on one machine (tests, two sites) must not touch each other's groups: what is not
 * known of a group of ours is killed. The name of ours is the run folder's, with '-' for each '/';
 * one that holds other signs, which would make two folders' names equal, or that is long, is told
 * apart by a hash. */
static void instance_name(const char *run_dir, char out[CGROUP_INSTANCE_MAX])
{
	static const uint8_t key[16] = "cygnet instance";
	size_t len = strlen(run_dir) - 1, keep = CGROUP_INSTANCE_MAX - 10;
	bool plain = len < CGROUP_INSTANCE_MAX;

	(void)snprintf(out, CGROUP_INSTANCE_MAX, "%s", run_dir + 1);
	for (char *at = out; *at != '\0'; at++) {
		plain = plain && (isalnum((unsigned char)*at) || *at == '/');
		if (!isalnum((unsigned char)*at))
			*at = '-';
	}
	if (!plain)
		(void)snprintf(out + (len < keep ? len : keep), 10, "-%08x",
		    (unsigned)cyg_siphash(key, run_dir, len + 1));
}

static void open_cgroups(struct spawner *sp)
{
	cyg_autobuf struct cyg_buf mounts = { 0 }, own = { 0 };
	char instance[CGROUP_INSTANCE_MAX];

	instance_name(sp->folders.run_dir, instance);
	read_text("/proc/self/mounts", &mounts);
	read_text("/proc/self/cgroup", &own);
	cgroups_open(&sp->cgroups, instance, mounts.data, own.data);
	if (sp->cgroups.why[0] != '\0')
		cyg_log_warn("limits", "not all limits can be enforced: %s", sp->cgroups.why);
}

static int open_uids(struct spawner *sp, struct cyg_err *err)
{
	cyg_autoclose int dir =
	    openat(sp->folders.state, "spawner", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return cyg_fail_sys(err, errno, "state folder");
	return uids_open(dir, UID_FIRST, UID_COUNT, &sp->uids, err);
}

int spawner_open(struct spawner *sp, int listen_fd, struct cyg_err *err)
{
	char path[CYG_PATH_MAX + 32];

	cyg_list_init(&sp->servers);
	cyg_list_init(&sp->hubs);
	sp->listen_fd = listen_fd;
	if (sp->folders.many_uids && open_uids(sp, err) < 0)
		return -(int)err->code;
	open_cgroups(sp);
	adopt_all(sp);
	if (listen_fd < 0) {
		(void)snprintf(path, sizeof(path), "%s/spawner/ctl.sock", sp->folders.run_dir);
		listen_fd = unixsock_listen(path, SOCK_SEQPACKET,
		    sp->folders.group == (gid_t)-1 ? 0600 : 0660, sp->folders.group, err);
		if (listen_fd < 0)
			return listen_fd;
	}
	return hubs_open(sp, listen_fd, err);
}

static bool any_removing(const struct spawner *sp)
{
	cyg_list_each (l, &sp->servers)
		if (CYG_CONTAINER_OF(l, struct server, link)->step == STEP_REMOVING)
			return true;
	return false;
}

void spawner_close(struct spawner *sp)
{
	hubs_close(sp);
	/* What is being removed is removed whole; the rest lives on and is adopted next time. */
	while (any_removing(sp))
		(void)uv_run(sp->loop, UV_RUN_ONCE);
	cyg_list_each_safe (l, &sp->servers)
		server_drop(CYG_CONTAINER_OF(l, struct server, link));
	cyg_close(sp->listen_fd);
	cgroups_close(&sp->cgroups);
	uids_close(sp->uids);
	policy_free(sp->policy);
	folders_close(&sp->folders);
}

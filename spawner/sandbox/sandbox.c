/* The sandbox engine: one bubblewrap for each server, with all namespaces of its own and a network
 * of loopback only. */
#include "spawner/sandbox/sandbox.h"

#include "base/mem.h"
#include "spawner/local/record.h"
#include "spawner/sandbox/bwrap.h"
#include "spawner/sandbox/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define INSIDE_RUN "/run/cygnet"
#define INSIDE_BIN "/cygnet/bin"

static void sandbox_places(void *arg, const struct local_server *s, struct local_places *ret)
{
	struct policy_places p = { .user = s->spec.user };
	cyg_autofree char *home = NULL;

	if (policy_expand(s->grant.template_->home, &p, &home, NULL) < 0)
		home = cyg_xasprintf("/home/%s", s->spec.user);
	(void)cyg_str_copy(ret->home, sizeof(ret->home), cyg_str_of(home));
	(void)snprintf(ret->run_dir, sizeof(ret->run_dir), "%s", INSIDE_RUN);
	(void)snprintf(ret->bin, sizeof(ret->bin), "%s", INSIDE_BIN);
}

static int add_mounts(struct bwrap *b, const struct policy_mounts *m, const struct policy_places *p,
    struct cyg_err *err)
{
	/* The host's later mounts below source show inside too: bubblewrap makes every bind a
	 * slave of the host's, which is what automounted repositories need. */
	for (size_t i = 0; i < m->n; i++) {
		const struct policy_mount *one = &m->list[i];
		cyg_autofree char *source = NULL, *target = NULL;
		const char *option = one->writable ? "--bind" : "--ro-bind";

		if (one->optional)
			option = one->writable ? "--bind-try" : "--ro-bind-try";
		if (policy_expand(one->source, p, &source, err) < 0 ||
		    policy_expand(one->target, p, &target, err) < 0)
			return -(int)CYG_EINVAL;
		bwrap_add(b, option, source, target, NULL);
	}
	return 0;
}

static void add_tmpfs(struct bwrap *b, const char *path, uint64_t bytes)
{
	char size[32];

	(void)snprintf(size, sizeof(size), "%llu", (unsigned long long)bytes);
	bwrap_add(b, "--perms", "1777", "--size", size, "--tmpfs", path, NULL);
}

/* The server's own control group, read-only, where programs (such as the JVM) look for their
 * limits.
 */
static void add_figures(struct bwrap *b, const struct cgroups *c, const char *id)
{
	static const char *const targets[CGROUP_PARTS] = { "/sys/fs/cgroup/memory",
		"/sys/fs/cgroup/pids", "/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpuacct" };

	for (int part = 0; part < CGROUP_PARTS; part++) {
		char path[CGROUP_DIR_MAX + 32];

		if (c->dirs[part][0] == '\0' || (c->version == 2 && part > 0))
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", c->dirs[part], id);
		bwrap_add(b, "--ro-bind-try", path,
		    c->version == 2 ? "/sys/fs/cgroup" : targets[part], NULL);
	}
}

static void add_run_folder(struct bwrap *b, const struct folders *f, const struct local_server *s)
{
	char path[CYG_PATH_MAX];

	folders_run_path(f, s->spec.server_id, path);
	bwrap_add(b, "--bind", path, INSIDE_RUN, NULL);
	/* A tmpfs of the container's own: it ends with the container, even without a spawner. */
	bwrap_add(
	    b, "--perms", "0700", "--size", "1048576", "--tmpfs", INSIDE_RUN "/secrets", NULL);
	if (s->spec.credential[0] != '\0')
		bwrap_add(b, "--perms", "0400", "--file",
		    bwrap_add_fd(b, bwrap_data(s->spec.credential, strlen(s->spec.credential))),
		    INSIDE_RUN "/secrets/credential", NULL);
	/* The folder, not the socket: a proxy that starts again binds a new one in it. */
	bwrap_add(b, "--ro-bind-try", f->inner_dir, INSIDE_RUN "/door", "--symlink",
	    "door/hub.sock", INSIDE_RUN "/hub.sock", NULL);
}

static int status_file(const struct folders *f, const char *id, struct cyg_err *err)
{
	char name[RECORD_NAME_MAX];
	int fd;

	record_file_name(name, id, "status");
	fd = openat(f->records, name,
	    O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? cyg_fail_sys(err, errno, "write '%s'", name) : fd;
}

static int add_all(struct bwrap *b, const struct local_server *s, struct cyg_err *err)
{
	const struct folders *f = &s->local->folders;
	struct local_places at = { 0 };
	struct policy_places p = { .user = s->spec.user, .cache = f->cache_dir };
	int filter = seccomp_memfd(err), status = -1;

	if (filter < 0)
		return filter;
	status = status_file(f, s->spec.server_id, err);
	if (status < 0) {
		cyg_close(filter);
		return status;
	}
	sandbox_places(NULL, s, &at);
	bwrap_add(b, "--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc",
	    "--unshare-uts", "--unshare-cgroup", "--hostname", BWRAP_HOST_NAME, "--as-pid-1",
	    "--new-session", "--cap-drop", "ALL", NULL);
	bwrap_add(b, "--seccomp", bwrap_add_fd(b, filter), NULL);
	bwrap_add(b, "--json-status-fd", bwrap_add_fd(b, status), NULL);
	bwrap_add_system(b, s, at.home);
	add_tmpfs(b, "/tmp", s->grant.template_->tmp_bytes);
	add_tmpfs(b, "/dev/shm", s->grant.template_->shm_bytes);
	bwrap_add(b, "--bind", s->home, at.home, NULL);
	if (add_mounts(b, &s->grant.template_->mounts, &p, err) < 0 ||
	    add_mounts(b, &s->grant.stack->mounts, &p, err) < 0)
		return -(int)CYG_EINVAL;
	add_figures(b, &s->local->cgroups, s->spec.server_id);
	add_run_folder(b, f, s);
	bwrap_add(b, "--ro-bind", s->local->bin, INSIDE_BIN, "--chdir", at.home, "--remount-ro",
	    "/", NULL);
	return 0;
}

static int sandbox_start(void *arg, struct local_server *s, struct launch *base, char *const *argv,
    int listen_fd, struct cyg_err *err)
{
	const struct sandbox *sandbox = arg;
	struct bwrap b;
	char number[16];
	const char **line = NULL;
	size_t n = 0;
	int r;

	bwrap_init(&b, listen_fd);
	if (base->dies_with_us)
		bwrap_add(&b, "--die-with-parent", NULL);
	r = add_all(&b, s, err);
	if (r == 0)
		r = bwrap_finish(&b, number, err);
	if (r == 0) {
		while (argv[n] != NULL)
			n++;
		line = cyg_xcalloc(n + 5, sizeof(*line));
		line[0] = "bwrap";
		line[1] = "--args";
		line[2] = number;
		line[3] = "--";
		memcpy(line + 4, argv, n * sizeof(*argv));
		memcpy(base->fds, b.fds, b.n_fds * sizeof(*b.fds));
		base->n_fds = b.n_fds;
		base->path = sandbox->bwrap;
		base->argv = (char *const *)(const void *)line;
		r = launch(base, &s->started.pid, err);
	}
	free(line);
	bwrap_free(&b);
	return r;
}

const struct local_kind sandbox_kind = {
	.name = "sandbox",
	.isolation = SPAWN_ISOLATION_SANDBOX,
	.own_secrets = true,
	.pid_namespace = true,
	.places = sandbox_places,
	.start = sandbox_start,
};

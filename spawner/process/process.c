/* The process engine: no isolation beyond the uid (as root), for machines where namespaces are
 * forbidden, and for development. The same run folder, the same init, host paths. */
#include "spawner/process/process.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void process_places(void *arg, const struct local_server *s, struct local_places *ret)
{
	memcpy(ret->home, s->home, sizeof(ret->home));
	folders_run_path(&s->local->folders, s->spec.server_id, ret->run_dir);
	memcpy(ret->bin, s->local->bin, sizeof(ret->bin));
}

static int link_inner(const struct folders *f, const char *id, struct cyg_err *err)
{
	char path[CYG_PATH_MAX], target[CYG_PATH_MAX + 16];
	cyg_autoclose int dir = -1;

	folders_run_path(f, id, path);
	(void)snprintf(target, sizeof(target), "%s/hub.sock", f->inner_dir);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 || symlinkat(target, dir, "hub.sock") < 0)
		return cyg_fail_sys(err, errno, "link the folder of the inner listener");
	return 0;
}

static int process_start(void *arg, struct local_server *s, struct launch *base, char *const *argv,
    int listen_fd, struct cyg_err *err)
{
	if (link_inner(&s->local->folders, s->spec.server_id, err) < 0)
		return -(int)err->code;
	base->fds[0] = listen_fd;
	base->n_fds = 1;
	base->path = argv[0];
	base->argv = argv;
	base->cwd = s->home;
	return launch(base, &s->started.pid, err);
}

const struct local_kind process_kind = {
	.name = "process",
	.isolation = SPAWN_ISOLATION_PROCESS,
	.places = process_places,
	.start = process_start,
};

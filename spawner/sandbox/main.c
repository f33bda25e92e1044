/* cygnet-spawner-sandbox: the only program of Cygnet that runs as root. It starts servers on this
 * machine when the hub asks, as far as the files of root allow. */
#include "base/mem.h"
#include "base/str.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "daemon/options.h"
#include "spawner/core/spawner.h"
#include "spawner/sandbox/sandbox.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct config {
	char *run_dir, *state_dir, *cache_dir, *inner_dir, *bin_dir, *templates, *stacks, *bwrap;
	uint64_t hub_uid, group;
	int engine, log_level;
};

static const char *const engine_choices[] = { "auto", "sandbox", "process", NULL };
static const char *const level_choices[] = { "debug", "info", "warn", "error", NULL };

#define AT(member) offsetof(struct config, member)

static const struct cyg_option options[] = {
	{ .name = "run-dir",
	    .type = OPT_STRING,
	    .offset = AT(run_dir),
	    .value = "/run/cygnet",
	    .doc =
		"Run folder: sockets, run folders of servers, records. Local disk; as root every "
		"user must be able to pass through it (0711)." },
	{ .name = "state-dir",
	    .type = OPT_STRING,
	    .offset = AT(state_dir),
	    .value = "/var/lib/cygnet",
	    .doc = "State folder: the file of uids, and homes." },
	{ .name = "cache-dir",
	    .type = OPT_STRING,
	    .offset = AT(cache_dir),
	    .value = "/var/cache/cygnet",
	    .doc = "Cache folder, which every user must be able to read: the container's binaries "
		   "are copied there. {cache} in templates and stacks." },
	{ .name = "inner-dir",
	    .type = OPT_STRING,
	    .offset = AT(inner_dir),
	    .value = NULL,
	    .doc =
		"Folder of the proxy's inner listener, hub.sock, bound into containers. Default: "
		"inner below run-dir." },
	{ .name = "bin-dir",
	    .type = OPT_STRING,
	    .offset = AT(bin_dir),
	    .value = NULL,
	    .doc =
		"Folder with cygnet-init and cygnet-agent. Default: the folder of this program." },
	{ .name = "templates",
	    .type = OPT_STRING,
	    .offset = AT(templates),
	    .required = true,
	    .doc = "YAML file of templates: what may be run. Writable by root alone." },
	{ .name = "stacks",
	    .type = OPT_STRING,
	    .offset = AT(stacks),
	    .required = true,
	    .doc = "YAML file of software stacks. Writable by root alone." },
	{ .name = "engine",
	    .type = OPT_ENUM,
	    .offset = AT(engine),
	    .value = "auto",
	    .choices = engine_choices,
	    .doc = "sandbox: bubblewrap, or do not start. process: no isolation, development only. "
		   "auto: sandbox if one can be made here, else process, saying why." },
	{ .name = "bwrap",
	    .type = OPT_STRING,
	    .offset = AT(bwrap),
	    .value = "/usr/bin/bwrap",
	    .doc = "Path of bubblewrap." },
	{ .name = "hub-uid",
	    .type = OPT_UINT,
	    .offset = AT(hub_uid),
	    .value = "199001",
	    .min = 0,
	    .max = UINT32_MAX - 1,
	    .doc = "Uid of the hub, the only one (besides the spawner's own) that may connect." },
	{ .name = "group",
	    .type = OPT_UINT,
	    .offset = AT(group),
	    .value = "199000",
	    .min = 0,
	    .max = UINT32_MAX - 1,
	    .doc =
		"As root: group of proxy and hub, which may enter the folder of servers' sockets." },
	{ .name = "log-level",
	    .type = OPT_ENUM,
	    .offset = AT(log_level),
	    .value = "info",
	    .choices = level_choices,
	    .doc = "Lines below this level are not written." },
	{ .name = NULL },
};

static const struct cyg_program program = { .name = "cygnet-spawner-sandbox",
	.purpose = "Starts, lists and stops notebook servers on this machine for the hub.",
	.options = options,
	.files = policy_files };

struct daemon {
	struct spawner spawner;
	struct local local;
	struct sandbox sandbox;
	struct cyg_loop *loop;
};

static void on_end(void *arg, const char *why)
{
	struct daemon *d = arg;

	cyg_log_info("main", "ends: %s; servers live on", why);
	spawner_close(&d->spawner);
	cyg_loop_stop(d->loop);
}

static int copy_path(char *out, const char *value, const char *name, struct cyg_err *err)
{
	if (value[0] != '/' || !cyg_str_copy(out, CYG_PATH_MAX, cyg_str_of(value)))
		return cyg_fail(err, CYG_EINVAL, "%s must be an absolute path", name);
	return 0;
}

static int set_folders(struct folders *f, const struct config *c, struct cyg_err *err)
{
	cyg_autofree char *inner = c->inner_dir != NULL ? cyg_xstrdup(c->inner_dir)
							: cyg_xasprintf("%s/inner", c->run_dir);

	f->many_uids = launch_may_become_others();
	f->group = f->many_uids ? (gid_t)c->group : (gid_t)-1;
	if (copy_path(f->run_dir, c->run_dir, "run-dir", err) < 0 ||
	    copy_path(f->state_dir, c->state_dir, "state-dir", err) < 0 ||
	    copy_path(f->cache_dir, c->cache_dir, "cache-dir", err) < 0 ||
	    copy_path(f->inner_dir, inner, "inner-dir", err) < 0)
		return -(int)CYG_EINVAL;
	return folders_open(f, err);
}

static int install_binaries(struct local *l, const struct config *c, struct cyg_err *err)
{
	char self[CYG_PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (c->bin_dir != NULL)
		return local_install_binaries(l, c->bin_dir, err);
	self[n > 0 ? n : 0] = '\0';
	slash = strrchr(self, '/');
	if (slash != NULL)
		*slash = '\0';
	return local_install_binaries(l, self, err);
}

/* The engine, from policy to limits. */
static int prepare(struct daemon *d, const struct config *c, struct cyg_err *err)
{
	struct local *l = &d->local;

	l->files = launch_raise_files();
	l->folders.records = l->folders.state = -1;
	d->sandbox.bwrap = c->bwrap;
	if (policy_load(c->templates, c->stacks, &d->spawner.policy, err) < 0 ||
	    set_folders(&l->folders, c, err) < 0 || install_binaries(l, c, err) < 0 ||
	    engines_choose(l, &d->sandbox, (enum engine_choice)c->engine, err) < 0 ||
	    local_open(l, err) < 0)
		return -(int)err->code;
	engines_state(l);
	return 0;
}

static int start(struct daemon *d, const struct config *c, struct cyg_err *err)
{
	struct spawner *sp = &d->spawner;
	int listen_fd = cyg_listen_fd("ctl");

	(void)umask(022);
	if (prepare(d, c, err) < 0)
		return -(int)err->code;
	if (listen_fd < 0)
		listen_fd = local_listen(&d->local, err);
	if (listen_fd < 0 || cyg_loop_new(on_end, d, cyg_listen_fd("parent"), &d->loop, err) < 0)
		return -(int)err->code;
	sp->loop = d->local.loop = cyg_loop_uv(d->loop);
	sp->hub_uid = (uid_t)c->hub_uid;
	sp->engine = &local_engine;
	sp->engine_arg = &d->local;
	spawner_open(sp, listen_fd);
	return 0;
}

int main(int argc, char **argv)
{
	static struct daemon d;
	struct config config = { 0 };
	struct cyg_err err = { 0 };
	int first;

	cyg_log_init(program.name, CYG_LOG_INFO);
	if (cyg_options_read(&program, argc, argv, &config, &first, &err) < 0) {
		cyg_log_error("main", "%s", err.msg);
		cyg_options_free(&program, &config);
		return 64;
	}
	cyg_log_init(program.name, (enum cyg_log_level)config.log_level);
	if (start(&d, &config, &err) < 0) {
		cyg_log_error("main", "%s", err.msg);
		policy_free(d.spawner.policy);
		local_abandon(&d.local);
		cyg_options_free(&program, &config);
		return 1;
	}
	cyg_log_info("main", "ready");
	cyg_loop_ready(d.loop);
	cyg_loop_run(d.loop);
	cyg_loop_free(d.loop);
	cyg_options_free(&program, &config);
	return 0;
}

/* cygnet-spawner-fault: a spawner whose servers go wrong on purpose. The core is the real one; its
 * engine refuses some starts itself and leaves the others to the real engine of local servers
 * (records, clean-up), whose servers are forked here; the name of the template says what happens.
 * `ok` is also the null engine of the benches. */
#include "base/mem.h"
#include "base/num.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "daemon/options.h"
#include "spawner/core/spawner.h"
#include "spawner/local/local.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static void say(const char *line)
{
	(void)!write(1, line, strlen(line));
}

/* Responds to every request with 200 and a line of JSON, one at a time. */
static void serve(void)
{
	static const char answer[] =
	    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 20\r\n"
	    "Connection: close\r\n\r\n{\"version\": \"fault\"}";
	char request[16 * 1024];

	(void)fcntl(LAUNCH_FD_FIRST, F_SETFL, 0);
	for (;;) {
		int fd = accept4(LAUNCH_FD_FIRST, NULL, NULL, SOCK_CLOEXEC);

		if (fd >= 0 && read(fd, request, sizeof(request)) > 0)
			(void)!write(fd, answer, sizeof(answer) - 1);
		cyg_close(fd);
	}
}

static void start_agent(void)
{
	say("ready\nstage setup 1\nstage agent 0\n");
}

static unsigned seconds_of(const struct local_server *s)
{
	uint64_t seconds = 3;

	for (size_t i = 0; i < s->grant.template_->n_env; i++)
		if (strcmp(s->grant.template_->env[i].name, "seconds") == 0)
			(void)cyg_num_parse_u64(
			    cyg_str_of(s->grant.template_->env[i].value), 0, 3600, &seconds, NULL);
	return (unsigned)seconds;
}

static void wait_seconds(const struct local_server *s)
{
	const struct timespec t = { .tv_sec = (time_t)seconds_of(s) };

	(void)nanosleep(&t, NULL);
}

static void run_ok(const struct local_server *s)
{
	start_agent();
	serve();
}

static void run_slow(const struct local_server *s)
{
	say("ready\n");
	wait_seconds(s);
	say("stage setup 1000\nstage agent 0\n");
	serve();
}

static void run_never(const struct local_server *s)
{
	start_agent();
	for (;;)
		(void)pause();
}

static void run_dies(const struct local_server *s)
{
	start_agent();
	_exit(3);
}

static void run_dies_later(const struct local_server *s)
{
	start_agent();
	(void)signal(SIGALRM, SIG_DFL);
	(void)alarm(seconds_of(s));
	serve();
}

static void run_bad_port(const struct local_server *s)
{
	start_agent();
	(void)close(LAUNCH_FD_FIRST);
	for (;;)
		(void)pause();
}

static void run_mute(const struct local_server *s)
{
	for (;;)
		(void)pause();
}

static void run_container_fails(const struct local_server *s)
{
	say("bwrap: No permissions to create a new namespace\n");
	_exit(1);
}

static void run_setup_fails(const struct local_server *s)
{
	static const char text[] = "loading the stack\nsetup.sh: line 3: no such release\n";
	char path[CYG_PATH_MAX + 32];
	int fd;

	say("ready\n");
	folders_run_path(&s->local->folders, s->spec.server_id, path);
	(void)snprintf(path + strlen(path), 32, "/log/setup.log");
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	(void)!write(fd, text, sizeof(text) - 1);
	say("stage setup failed 12\n");
	_exit(INIT_EXIT_SETUP);
}

static void run_setup_hangs(const struct local_server *s)
{
	say("ready\n");
	wait_seconds(s);
	say("stage setup failed 3000\n");
	_exit(INIT_EXIT_SETUP_TIME);
}

static const struct fault {
	const char *name;
	void (*run)(const struct local_server *s);
} faults[] = {
	{ "ok", run_ok },
	{ "slow", run_slow },
	{ "never", run_never },
	{ "dies", run_dies },
	{ "dies-later", run_dies_later },
	{ "bad-port", run_bad_port },
	{ "mute", run_mute },
	{ "container-fails", run_container_fails },
	{ "setup-fails", run_setup_fails },
	{ "setup-hangs", run_setup_hangs },
};

static void run(void *arg)
{
	const struct local_server *s = arg;

	for (size_t i = 0; i < CYG_N(faults); i++)
		if (strcmp(s->grant.template_->name, faults[i].name) == 0)
			faults[i].run(s);
	_exit(0);
}

static void fault_places(void *arg, const struct local_server *s, struct local_places *ret)
{
	memcpy(ret->home, s->home, sizeof(ret->home));
	folders_run_path(&s->local->folders, s->spec.server_id, ret->run_dir);
}

static int fault_launch(void *arg, struct local_server *s, struct launch *base, char *const *argv,
    int listen_fd, struct cyg_err *err)
{
	const char *name = s->grant.template_->name;

	for (size_t i = 0; i < CYG_N(faults); i++) {
		if (strcmp(name, faults[i].name) != 0)
			continue;
		base->fds[0] = listen_fd;
		base->n_fds = 1;
		return launch_function(base, run, s, &s->started.pid, err);
	}
	return cyg_fail(err, CYG_EINVAL, "the fault engine has no fault '%s'", name);
}

static const struct local_kind fault_kind = { .name = "fault",
	.isolation = SPAWN_ISOLATION_PROCESS,
	.places = fault_places,
	.start = fault_launch };

/* An engine that has no room says so before anything is done. */
static void fault_start(void *engine, const struct spawn_spawn *request,
    const struct policy_grant *grant, const struct engine_answer *answer)
{
	struct cyg_err err;

	if (strcmp(grant->template_->name, "refused") != 0) {
		local_engine.start(engine, request, grant, answer);
		return;
	}
	(void)cyg_fail(&err, CYG_EBUSY, "the engine has no room for another server");
	local_answer_later(engine, answer, NULL, &err);
}

struct config {
	char *run_dir, *state_dir, *templates, *stacks;
	uint64_t hub_uid;
};

static const struct cyg_option options[] = {
	{ .name = "run-dir",
	    .type = OPT_STRING,
	    .offset = offsetof(struct config, run_dir),
	    .required = true,
	    .doc = "Run folder." },
	{ .name = "state-dir",
	    .type = OPT_STRING,
	    .offset = offsetof(struct config, state_dir),
	    .required = true,
	    .doc = "State folder." },
	{ .name = "templates",
	    .type = OPT_STRING,
	    .offset = offsetof(struct config, templates),
	    .required = true,
	    .doc = "Templates; their names say what goes wrong." },
	{ .name = "stacks",
	    .type = OPT_STRING,
	    .offset = offsetof(struct config, stacks),
	    .required = true,
	    .doc = "Stacks." },
	{ .name = "hub-uid",
	    .type = OPT_UINT,
	    .offset = offsetof(struct config, hub_uid),
	    .value = "0",
	    .max = UINT32_MAX - 1,
	    .doc = "Uid of the hub." },
	{ .name = NULL },
};

static const struct cyg_program program = { .name = "cygnet-spawner-fault",
	.purpose = "Starts servers that go wrong as their template's name says.",
	.options = options };

static struct spawner spawner;
static struct local local;
static struct engine fault_engine;
static struct cyg_loop *loop;

static void on_end(void *arg, const char *why)
{
	spawner_close(&spawner);
	cyg_loop_stop(loop);
}

static int start(const struct config *c, struct cyg_err *err)
{
	int listen_fd = cyg_listen_fd("ctl");

	(void)umask(022);
	local.kind = &fault_kind;
	local.folders.group = (gid_t)-1;
	(void)snprintf(local.statement, sizeof(local.statement), "Servers fail on purpose.");
	if (!cyg_str_copy(local.folders.run_dir, CYG_PATH_MAX, cyg_str_of(c->run_dir)) ||
	    !cyg_str_copy(local.folders.state_dir, CYG_PATH_MAX, cyg_str_of(c->state_dir)))
		return cyg_fail(err, CYG_EINVAL, "a path is too long");
	if (policy_load(c->templates, c->stacks, &spawner.policy, err) < 0 ||
	    folders_open(&local.folders, err) < 0 || local_open(&local, err) < 0)
		return -(int)err->code;
	if (listen_fd < 0)
		listen_fd = local_listen(&local, err);
	if (listen_fd < 0 || cyg_loop_new(on_end, NULL, cyg_listen_fd("parent"), &loop, err) < 0)
		return -(int)err->code;
	fault_engine = local_engine;
	fault_engine.start = fault_start;
	spawner.loop = local.loop = cyg_loop_uv(loop);
	spawner.hub_uid = (uid_t)c->hub_uid;
	spawner.engine = &fault_engine;
	spawner.engine_arg = &local;
	spawner_open(&spawner, listen_fd);
	return 0;
}

int main(int argc, char **argv)
{
	struct config config = { 0 };
	struct cyg_err err = { 0 };
	int first;

	cyg_log_init(program.name, CYG_LOG_INFO);
	if (cyg_options_read(&program, argc, argv, &config, &first, &err) < 0 ||
	    start(&config, &err) < 0) {
		cyg_log_error("main", "%s", err.msg);
		return 1;
	}
	cyg_log_info("main", "ready");
	cyg_loop_run(loop);
	cyg_loop_free(loop);
	cyg_options_free(&program, &config);
	return 0;
}

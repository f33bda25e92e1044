/* Tries at start whether a sandbox can be made here, and chooses the engine by the result. */
#include "spawner/sandbox/sandbox.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/num.h"
#include "daemon/log.h"
#include "spawner/local/record.h"
#include "spawner/process/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROBE_MS = 20 * 1000, PROBE_MARK_MAX = 40 };
#define PROBE_ID "ffffffffffffffff"

/* The last line of what bubblewrap said. */
static void last_line(int fd, char *out, size_t size)
{
	char text[2048];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	struct cyg_str rest, line, last = CYG_STR("no reason given");

	text[n > 0 ? n : 0] = '\0';
	rest = cyg_str_of(text);
	while (rest.len > 0 && cyg_str_next(&rest, '\n', &line))
		if (line.len > 0)
			last = line;
	(void)snprintf(out, size, "%.*s", CYG_STR_ARGS(last));
}

static int wait_for(pid_t pid, int out, struct cyg_err *err)
{
	cyg_autoclose int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };
	char said[200];
	int status = 0;

	if (poll(&poll_fd, 1, PROBE_MS) != 1) {
		process_kill_tree(pid);
		(void)kill(pid, SIGKILL);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (WIFEXITED(status) && WEXITSTATUS(status) == INIT_EXIT_USAGE)
		return 0;
	last_line(out, said, sizeof(said));
	return cyg_fail(err, CYG_EDENIED, "%s", said);
}

/* The name of the file that a probe prints into. It tells the probes of this run folder from those
 * of other spawners. */
static const char *probe_mark(const struct folders *f, char mark[PROBE_MARK_MAX])
{
	static const uint8_t key[16] = "cygnet probe";

	(void)snprintf(mark, PROBE_MARK_MAX, "cygnet-probe-%016llx",
	    (unsigned long long)cyg_siphash(key, f->run_dir, strlen(f->run_dir)));
	return mark;
}

static bool is_probe(const char *pid, uid_t uid, const char *mark)
{
	char path[64], target[PROBE_MARK_MAX + 32];
	struct stat st;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%.16s", pid);
	if (stat(path, &st) < 0 || st.st_uid != uid)
		return false;
	(void)snprintf(path, sizeof(path), "/proc/%.16s/fd/1", pid);
	n = readlink(path, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = '\0';
	return strstr(target, mark) != NULL;
}

/* Ends the probe of an earlier spawner. A probe normally ends with its spawner. But for an instant,
 * while bubblewrap's child waits for its parent, it has not set its death signal yet and holds both
 * ends of the pipe that it waits on; then it stays. */
static void sweep(const struct folders *f, uid_t uid)
{
	char mark[PROBE_MARK_MAX];
	DIR *proc = opendir("/proc");
	const struct dirent *e;
	uint64_t pid;

	(void)probe_mark(f, mark);
	while (proc != NULL && (e = readdir(proc)) != NULL) {
		if (cyg_num_parse_u64(cyg_str_of(e->d_name), 2, INT32_MAX, &pid, NULL) < 0 ||
		    !is_probe(e->d_name, uid, mark))
			continue;
		cyg_log_info("engine", "process %llu, a probe of an earlier spawner, is ended",
		    (unsigned long long)pid);
		(void)kill((pid_t)pid, SIGKILL);
	}
	if (proc != NULL)
		(void)closedir(proc);
}

static int run(struct sandbox *sandbox, struct local_server *s, struct cyg_err *err)
{
	static char init[] = "/cygnet/bin/cygnet-init";
	char *argv[] = { init, NULL };
	cyg_autoclose int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char mark[PROBE_MARK_MAX];
	cyg_autoclose int out = memfd_create(probe_mark(&s->local->folders, mark), MFD_CLOEXEC);
	struct launch base = {
		.account = &s->account, .out = out, .started_fd = -1, .dies_with_us = true
	};

	if (listener < 0 || out < 0)
		return cyg_fail_sys(err, errno, "probe");
	if (sandbox_kind.start(sandbox, s, &base, argv, listener, err) < 0)
		return -(int)err->code;
	return wait_for(s->started.pid, out, err);
}

static void remove_places(const struct folders *f)
{
	bool more;

	do {
		if (folders_remove_some(f, PROBE_ID, LOCAL_REMOVE_STEP, &more, NULL) < 0)
			return;
	} while (more);
}

int probe_sandbox(struct local *l, struct sandbox *sandbox, struct cyg_err *err)
{
	const struct folders *f = &l->folders;
	static char home[] = "/home/probe";
	struct policy_template template_ = {
		.home = home, .tmp_bytes = 1 << 20, .shm_bytes = 1 << 20
	};
	struct policy_stack stack = { 0 };
	struct local_server *s = cyg_xcalloc(1, sizeof(*s));
	int r;

	s->local = l;
	s->grant.template_ = &template_;
	s->grant.stack = &stack;
	(void)snprintf(s->spec.server_id, sizeof(s->spec.server_id), "%s", PROBE_ID);
	(void)snprintf(s->spec.user, sizeof(s->spec.user), "probe");
	s->account.uid = f->many_uids ? LAUNCH_PROBE_UID : geteuid();
	s->account.gid = f->many_uids ? LAUNCH_PROBE_UID : getegid();
	sweep(f, s->account.uid);
	folders_run_path(f, PROBE_ID, s->home);
	remove_places(f);
	r = folders_make_run(f, PROBE_ID, &s->account, err);
	if (r == 0)
		r = run(sandbox, s, err);
	remove_places(f);
	record_remove(f->records, PROBE_ID);
	free(s);
	return r;
}

int engines_choose(
    struct local *l, struct sandbox *sandbox, enum engine_choice choice, struct cyg_err *err)
{
	struct cyg_err why;

	l->kind = &process_kind;
	if (choice == ENGINE_PROCESS) {
		(void)snprintf(l->statement, sizeof(l->statement),
		    "as the configuration asks (engine: process)");
		return 0;
	}
	if (access(sandbox->bwrap, X_OK) < 0)
		(void)cyg_fail_sys(&why, errno, "bubblewrap, '%s'", sandbox->bwrap);
	else if (probe_sandbox(l, sandbox, &why) == 0) {
		l->kind = &sandbox_kind;
		l->kind_arg = sandbox;
		return 0;
	}
	if (choice == ENGINE_SANDBOX)
		return cyg_fail(err, CYG_EDENIED, "no sandbox can be made here: %s", why.msg);
	(void)snprintf(l->statement, sizeof(l->statement),
	    "because no sandbox can be made here: %.150s", why.msg);
	return 0;
}

static void limits_text(const struct cgroups *g, char *out, size_t size)
{
	static const char *const names[] = { "memory", "processes", "cpu" };
	uint32_t bits = cgroups_enforced(g);
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < CYG_N(names); i++)
		if ((bits & (1U << i)) != 0)
			len += (size_t)snprintf(
			    out + len, size - len, "%s%s", len > 0 ? ", " : "", names[i]);
	if (len == 0)
		(void)snprintf(out, size, "none (%.60s)", g->why);
}

void engines_state(struct local *l)
{
	char limits[100], reason[sizeof(l->statement)];

	limits_text(&l->cgroups, limits, sizeof(limits));
	memcpy(reason, l->statement, sizeof(reason));
	if (l->kind == &process_kind)
		(void)snprintf(l->statement, sizeof(l->statement),
		    "No isolation: servers are plain processes, %.120s. Limits: %.60s.", reason,
		    limits);
	else if (l->folders.many_uids)
		(void)snprintf(l->statement, sizeof(l->statement),
		    "Each server has a sandbox of its own and runs as its user's uid. Limits: %s.",
		    limits);
	else
		(void)snprintf(l->statement, sizeof(l->statement),
		    "Each server has a sandbox of its own, but all run as uid %u: nothing separates "
		    "them from that account. Limits: %.60s.",
		    geteuid(), limits);
	if (l->kind == &process_kind || cgroups_enforced(&l->cgroups) == 0)
		cyg_log_warn("engine", "%s", l->statement);
	else
		cyg_log_info("engine", "%s", l->statement);
}

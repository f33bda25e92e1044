/* fork, become the user, exec. The child's part runs between fork and exec and calls nothing that
 * may take a lock. */
#include "spawner/local/launch.h"

#include "base/mem.h"
#include "spawner/local/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FD_HIGH = 200 }; /* descriptors are parked from here while 3, 4, ... are filled */

/* Which step failed, sent up the pipe with errno. */
enum step { STEP_SESSION, STEP_GROUP, STEP_RECORD, STEP_FDS, STEP_USER, STEP_CWD, STEP_EXEC };

static const char *const step_texts[] = { "start a session", "enter its control group",
	"write its record", "arrange descriptors", "become the user", "enter its folder", "run" };

struct report {
	enum step step;
	int errnum;
};

static void fail(int report_fd, enum step step)
{
	struct report r = { step, errno };

	(void)!write(report_fd, &r, sizeof(r));
	_exit(126);
}

static void enter_groups(const struct launch *l, int report_fd)
{
	for (size_t i = 0; i < l->n_procs; i++)
		if (write(l->procs[i], "0", 1) != 1)
			fail(report_fd, STEP_GROUP);
}

static void write_started(const struct launch *l, int report_fd)
{
	char text[64];
	int len = snprintf(text, sizeof(text), "%d %llu\n", (int)getpid(),
	    (unsigned long long)process_start_time(getpid()));

	if (l->started_fd >= 0 && write(l->started_fd, text, (size_t)len) != len)
		fail(report_fd, STEP_RECORD);
}

/* Moves all descriptors above FD_HIGH first, so that filling 3, 4, ... overwrites none that is
 * still needed. Returns the report pipe's new number. */
static int arrange_fds(const struct launch *l, int report_fd)
{
	int parked[LAUNCH_FDS_MAX + 2], null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int report = fcntl(report_fd, F_DUPFD_CLOEXEC, FD_HIGH);

	parked[LAUNCH_FDS_MAX] = fcntl(l->out, F_DUPFD_CLOEXEC, FD_HIGH);
	if (null < 0 || report < 0 || parked[LAUNCH_FDS_MAX] < 0)
		fail(report_fd, STEP_FDS);
	for (size_t i = 0; i < l->n_fds; i++) {
		parked[i] = fcntl(l->fds[i], F_DUPFD_CLOEXEC, FD_HIGH);
		if (parked[i] < 0)
			fail(report, STEP_FDS);
	}
	if (dup2(null, 0) < 0 || dup2(parked[LAUNCH_FDS_MAX], 1) < 0 ||
	    dup2(parked[LAUNCH_FDS_MAX], 2) < 0)
		fail(report, STEP_FDS);
	for (size_t i = 0; i < l->n_fds; i++)
		if (dup2(parked[i], LAUNCH_FD_FIRST + (int)i) < 0)
			fail(report, STEP_FDS);
	report = dup3(report, LAUNCH_FD_FIRST + (int)l->n_fds, O_CLOEXEC);
	if (report < 0 || close_range((unsigned)report + 1, ~0U, 0) < 0)
		fail(report, STEP_FDS);
	return report;
}

static void become(const struct launch *l, pid_t parent, int report)
{
	const struct rlimit no_core = { 0, 0 };
	const struct uids_account *p = l->account;

	(void)setrlimit(RLIMIT_CORE, &no_core);
	if (l->files != NULL)
		(void)setrlimit(RLIMIT_NOFILE, l->files);
	if (p->uid != geteuid()) {
		if (setgroups(p->n_groups, p->groups) < 0 ||
		    setresgid(p->gid, p->gid, p->gid) < 0 || setresuid(p->uid, p->uid, p->uid) < 0)
			fail(report, STEP_USER);
		if (setuid(0) == 0) {
			errno = EPERM;
			fail(report, STEP_USER);
		}
	}
	/* Only now: a change of the uid clears this setting. */
	if (l->dies_with_us && (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent))
		_exit(126);
}

static void child(
    const struct launch *l, pid_t parent, int report_fd, void (*run)(void *arg), void *arg)
{
	char *const no_env[] = { NULL };
	sigset_t none;
	int report;

	/* Until its record is written a later spawner could not find it, so it ends with this one.
	 */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(126);
	sigemptyset(&none);
	if (setsid() < 0 || sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		fail(report_fd, STEP_SESSION);
	for (int sig = 1; sig < 32; sig++)
		(void)signal(sig, SIG_DFL);
	(void)umask(022);
	enter_groups(l, report_fd);
	write_started(l, report_fd);
	(void)prctl(PR_SET_PDEATHSIG, 0);
	report = arrange_fds(l, report_fd);
	become(l, parent, report);
	if (l->cwd != NULL && chdir(l->cwd) < 0)
		fail(report, STEP_CWD);
	if (run != NULL) {
		(void)close(report);
		run(arg);
		_exit(0);
	}
	(void)execve(l->path, l->argv, no_env);
	fail(report, STEP_EXEC);
}

int launch_function(
    const struct launch *l, void (*run)(void *arg), void *arg, pid_t *ret, struct cyg_err *err)
{
	struct report report;
	int fds[2];
	pid_t parent = getpid(), pid;
	ssize_t n;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return cyg_fail_sys(err, errno, "pipe");
	pid = fork();
	if (pid == 0)
		child(l, parent, fds[1], run, arg);
	cyg_close(fds[1]);
	if (pid < 0) {
		cyg_close(fds[0]);
		return cyg_fail_sys(err, errno, "fork");
	}
	/* The read ends when exec closes the pipe. No step before that waits for a remote service.
	 */
	do
		n = read(fds[0], &report, sizeof(report));
	while (n < 0 && errno == EINTR);
	cyg_close(fds[0]);
	if (n == (ssize_t)sizeof(report)) {
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			continue;
		return cyg_fail_sys(err, report.errnum, "cannot %s %s", step_texts[report.step],
		    report.step == STEP_EXEC ? l->path : "");
	}
	*ret = pid;
	return 0;
}

struct rlimit launch_raise_files(void)
{
	struct rlimit before = { RLIM_INFINITY, RLIM_INFINITY }, raised;

	(void)getrlimit(RLIMIT_NOFILE, &before);
	raised = (struct rlimit){ before.rlim_max, before.rlim_max };
	(void)setrlimit(RLIMIT_NOFILE, &raised);
	return before;
}

int launch(const struct launch *l, pid_t *ret, struct cyg_err *err)
{
	return launch_function(l, NULL, NULL, ret, err);
}

bool launch_may_become_others(void)
{
	int status = 1;
	pid_t pid = geteuid() == 0 ? fork() : -1;

	if (pid < 0)
		return false;
	if (pid == 0) {
		const uid_t id = LAUNCH_PROBE_UID;

		_exit(setgroups(0, NULL) < 0 || setresgid(id, id, id) < 0 ||
		      setresuid(id, id, id) < 0);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Asks the name service (getpwnam, getgrouplist) in a child, because it may use the network and
 * hang. The child writes one struct into a pipe; a deadline ends it. */
#include "spawner/local/uids.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { UID_MIN_PERSON = 1000, UID_NOBODY = 65534, UID_NONE_16 = 65535, LOOKUP_FD = 3 };

struct uids_lookup {
	uv_pipe_t pipe;
	uv_timer_t timer;
	pid_t pid;
	struct uids_account account;
	size_t got;
	int handles; /* still to be closed */
	uids_found_fn found;
	void *arg;
	char user[CYG_NAME_MAX];
};

/* Closes the spawner's descriptors in the child, since no exec does. A child that hangs must not
 * keep the hub's connection or a listening socket open, and must not outlive us. */
static void let_go(int *fd, pid_t parent)
{
	sigset_t none;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || (*fd != LOOKUP_FD && dup2(*fd, LOOKUP_FD) < 0))
		_exit(1);
	*fd = LOOKUP_FD;
	(void)close_range(LOOKUP_FD + 1, ~0U, 0);
	for (int sig = 1; sig < 32; sig++)
		(void)signal(sig, SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void child(const char *user, int fd, pid_t parent)
{
	struct uids_account p = { 0 };
	const struct passwd *pw;
	int n = UIDS_GROUPS_MAX;

	let_go(&fd, parent);
	pw = getpwnam(user);
	if (pw == NULL || strlen(pw->pw_dir) >= sizeof(p.home))
		_exit(1);
	p.uid = pw->pw_uid;
	p.gid = pw->pw_gid;
	(void)strncpy(p.home, pw->pw_dir, sizeof(p.home) - 1);
	if (getgrouplist(user, pw->pw_gid, p.groups, &n) < 0)
		n = UIDS_GROUPS_MAX; /* there are more: take the first ones */
	p.n_groups = (uint32_t)n;
	_exit(write(fd, &p, sizeof(p)) == (ssize_t)sizeof(p) ? 0 : 1);
}

bool uids_is_system(uid_t uid)
{
	return uid < UID_MIN_PERSON || uid == UID_NOBODY || uid == UID_NONE_16 || uid == (uid_t)-1;
}

static bool has_system_line(FILE *f, const char *name)
{
	const struct passwd *pw;

	while ((pw = fgetpwent(f)) != NULL)
		if (strcmp(pw->pw_name, name) == 0)
			return uids_is_system(pw->pw_uid);
	return false;
}

int uids_check_name(const char *passwd, const char *name, struct cyg_err *err)
{
	/* root and nobody have a line of their own in every container. */
	bool refused = strcmp(name, "root") == 0 || strcmp(name, "nobody") == 0;
	int fd = open(passwd, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	FILE *f;

	/* This runs on the loop: only a plain file never blocks its reader. */
	f = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? fdopen(fd, "r") : NULL;
	if (f == NULL)
		cyg_close(fd);
	if (f != NULL) {
		refused = refused || has_system_line(f, name);
		(void)fclose(f);
	}
	return refused ? cyg_fail(err, CYG_EDENIED,
			     "'%s' is a system account of this machine: no user can have this name",
			     name)
		       : 0;
}

static void on_closed(uv_handle_t *h)
{
	struct uids_lookup *l = h->data;

	if (--l->handles == 0)
		free(l);
}

void uids_lookup_cancel(struct uids_lookup *l)
{
	if (l == NULL || uv_is_closing((uv_handle_t *)&l->pipe) != 0)
		return;
	(void)kill(l->pid, SIGKILL);
	while (waitpid(l->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	uv_close((uv_handle_t *)&l->pipe, on_closed);
	uv_close((uv_handle_t *)&l->timer, on_closed);
}

static void finish(struct uids_lookup *l, const struct cyg_err *err)
{
	uids_found_fn found = l->found;
	struct uids_account account = l->account;
	void *arg = l->arg;

	uids_lookup_cancel(l);
	found(arg, err == NULL ? &account : NULL, err);
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
	struct uids_lookup *l = h->data;

	*buf = uv_buf_init((char *)&l->account + l->got, (unsigned)(sizeof(l->account) - l->got));
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	struct uids_lookup *l = s->data;
	struct cyg_err err;

	if (n >= 0) {
		l->got += (size_t)n;
		if (l->got < sizeof(l->account))
			return;
	}
	l->account.home[CYG_PATH_MAX - 1] = '\0';
	if (l->got < sizeof(l->account) || l->account.n_groups > UIDS_GROUPS_MAX) {
		(void)cyg_fail(&err, CYG_ENOENT,
		    "the name service of this machine does not know user '%s'", l->user);
		finish(l, &err);
	} else if (uids_is_system(l->account.uid)) {
		(void)cyg_fail(&err, CYG_EDENIED, "user '%s' is a system account here (uid %u)",
		    l->user, l->account.uid);
		finish(l, &err);
	} else {
		finish(l, NULL);
	}
}

static void on_deadline(uv_timer_t *t)
{
	struct uids_lookup *l = t->data;
	struct cyg_err err;

	(void)cyg_fail(&err, CYG_ETIMEOUT, "the name service did not respond for '%s'", l->user);
	finish(l, &err);
}

int uids_lookup_start(uv_loop_t *loop, const char *user, uids_found_fn found, void *arg,
    struct uids_lookup **ret, struct cyg_err *err)
{
	struct uids_lookup *l = cyg_xcalloc(1, sizeof(*l));
	pid_t parent = getpid();
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0) {
		free(l);
		return cyg_fail_sys(err, errno, "pipe");
	}
	(void)strncpy(l->user, user, sizeof(l->user) - 1);
	l->pid = fork();
	if (l->pid == 0)
		child(l->user, fds[1], parent);
	cyg_close(fds[1]);
	if (l->pid < 0) {
		cyg_close(fds[0]);
		free(l);
		return cyg_fail_sys(err, errno, "fork");
	}
	l->found = found;
	l->arg = arg;
	l->handles = 2;
	l->pipe.data = l->timer.data = l;
	(void)uv_pipe_init(loop, &l->pipe, 0);
	(void)uv_timer_init(loop, &l->timer);
	(void)uv_pipe_open(&l->pipe, fds[0]);
	(void)uv_timer_start(&l->timer, on_deadline, UIDS_LOOKUP_MS, 0);
	(void)uv_read_start((uv_stream_t *)&l->pipe, on_alloc, on_read);
	*ret = l;
	return 0;
}

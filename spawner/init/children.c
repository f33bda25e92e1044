/* Kernels and terminals. They are init's children, started, listed and signalled when the agent
 * asks, so that they survive the agent and the next agent finds them. The agent has the same rights
 * as init; its messages are checked all the same, because init must not crash. */
#include "spawner/init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CHILD_OUTCOME = 3, CHILD_PATH_SHOWN = 128 };

union init_any {
	struct init_head head;
	struct init_start start;
	struct init_signal signal;
	struct init_resize resize;
};

bool link_send(struct init *in, void *msg, size_t len, enum init_type type, int fd)
{
	struct init_head *head = msg;
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { msg, len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	head->magic = INIT_MAGIC;
	head->version = INIT_VERSION;
	head->type = (uint16_t)type;
	head->length = (uint32_t)len;
	if (fd >= 0) {
		m.msg_control = &control;
		m.msg_controllen = sizeof(control);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.align), &fd, sizeof(int));
	}
	if (in->link >= 0 && sendmsg(in->link, &m, MSG_NOSIGNAL) == (ssize_t)len)
		return true;
	if (in->link >= 0 && in->agent > 0)
		(void)kill(in->agent, SIGKILL);
	return false;
}

static void send_failed(struct init *in, uint32_t request_id, int errnum, const char *what)
{
	struct init_failed m = { .head.request_id = request_id, .errnum = errnum };

	(void)snprintf(m.message, sizeof(m.message), "%s: %s", what, strerror(errnum));
	(void)link_send(in, &m, sizeof(m), INIT_FAILED, -1);
}

/* A number from the container's memory group, which the sandbox shows read-only at one of two
 * paths; 0: unknown. */
static uint64_t figure(const struct init *in, const char *v1, const char *v2, const char *after)
{
	char text[1024] = "";
	const char *at = text;
	int fd = in->is_pid1 ? open(v1, O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0 && in->is_pid1)
		fd = open(v2, O_RDONLY | O_CLOEXEC);
	(void)!read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	if (after != NULL && (at = strstr(text, after)) != NULL)
		at += strlen(after);
	return at == NULL ? 0 : strtoull(at, NULL, 10);
}

/* Writes why the child could not be executed to the pipe that init reads. */
static void child_fail(const char *what, const char *path)
{
	struct init_failed m = { .errnum = errno };

	(void)snprintf(m.message, sizeof(m.message), "cannot %s %.*s: %s", what, CHILD_PATH_SHOWN,
	    path, strerror(m.errnum));
	dprintf(2, "%s\n", m.message);
	(void)!write(CHILD_OUTCOME, &m, sizeof(m));
	_exit(127);
}

/* Runs in the child. exec closes outcome; a failure before it writes there what failed. */
static void child_exec(const struct init_start *s, char **argv, char **envp, int slave, int outcome)
{
	int fd = slave;

	if (slave < 0 && s->log[0] != '\0')
		fd = open(s->log, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	else if (slave < 0)
		fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (slave >= 0 && (ioctl(slave, TIOCSCTTY, 0) < 0 || dup2(slave, 0) < 0))
		_exit(126);
	if (dup3(outcome, CHILD_OUTCOME, O_CLOEXEC) < 0)
		_exit(126);
	if (fd < 0)
		child_fail("open", s->log);
	if (dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		_exit(126);
	(void)close_range(CHILD_OUTCOME + 1, ~0U, 0);
	(void)prctl(PR_SET_DUMPABLE, 1); /* or its own /proc files are not its own */
	/* When memory is short a kernel goes before the agent and init. */
	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	(void)!write(fd, "500", 3);
	(void)close(fd);
	if (s->cwd[0] != '\0' && chdir(s->cwd) < 0)
		child_fail("enter", s->cwd);
	(void)execve(argv[0], argv, envp);
	child_fail("run", argv[0]);
}

/* Opens a pty of that size; 0, or an errno. */
static int open_pty(const struct init_start *s, int *master, int *slave)
{
	struct winsize size = { .ws_row = s->rows, .ws_col = s->cols };
	char name[64];

	*master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*master < 0 || grantpt(*master) < 0 || unlockpt(*master) < 0 ||
	    ptsname_r(*master, name, sizeof(name)) != 0)
		return errno;
	*slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*slave < 0)
		return errno;
	(void)ioctl(*slave, TIOCSWINSZ, &size);
	return 0;
}

/* The two lists of START out of its memfd; NULL when they are not what the message says. */
static char **start_lists(const struct init_start *s, int fd, char **block)
{
	int seals = fcntl(fd, F_GET_SEALS);
	size_t n = (size_t)s->argc + s->envc, found = 0;
	char **list = NULL;

	*block = NULL;
	if (seals < 0 || (seals & F_SEAL_WRITE) == 0 || (seals & F_SEAL_SHRINK) == 0 ||
	    s->argc == 0 || s->bytes == 0 || s->bytes > INIT_START_MAX || n > s->bytes)
		return NULL;
	*block = malloc(s->bytes);
	if (*block == NULL || pread(fd, *block, s->bytes, 0) != (ssize_t)s->bytes ||
	    (*block)[s->bytes - 1] != '\0')
		return NULL;
	for (size_t i = 0; i < s->bytes; i++)
		found += (*block)[i] == '\0';
	if (found == n)
		list = env_list(*block, s->bytes, n);
	return list;
}

static void proc_close(struct init_proc *p)
{
	if (p->master >= 0)
		close(p->master);
	if (p->outcome >= 0)
		close(p->outcome);
	p->master = p->outcome = -1;
}

static void start(struct init *in, const struct init_start *s, int memfd)
{
	struct init_proc *p = &in->procs[in->n_procs];
	char *block, **list = start_lists(s, memfd, &block), **argv = NULL;
	int slave = -1, outcome[2] = { -1, -1 }, errnum = list == NULL ? EINVAL : 0;
	struct timespec now;

	memset(p, 0, sizeof(*p));
	p->master = -1;
	if (in->n_procs + 1 == INIT_CHILDREN_MAX)
		errnum = EAGAIN;
	if (errnum == 0 && s->pty != 0)
		errnum = open_pty(s, &p->master, &slave);
	if (errnum == 0 && (argv = calloc((size_t)s->argc + 1, sizeof(*argv))) == NULL)
		errnum = ENOMEM;
	if (errnum == 0 && pipe2(outcome, O_CLOEXEC | O_NONBLOCK) < 0)
		errnum = errno;
	if (errnum == 0) {
		memcpy(argv, list, s->argc * sizeof(*argv));
		p->info.pid = init_fork();
		if (p->info.pid == 0)
			child_exec(s, argv, list + s->argc, slave, outcome[1]);
		errnum = p->info.pid < 0 ? errno : 0;
	}
	free(argv);
	free(list);
	free(block);
	if (slave >= 0)
		close(slave);
	if (outcome[1] >= 0)
		close(outcome[1]);
	p->outcome = outcome[0];
	if (errnum != 0) {
		proc_close(p);
		send_failed(in, s->head.request_id, errnum, "cannot start a process");
		return;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	p->info.head.request_id = s->head.request_id;
	p->info.pty = s->pty != 0;
	p->info.started_us = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
	memcpy(p->info.tag, s->tag, sizeof(p->info.tag));
	in->n_procs++;
}

/* Reads the outcome of a start. True when the process runs or has run. False while that is unknown,
 * or when it could not be executed: then it is removed and its end is not reported. When the agent
 * that asked has gone it is kept and reported, because the next agent may have listed it. */
static bool settle(struct init *in, struct init_proc *p)
{
	struct init_failed m;
	ssize_t n;

	if (p->outcome < 0)
		return true;
	n = read(p->outcome, &m, sizeof(m));
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n == (ssize_t)sizeof(m) && p->info.head.request_id != 0) {
		m.head.request_id = p->info.head.request_id;
		proc_close(p);
		memmove(p, p + 1, (size_t)(in->procs + --in->n_procs - p) * sizeof(*p));
		(void)link_send(in, &m, sizeof(m), INIT_FAILED, -1);
		return false;
	}
	close(p->outcome);
	p->outcome = -1;
	if (p->info.head.request_id != 0)
		(void)link_send(in, &p->info, sizeof(p->info), INIT_STARTED, p->master);
	return true;
}

void children_settle(struct init *in)
{
	for (size_t i = in->n_procs; i-- > 0;)
		(void)settle(in, &in->procs[i]);
}

void children_forget(struct init *in)
{
	for (size_t i = 0; i < in->n_procs; i++)
		in->procs[i].info.head.request_id = 0;
}

static struct init_proc *proc_find(struct init *in, int32_t pid)
{
	for (size_t i = 0; i < in->n_procs; i++)
		if (in->procs[i].info.pid == pid && !in->procs[i].exited)
			return &in->procs[i];
	return NULL;
}

/* Tells the agent which processes ended, also those that ended while there was no agent. */
static void flush(struct init *in)
{
	size_t kept = 0;

	for (size_t i = 0; i < in->n_procs; i++) {
		struct init_proc *p = &in->procs[i];

		if (p->exited && link_send(in, &p->end, sizeof(p->end), INIT_EXITED, -1))
			continue;
		in->procs[kept++] = *p;
	}
	in->n_procs = kept;
}

static void list(struct init *in, uint32_t request_id)
{
	struct init_head listed = { .request_id = request_id };

	for (size_t i = 0; i < in->n_procs; i++) {
		struct init_child m = in->procs[i].info;

		m.head.request_id = request_id;
		if (!in->procs[i].exited &&
		    !link_send(in, &m, sizeof(m), INIT_CHILD, in->procs[i].master))
			return;
	}
	(void)link_send(in, &listed, sizeof(listed), INIT_LISTED, -1);
	flush(in);
}

static void answer(struct init *in, union init_any *m, int fd)
{
	struct init_proc *p;

	switch (m->head.type) {
	case INIT_START:
		m->start.tag[INIT_TAG_MAX - 1] = '\0';
		m->start.cwd[CYG_PATH_MAX - 1] = m->start.log[CYG_PATH_MAX - 1] = '\0';
		start(in, &m->start, fd);
		return;
	case INIT_LIST:
		list(in, m->head.request_id);
		return;
	case INIT_SIGNAL:
		p = proc_find(in, m->signal.pid);
		if (p == NULL)
			send_failed(in, m->head.request_id, ESRCH, "cannot signal");
		else if (kill(m->signal.group ? -p->info.pid : p->info.pid, m->signal.signal) < 0)
			send_failed(in, m->head.request_id, errno, "cannot signal");
		return;
	case INIT_RESIZE:
		p = proc_find(in, m->resize.pid);
		if (p != NULL && p->master >= 0) {
			struct winsize size = { .ws_row = m->resize.rows,
				.ws_col = m->resize.cols };
			(void)ioctl(p->master, TIOCSWINSZ, &size);
		}
		return;
	default:
		send_failed(in, m->head.request_id, EPROTO, "unknown message");
	}
}

bool children_message(struct init *in)
{
	static const size_t sizes[INIT_TYPES] = { [INIT_START] = sizeof(struct init_start),
		[INIT_LIST] = sizeof(struct init_head),
		[INIT_SIGNAL] = sizeof(struct init_signal),
		[INIT_RESIZE] = sizeof(struct init_resize) };
	union init_any m = { 0 };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { &m, sizeof(m) };
	struct msghdr h = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		/* The length for one descriptor. With CMSG_SPACE a second would fit and stay open.
		 */
		.msg_controllen = CMSG_LEN(sizeof(int)) };
	ssize_t n = recvmsg(in->link, &h, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	const struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&h) : NULL;
	int fd = -1;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (c != NULL && c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof(int));
	if (n < (ssize_t)sizeof(m.head) || m.head.magic != INIT_MAGIC ||
	    m.head.version != INIT_VERSION || m.head.length != (size_t)n ||
	    m.head.type >= INIT_TYPES || sizes[m.head.type] != (size_t)n) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	answer(in, &m, fd);
	if (fd >= 0)
		close(fd);
	return true;
}

void children_exited(struct init *in, pid_t pid, int status, uint64_t max_rss)
{
	struct init_proc *p = proc_find(in, pid);
	uint64_t kills = figure(in, "/sys/fs/cgroup/memory/memory.oom_control",
	    "/sys/fs/cgroup/memory.events", "oom_kill ");

	if (p == NULL || !settle(in, p))
		return;
	p->exited = true;
	p->end.pid = pid;
	p->end.status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
	p->end.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	p->end.oom = p->end.signal == SIGKILL && kills > in->oom_kills;
	p->end.max_rss = max_rss;
	p->end.memory_used = figure(in, "/sys/fs/cgroup/memory/memory.usage_in_bytes",
	    "/sys/fs/cgroup/memory.current", NULL);
	p->end.memory_limit = figure(
	    in, "/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory.max", NULL);
	memcpy(p->end.tag, p->info.tag, sizeof(p->end.tag));
	in->oom_kills = kills;
	proc_close(p);
	flush(in);
}

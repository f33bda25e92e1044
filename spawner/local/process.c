/* Watches and signals processes by pidfd. The only file that reads /proc/PID/stat. */
#include "spawner/local/process.h"

#include "base/mem.h"
#include "base/num.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { TREE_MAX = 4096, TREE_TURNS = 64 };

struct process_watch {
	uv_poll_t poll;
	int fd;
	void (*on_end)(void *arg);
	void *arg;
};

/* The fields of stat after the command's closing parenthesis (the command may hold anything). */
static const char *read_stat(pid_t pid, char *buf, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;
	char *at;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	n = read(fd, buf, size - 1);
	(void)close(fd);
	if (n <= 0)
		return NULL;
	buf[n] = '\0';
	at = strrchr(buf, ')');
	return at == NULL || at[1] == '\0' ? NULL : at + 2;
}

static struct cyg_str leading_digits(const char *at)
{
	return (struct cyg_str){ at, strspn(at, "0123456789") };
}

uint64_t process_start_time(pid_t pid)
{
	char buf[1024];
	uint64_t start;
	const char *at = read_stat(pid, buf, sizeof(buf));

	if (at == NULL || *at == 'Z' || *at == 'X')
		return 0;
	for (int field = 3; field < 22; field++) {
		at = strchr(at, ' ');
		if (at == NULL)
			return 0;
		at++;
	}
	return cyg_num_parse_u64(leading_digits(at), 1, UINT64_MAX, &start, NULL) == 0 ? start : 0;
}

pid_t process_parent(pid_t pid)
{
	char buf[1024];
	uint64_t parent;
	const char *at = read_stat(pid, buf, sizeof(buf));

	/* "S PARENT ..." */
	if (at == NULL || at[0] == '\0' || at[1] != ' ' ||
	    cyg_num_parse_u64(leading_digits(at + 2), 1, INT32_MAX, &parent, NULL) < 0)
		return 0;
	return (pid_t)parent;
}

static void on_closed(uv_handle_t *h)
{
	struct process_watch *w = CYG_CONTAINER_OF((uv_poll_t *)h, struct process_watch, poll);

	cyg_close(w->fd);
	free(w);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct process_watch *w = CYG_CONTAINER_OF(poll, struct process_watch, poll);

	(void)uv_poll_stop(poll);
	w->on_end(w->arg);
}

int process_watch_new(uv_loop_t *loop, const struct process_id *id, void (*on_end)(void *arg),
    void *arg, struct process_watch **ret, struct cyg_err *err)
{
	cyg_autoclose int fd = (int)syscall(SYS_pidfd_open, id->pid, 0);
	struct process_watch *w;
	int r;

	if (fd < 0 && errno == ESRCH)
		return cyg_fail(err, CYG_ENOENT, "process %d has ended", (int)id->pid);
	if (fd < 0)
		return cyg_fail_sys(err, errno, "watch process %d", (int)id->pid);
	/* The pidfd is opened before the start time is read: from here on we would notice when the
	 * pid is given to another process. */
	if (id->start != 0 && process_start_time(id->pid) != id->start)
		return cyg_fail(err, CYG_ENOENT, "process %d is another one now", (int)id->pid);
	w = cyg_xcalloc(1, sizeof(*w));
	r = uv_poll_init(loop, &w->poll, fd);
	if (r < 0) {
		free(w);
		return cyg_fail_sys(err, -r, "watch process %d", (int)id->pid);
	}
	w->fd = CYG_TAKE_FD(fd);
	w->on_end = on_end;
	w->arg = arg;
	(void)uv_poll_start(&w->poll, UV_READABLE, on_readable);
	*ret = w;
	return 0;
}

void process_watch_close(struct process_watch *w)
{
	if (w != NULL && uv_is_closing((uv_handle_t *)&w->poll) == 0)
		uv_close((uv_handle_t *)&w->poll, on_closed);
}

int process_watch_signal(const struct process_watch *w, int sig, struct cyg_err *err)
{
	if (syscall(SYS_pidfd_send_signal, w->fd, sig, NULL, 0) < 0 && errno != ESRCH)
		return cyg_fail_sys(err, errno, "send signal %d", sig);
	return 0;
}

size_t process_parse_pids(const char *text, pid_t *list, size_t n, size_t max)
{
	struct cyg_str rest = cyg_str_of(text), word;
	uint64_t pid;

	for (size_t i = 0; i < rest.len; i += word.len + 1) {
		word = leading_digits(rest.p + i);
		if (n < max && cyg_num_parse_u64(word, 2, INT32_MAX, &pid, NULL) == 0)
			list[n++] = (pid_t)pid;
	}
	return n;
}

/* The pids of the children of one process, appended to list. */
static size_t add_children(pid_t pid, pid_t *list, size_t n)
{
	char path[64], text[8192];
	ssize_t len;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	cyg_close(fd);
	text[len > 0 ? len : 0] = '\0';
	return process_parse_pids(text, list, n, TREE_MAX);
}

void process_kill_tree(pid_t pid)
{
	cyg_autofree pid_t *list = cyg_xcalloc(TREE_MAX, sizeof(*list));

	for (int turn = 0; turn < TREE_TURNS; turn++) {
		size_t n = add_children(pid, list, 0);

		if (n == 0)
			return;
		for (size_t i = 0; i < n; i++) {
			(void)kill(list[i], SIGSTOP);
			n = add_children(list[i], list, n);
		}
		/* Leaves first: a process that is orphaned meanwhile becomes init's child and is
		 * found in the next turn. */
		for (size_t i = n; i > 0; i--)
			(void)kill(list[i - 1], SIGKILL);
	}
}

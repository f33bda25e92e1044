/* Descriptors passed in at start, as systemd does it (sd_listen_fds(3)). */
#include "base/mem.h"
#include "base/num.h"
#include "daemon/options.h"

#include <fcntl.h>
#include <string.h>

enum { LISTEN_FDS_START = 3, LISTEN_FDS_MAX = 16 };

static struct {
	bool read;
	size_t n;
	char *names[LISTEN_FDS_MAX]; /* NULL: given out */
} passed;

/* LISTEN_PID must be ours, else the variables were meant for a parent. 0 is accepted too: a program
 * that starts us with posix_spawn cannot know our pid. */
static bool is_for_us(const char *pid_text)
{
	uint64_t pid = 0;

	if (pid_text == NULL ||
	    cyg_num_parse_u64(cyg_str_of(pid_text), 0, INT32_MAX, &pid, NULL) < 0)
		return false;
	return pid == 0 || pid == (uint64_t)getpid();
}

static void read_once(void)
{
	const char *count = getenv("LISTEN_FDS");
	const char *names = getenv("LISTEN_FDNAMES");
	struct cyg_str rest = cyg_str_of(names != NULL ? names : "");
	uint64_t n = 0;

	passed.read = true;
	if (count != NULL && is_for_us(getenv("LISTEN_PID")) &&
	    cyg_num_parse_u64(cyg_str_of(count), 0, LISTEN_FDS_MAX, &n, NULL) == 0) {
		for (; passed.n < n; passed.n++) {
			struct cyg_str name = { "unknown", 7 };

			(void)cyg_str_next(&rest, ':', &name);
			passed.names[passed.n] = cyg_str_dup(name);
			(void)fcntl(LISTEN_FDS_START + (int)passed.n, F_SETFD, FD_CLOEXEC);
		}
	}
	/* Our children must not take them for theirs. */
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDNAMES");
}

int cyg_listen_fd(const char *name)
{
	if (!passed.read)
		read_once();
	for (size_t i = 0; i < passed.n; i++) {
		if (passed.names[i] == NULL || strcmp(passed.names[i], name) != 0)
			continue;
		free(CYG_TAKE(passed.names[i]));
		return LISTEN_FDS_START + (int)i;
	}
	return -1;
}

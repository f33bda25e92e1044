/* Reads the end of a log that the user's own JVM wrote, in a folder of their own. */
#include "kernels/spark/driver_log.h"

#include "base/mem.h"
#include "base/str.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum { TAIL_MAX = 64 * 1024, CAUSE_MAX = 400 };

/* The number of bytes read from the end of a regular file. */
static size_t read_tail(const char *path, char *out)
{
	cyg_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	n = pread(fd, out, TAIL_MAX, st.st_size > TAIL_MAX ? st.st_size - TAIL_MAX : 0);
	return n > 0 ? (size_t)n : 0;
}

static bool holds(struct cyg_str line, const char *word)
{
	return memmem(line.p, line.len, word, strlen(word)) != NULL;
}

char *driver_log_cause(const char *path)
{
	cyg_autofree char *text = cyg_xcalloc(1, TAIL_MAX);
	struct cyg_str rest = { text, read_tail(path, text) };
	struct cyg_str line;
	char cause[CAUSE_MAX];

	while (cyg_str_next(&rest, '\n', &line)) {
		line = cyg_str_trim(line);
		if (!holds(line, "Exception") && !holds(line, "Error"))
			continue;
		cyg_str_copy_utf8(cause, sizeof(cause), line);
		return cyg_xstrdup(cause);
	}
	return NULL;
}

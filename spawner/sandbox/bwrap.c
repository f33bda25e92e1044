/* Builds bubblewrap's option list, a buffer, and the descriptors that it names. */
#include "spawner/sandbox/bwrap.h"

#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ARGS_MAX = 256 * 1024 };

void bwrap_init(struct bwrap *b, int listen_fd)
{
	memset(b, 0, sizeof(*b));
	cyg_buf_init(&b->args, ARGS_MAX);
	b->fds[b->n_fds++] = listen_fd;
}

void bwrap_free(struct bwrap *b)
{
	for (size_t i = 1; i < b->n_fds; i++)
		cyg_close(b->fds[i]);
	cyg_buf_free(&b->args);
}

void bwrap_add(struct bwrap *b, ...)
{
	const char *word;
	va_list words;

	va_start(words, b);
	while ((word = va_arg(words, const char *)) != NULL)
		if (cyg_buf_add(&b->args, word, strlen(word) + 1, NULL) < 0)
			b->full = true;
	va_end(words);
}

const char *bwrap_add_fd(struct bwrap *b, int fd)
{
	static char number[16];

	if (fd < 0 || b->n_fds == LAUNCH_FDS_MAX) {
		cyg_close(fd);
		b->full = true;
		return "";
	}
	(void)snprintf(number, sizeof(number), "%zu", LAUNCH_FD_FIRST + b->n_fds);
	b->fds[b->n_fds++] = fd;
	return number;
}

int bwrap_data(const char *data, size_t len)
{
	cyg_autoclose int fd = memfd_create("data", MFD_CLOEXEC);

	if (fd < 0 || cyg_file_write_all(fd, data, len, NULL) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return -1;
	return CYG_TAKE_FD(fd);
}

int bwrap_finish(struct bwrap *b, char number[16], struct cyg_err *err)
{
	int fd = bwrap_data(b->args.data, b->args.len);

	(void)snprintf(number, 16, "%s", bwrap_add_fd(b, fd));
	if (b->full)
		return cyg_fail(
		    err, CYG_ELIMIT, "the sandbox has too many mounts or no memory is left");
	return 0;
}

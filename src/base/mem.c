/* Allocation that cannot fail, cleanup handlers, and wiping of secrets. */
#include "base/mem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void cyg_free_ptr(void *pp)
{
	free(*(void **)pp);
}

void cyg_close_fd(const int *fd)
{
	cyg_close(*fd);
}

void cyg_close(int fd)
{
	int saved = errno;

	if (fd >= 0)
		(void)close(fd);
	errno = saved;
}

static void out_of_memory(void)
{
	static const char text[] = "out of memory\n";

	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	abort();
}

void *cyg_xcalloc(size_t n, size_t size)
{
	void *p = calloc(n > 0 ? n : 1, size > 0 ? size : 1);

	if (p == NULL)
		out_of_memory();
	return p;
}

void *cyg_xrealloc(void *p, size_t size)
{
	void *q = realloc(p, size > 0 ? size : 1);

	if (q == NULL)
		out_of_memory();
	return q;
}

char *cyg_xstrdup(const char *s)
{
	return cyg_xstrndup(s, strlen(s));
}

char *cyg_xstrndup(const char *s, size_t len)
{
	char *copy = cyg_xcalloc(len + 1, 1);

	if (len > 0)
		memcpy(copy, s, len);
	return copy;
}

char *cyg_xasprintf(const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		out_of_memory();
	va_end(ap);
	return text;
}

void cyg_cleanse(void *p, size_t len)
{
	explicit_bzero(p, len);
}

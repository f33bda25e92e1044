/* Reading, replacing and removing files. */
#include "base/file.h"

#include "base/enc.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { READ_STEP = 64 * 1024, SECRET_MAX = 64 * 1024, REMOVE_DEPTH_MAX = 128 };

static int read_all(int fd, struct cyg_buf *out, struct cyg_err *err)
{
	for (;;) {
		size_t room_len =
		    out->max - out->len < READ_STEP ? out->max - out->len + 1 : READ_STEP;
		char spill;
		char *room = &spill;
		ssize_t n;

		if (out->len < out->max) {
			if (room_len > out->max - out->len)
				room_len = out->max - out->len;
			if (cyg_buf_reserve(out, room_len, &room, err) < 0)
				return -(int)CYG_ELIMIT;
		} else {
			room_len = 1; /* full: one byte more is one too many */
		}
		n = read(fd, room, room_len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cyg_fail_sys(err, errno, "read");
		if (n == 0)
			return 0;
		if (room == &spill)
			return cyg_fail(err, CYG_ELIMIT, "longer than %zu bytes", out->max);
		cyg_buf_commit(out, (size_t)n);
	}
}

int cyg_file_read(
    int dirfd, const char *path, bool follow, struct cyg_buf *out, struct cyg_err *err)
{
	cyg_autoclose int fd =
	    openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | (follow ? 0 : O_NOFOLLOW));
	int rc;

	if (fd < 0)
		return cyg_fail_sys(err, errno, "open '%s'", path);
	rc = read_all(fd, out, err);
	if (rc < 0)
		(void)cyg_wrap(err, "'%s'", path);
	return rc;
}

int cyg_file_read_secret(int dirfd, const char *path, char **ret, struct cyg_err *err)
{
	cyg_autoclose int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	cyg_autobuf struct cyg_buf buf;
	struct stat st;
	size_t len;

	cyg_buf_init(&buf, SECRET_MAX);
	if (fd < 0)
		return cyg_fail_sys(err, errno, "open secret '%s'", path);
	if (fstat(fd, &st) < 0)
		return cyg_fail_sys(err, errno, "stat secret '%s'", path);
	if (!S_ISREG(st.st_mode) || (st.st_mode & 077) != 0)
		return cyg_fail(err, CYG_EDENIED,
		    "secret '%s' must be a file that only its owner can read (chmod 600)", path);
	if (read_all(fd, &buf, err) < 0)
		return cyg_wrap(err, "secret '%s'", path);
	*ret = cyg_buf_take(&buf, &len);
	if (len > 0 && (*ret)[len - 1] == '\n')
		(*ret)[len - 1] = '\0';
	return 0;
}

int cyg_file_write_all(int fd, const void *data, size_t len, struct cyg_err *err)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cyg_fail_sys(err, errno, "write");
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Opens the folder that path lies in, so that it can be fsynced. */
static int open_parent(int dirfd, const char *path)
{
	const char *slash = strrchr(path, '/');
	cyg_autofree char *dir = slash == NULL   ? cyg_xstrdup(".")
				 : slash == path ? cyg_xstrdup("/")
						 : cyg_xstrndup(path, (size_t)(slash - path));

	return openat(dirfd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int cyg_file_write(
    int dirfd, const char *path, struct cyg_str data, mode_t mode, struct cyg_err *err)
{
	char tag[17];
	cyg_autofree char *tmp = NULL;
	cyg_autoclose int fd = -1;
	cyg_autoclose int parent = -1;

	cyg_random_hex(tag, 8);
	tmp = cyg_xasprintf("%s.tmp-%s", path, tag);
	fd = openat(dirfd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return cyg_fail_sys(err, errno, "create '%s'", tmp);
	if (fchmod(fd, mode) < 0 || cyg_file_write_all(fd, data.p, data.len, err) < 0 ||
	    fsync(fd) < 0 || renameat(dirfd, tmp, dirfd, path) < 0) {
		int saved = errno;

		(void)unlinkat(dirfd, tmp, 0);
		return cyg_fail_sys(err, saved, "write '%s'", path);
	}
	parent = open_parent(dirfd, path);
	if (parent >= 0)
		(void)fsync(parent);
	return 0;
}

int cyg_file_mkdirs(const char *path, mode_t mode, struct cyg_err *err)
{
	cyg_autofree char *copy = cyg_xstrdup(path);

	for (char *p = copy + 1;; p++) {
		char c = *p;

		if (c != '/' && c != '\0')
			continue;
		*p = '\0';
		if (mkdir(copy, mode) < 0 && errno != EEXIST)
			return cyg_fail_sys(err, errno, "make folder '%s'", copy);
		if (c == '\0')
			return 0;
		*p = c;
	}
}

/* One frame of the walk: an open folder whose entries are being removed. */
struct frame {
	DIR *dir;
	char name[256];
};

static int remove_failed(struct frame *stack, size_t depth, int sys, struct cyg_err *err)
{
	while (depth > 0)
		(void)closedir(stack[--depth].dir);
	return cyg_fail_sys(err, sys, "remove folder");
}

#ifndef __clang__ /* gcc loses sight of what an array's elements hold */
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif
/* Opens name below at as the next frame; refuses links and other file systems. */
static int push(struct frame *f, int at, const char *name, dev_t dev)
{
	struct stat st;
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || st.st_dev != dev) {
		(void)close(fd);
		return -EXDEV;
	}
	f->dir = fdopendir(fd);
	if (f->dir == NULL) {
		(void)close(fd);
		return -errno;
	}
	(void)snprintf(f->name, sizeof(f->name), "%s", name);
	return 0;
}

/* What is nested deeper than the stack is moved to the top: somebody who makes such a tree does not
 * want it to be removed. */
static int move_up(const struct frame *stack, int at, const char *name)
{
	char tag[17];
	char top[32];

	cyg_random_hex(tag, 8);
	(void)snprintf(top, sizeof(top), ".deep-%s", tag);
	return renameat(at, name, dirfd(stack[0].dir), top) < 0 ? -errno : 0;
}

/* Removes the tree below stack[0], whose folder is open; the folder itself stays. */
static int remove_below(struct frame *stack, dev_t dev, struct cyg_err *err)
{
	size_t depth = 1;
	bool moved = false;

	while (depth > 0) {
		DIR *dir = stack[depth - 1].dir;
		struct dirent *e = readdir(dir);
		int rc;

		if (e == NULL && depth == 1 && moved) {
			rewinddir(dir);
			moved = false;
			continue;
		}
		if (e == NULL) {
			(void)closedir(dir);
			depth--;
			if (depth > 0 &&
			    unlinkat(dirfd(stack[depth - 1].dir), stack[depth].name, AT_REMOVEDIR) <
				0 &&
			    errno != ENOENT)
				return remove_failed(stack, depth, errno, err);
			continue;
		}
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(dir), e->d_name, 0) == 0 || errno == ENOENT)
			continue;
		if (errno != EISDIR && errno != EPERM)
			return remove_failed(stack, depth, errno, err);
		moved = moved || depth == REMOVE_DEPTH_MAX;
		rc = depth == REMOVE_DEPTH_MAX ? move_up(stack, dirfd(dir), e->d_name)
					       : push(&stack[depth], dirfd(dir), e->d_name, dev);
		if (rc < 0)
			return remove_failed(stack, depth, -rc, err);
		depth += depth < REMOVE_DEPTH_MAX;
	}
	return 0;
}

int cyg_file_remove_tree(int dirfd, const char *path, struct cyg_err *err)
{
	cyg_autofree struct frame *stack = cyg_xcalloc(REMOVE_DEPTH_MAX, sizeof(*stack));
	struct stat st;
	int rc;

	if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : cyg_fail_sys(err, errno, "stat '%s'", path);
	if (!S_ISDIR(st.st_mode)) {
		if (unlinkat(dirfd, path, 0) < 0)
			return cyg_fail_sys(err, errno, "remove '%s'", path);
		return 0;
	}
	rc = push(&stack[0], dirfd, path, st.st_dev);
	if (rc < 0)
		return cyg_fail_sys(err, -rc, "open folder '%s'", path);
	rc = remove_below(stack, st.st_dev, err);
	if (rc < 0)
		return cyg_wrap(err, "'%s'", path);
	if (unlinkat(dirfd, path, AT_REMOVEDIR) < 0)
		return cyg_fail_sys(err, errno, "remove folder '%s'", path);
	return 0;
}

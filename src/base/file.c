/* Reading, replacing and removing files. */
#include "base/file.h"

#include "base/enc.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { READ_STEP = 64 * 1024, COPY_STEP = 1 << 30, SECRET_MAX = 64 * 1024 };
enum { REMOVE_DEPTH_MAX = 128, REMOVE_MOVES_MAX = 1 << 20 };

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

static int copy_by_hand(int from, int to, struct cyg_err *err)
{
	cyg_autofree char *step = cyg_xcalloc(1, READ_STEP);

	for (;;) {
		ssize_t n = read(from, step, READ_STEP);
		int rc;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cyg_fail_sys(err, errno, "read");
		if (n == 0)
			return 0;
		rc = cyg_file_write_all(to, step, (size_t)n, err);
		if (rc < 0)
			return rc;
	}
}

int cyg_file_copy(int from, int to, struct cyg_err *err)
{
	ssize_t n;

	do
		n = copy_file_range(from, NULL, to, NULL, COPY_STEP, 0);
	while (n > 0 || (n < 0 && errno == EINTR));
	/* copy_file_range fails between some file systems, and some return 0 for files that are not
	 * empty: the rest is copied with read and write. */
	if (n < 0 && errno != EXDEV && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
		return cyg_fail_sys(err, errno, "copy");
	return copy_by_hand(from, to, err);
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

void cyg_file_sync_parent(int dirfd, const char *path)
{
	cyg_autoclose int parent = open_parent(dirfd, path);

	if (parent >= 0)
		(void)fsync(parent);
}

int cyg_file_write(
    int dirfd, const char *path, struct cyg_str data, mode_t mode, struct cyg_err *err)
{
	char tag[17];
	cyg_autofree char *tmp = NULL;
	cyg_autoclose int fd = -1;

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
	cyg_file_sync_parent(dirfd, path);
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

#ifndef __clang__ /* gcc loses track of what an array's elements hold */
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#pragma GCC diagnostic ignored "-Wanalyzer-double-free"
#endif
/* Opens name below at as the next frame; refuses links and other file systems. With force, what its
 * owner (ourselves) has locked is unlocked first. */
static int push(struct frame *f, int at, const char *name, dev_t dev, bool force)
{
	const int how = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	struct stat st;
	int fd = openat(at, name, how);

	if (fd < 0 && errno == EACCES && force &&
	    fchmodat(at, name, 0700, AT_SYMLINK_NOFOLLOW) == 0)
		fd = openat(at, name, how);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || st.st_dev != dev) {
		(void)close(fd);
		return -EXDEV;
	}
	if (force && (st.st_mode & 0700) != 0700)
		(void)fchmod(fd, 0700);
	f->dir = fdopendir(fd);
	if (f->dir == NULL) {
		(void)close(fd);
		return -errno;
	}
	(void)snprintf(f->name, sizeof(f->name), "%s", name);
	return 0;
}

/* The state of the walk: the folders being removed, the depth, and what was moved to the top
 * because it lay too deep. */
struct walk {
	struct frame stack[REMOVE_DEPTH_MAX];
	size_t depth;
	dev_t dev;
	bool force;
	bool moved;     /* something came up to the top since the last look at it */
	unsigned moves; /* so far */
	size_t left;    /* entries that may still be looked at */
};

/* A folder that lies deeper than there are frames is moved up into the top folder and removed from
 * there later. So a tree of any depth can be removed. */
static int move_up(struct walk *w, int at, const char *name)
{
	char up[48];

	while (w->moves < REMOVE_MOVES_MAX) {
		(void)snprintf(up, sizeof(up), ".cygnet-removed-%u", w->moves++);
		if (renameat(at, name, dirfd(w->stack[0].dir), up) == 0) {
			w->moved = true;
			return 0;
		}
		if (errno != EEXIST && errno != ENOTEMPTY && errno != ENOTDIR)
			return -errno;
	}
	return -ELOOP;
}

/* One entry of the folder on top of the stack; 0 or -errno. */
static int remove_entry(struct walk *w, const char *name)
{
	int at = dirfd(w->stack[w->depth - 1].dir), rc;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 0;
	if (unlinkat(at, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	if (w->depth == REMOVE_DEPTH_MAX)
		return move_up(w, at, name);
	rc = push(&w->stack[w->depth], at, name, w->dev, w->force);
	if (rc == 0)
		w->depth++;
	return rc;
}

/* The folder on top of the stack has been read to its end. It is removed, unless it is the root of
 * the walk. */
static int leave(struct walk *w)
{
	if (w->depth == 1 && w->moved) {
		w->moved = false;
		rewinddir(w->stack[0].dir);
		return 0;
	}
	(void)closedir(w->stack[--w->depth].dir);
	if (w->depth > 0 &&
	    unlinkat(dirfd(w->stack[w->depth - 1].dir), w->stack[w->depth].name, AT_REMOVEDIR) <
		0 &&
	    errno != ENOENT)
		return -errno;
	return 0;
}

/* Removes the tree below stack[0], whose folder is open; the folder itself stays. *more: w->left
 * was used up before the end. */
static int remove_below(struct walk *w, bool *more)
{
	int rc = 0;

	for (; rc == 0 && w->depth > 0 && w->left > 0; w->left--) {
		const struct dirent *e = readdir(w->stack[w->depth - 1].dir);

		rc = e != NULL ? remove_entry(w, e->d_name) : leave(w);
	}
	*more = rc == 0 && w->depth > 0;
	while (w->depth > 0)
		(void)closedir(w->stack[--w->depth].dir);
	return rc;
}

static int remove_tree(
    int dirfd, const char *path, bool force, size_t max, bool *more, struct cyg_err *err)
{
	cyg_autofree struct walk *w = cyg_xcalloc(1, sizeof(*w));
	struct stat st;
	int rc;

	if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : cyg_fail_sys(err, errno, "stat '%s'", path);
	if (!S_ISDIR(st.st_mode)) {
		if (unlinkat(dirfd, path, 0) < 0)
			return cyg_fail_sys(err, errno, "remove '%s'", path);
		return 0;
	}
	w->dev = st.st_dev;
	w->force = force;
	w->left = max;
	rc = push(&w->stack[0], dirfd, path, w->dev, force);
	if (rc < 0)
		return cyg_fail_sys(err, -rc, "open folder '%s'", path);
	w->depth = 1;
	rc = remove_below(w, more);
	if (rc < 0)
		return cyg_fail_sys(err, -rc, "remove what is in folder '%s'", path);
	if (*more)
		return 0;
	if (unlinkat(dirfd, path, AT_REMOVEDIR) < 0)
		return cyg_fail_sys(err, errno, "remove folder '%s'", path);
	return 0;
}

int cyg_file_remove_tree(int dirfd, const char *path, struct cyg_err *err)
{
	bool more;

	return remove_tree(dirfd, path, false, SIZE_MAX, &more, err);
}

int cyg_file_remove_some(int dirfd, const char *path, size_t max, bool *more, struct cyg_err *err)
{
	*more = false;
	return remove_tree(dirfd, path, true, max, more, err);
}

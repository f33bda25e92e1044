/* Whole folders: copying, measuring, moving to the trash. Folders are opened one by one by
 * descriptor, not by path, so that none can be replaced by a link meanwhile. */
#include "kernels/contents/save.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "http/url.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { DEPTH_MAX = 200, TRIES = 1000, BASE_MAX = 240 };

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static DIR *open_dir(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (dir == NULL && fd >= 0)
		cyg_close(fd);
	return dir;
}

/* ---- measuring ---- */
/* NOLINTNEXTLINE(misc-no-recursion): DEPTH_MAX */
static void measure(DIR *dir, uint64_t limit, int depth, uint64_t *sum)
{
	const struct dirent *entry;
	while (*sum <= limit && (entry = readdir(dir)) != NULL) {
		struct stat st;
		if (is_dots(entry->d_name) ||
		    fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		*sum += (uint64_t)st.st_blocks * 512;
		DIR *below = S_ISDIR(st.st_mode) && depth < DEPTH_MAX
				 ? open_dir(dirfd(dir), entry->d_name)
				 : NULL;
		if (below == NULL)
			continue;
		measure(below, limit, depth + 1, sum);
		(void)closedir(below);
	}
}

uint64_t tree_size(const char *disk, uint64_t limit)
{
	uint64_t sum = 0;
	DIR *dir = opendir(disk);
	if (dir != NULL) {
		measure(dir, limit, 0, &sum);
		(void)closedir(dir);
	}
	return sum;
}

/* ---- copying ---- */
static int copy_file(int from_dir, int to_dir, const char *name, const struct stat *st)
{
	cyg_autoclose int from = openat(from_dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	cyg_autoclose int to =
	    openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, st->st_mode & 0777);
	struct cyg_err err;
	if (from < 0 || to < 0)
		return errno;
	if (cyg_file_copy(from, to, &err) < 0)
		return err.sys;
	const struct timespec times[2] = { st->st_atim, st->st_mtim };
	(void)futimens(to, times);
	return 0;
}

static int copy_link(int from_dir, int to_dir, const char *name)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from_dir, name, target, sizeof(target) - 1);
	if (n < 0)
		return errno;
	target[n] = '\0';
	return symlinkat(target, to_dir, name) != 0 ? errno : 0;
}

/* NOLINTBEGIN(misc-no-recursion): DEPTH_MAX */
static int copy_below(DIR *from, int to, int depth);

static int copy_entry(DIR *from, int to, const char *name, int depth)
{
	struct stat st;
	if (fstatat(dirfd(from), name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno;
	if (S_ISLNK(st.st_mode))
		return copy_link(dirfd(from), to, name);
	if (S_ISREG(st.st_mode))
		return copy_file(dirfd(from), to, name, &st);
	if (!S_ISDIR(st.st_mode))
		return 0; /* sockets and the like are not copied */
	if (depth == DEPTH_MAX)
		return ELOOP;
	if (mkdirat(to, name, (st.st_mode & 0777) | S_IRWXU) != 0)
		return errno;
	DIR *below = open_dir(dirfd(from), name);
	if (below == NULL)
		return errno;
	cyg_autoclose int below_to =
	    openat(to, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	int e = below_to < 0 ? errno : copy_below(below, below_to, depth + 1);
	(void)closedir(below);
	return e;
}

static int copy_below(DIR *from, int to, int depth)
{
	const struct dirent *entry;
	int e = 0;
	while (e == 0 && (entry = readdir(from)) != NULL)
		if (!is_dots(entry->d_name))
			e = copy_entry(from, to, entry->d_name, depth);
	return e;
}
/* NOLINTEND(misc-no-recursion) */

static bool is_below(const char *inner, const char *outer)
{
	size_t n = strlen(outer);
	return strncmp(inner, outer, n) == 0 && (inner[n] == '/' || inner[n] == '\0');
}

int tree_copy(struct job *job, const char *from, const char *to, const char *path)
{
	if (is_below(to, from))
		return job_fail(job, 400, NULL, "Can't copy '%s' into itself", path);
	DIR *dir = opendir(from);
	if (dir == NULL)
		return job_fail_sys(job, errno, "Cannot copy the folder", path);
	int e = mkdir(to, 0777) != 0 ? errno : 0;
	cyg_autoclose int to_fd =
	    e == 0 ? open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW) : -1;
	if (e == 0)
		e = to_fd < 0 ? errno : copy_below(dir, to_fd, 0);
	(void)closedir(dir);
	if (e != 0 && to_fd >= 0)
		(void)cyg_file_remove_tree(AT_FDCWD, to, NULL);
	if (e == EEXIST && to_fd < 0)
		return 1;
	return e == 0 ? 0 : job_fail_sys(job, e, "Cannot copy the folder", path);
}

/* ---- trash ---- */
/* The top of the file system that a folder is in: the last one upwards of the same device. */
static char *top_of(const char *dir, dev_t dev)
{
	struct stat up;
	char *top = realpath(dir, NULL);
	while (top != NULL && strcmp(top, "/") != 0) {
		cyg_autofree char *parent = cyg_xasprintf("%s/..", top);
		if (stat(parent, &up) != 0 || up.st_dev != dev)
			break;
		char *slash = strrchr(top, '/');
		slash[slash == top ? 1 : 0] = '\0';
	}
	return top;
}

/* The trash folder for a path: the home's when it is on the same file system, else .Trash-UID at
 * the top of the path's own. NULL: there is none, errno says why. */
static const char *trash_of(struct job *job, const char *disk)
{
	const struct contents_ctx *ctx = job->ctx;
	struct stat st, home;
	struct cyg_err err;
	if (lstat(disk, &st) != 0)
		return NULL;
	if (cyg_file_mkdirs(ctx->home_trash, 0700, &err) < 0) {
		errno = err.sys;
		return NULL;
	}
	if (stat(ctx->home_trash, &home) != 0)
		return NULL;
	if (st.st_dev == home.st_dev)
		return ctx->home_trash;
	cyg_autofree char *dir = cyg_xstrndup(disk, (size_t)(strrchr(disk, '/') - disk));
	cyg_autofree char *top = top_of(dir, st.st_dev);
	return top == NULL ? NULL
			   : cyg_arena_printf(job->req->arena, "%s/.Trash-%u",
				 strcmp(top, "/") == 0 ? "" : top, (unsigned)geteuid());
}

/* The info file comes first and takes the name (O_EXCL), as the specification asks. */
static int take_name(const char *info_dir, const char *name, const char *disk)
{
	cyg_autobuf struct cyg_buf text;
	cyg_buf_init(&text, 16 * 1024);
	char when[CYG_ISO8601_SIZE];
	cyg_autofree char *path = cyg_xasprintf("%s/%s.trashinfo", info_dir, name);
	cyg_autoclose int fd =
	    open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return errno;
	cyg_clock_format(cyg_clock_wall_us(), when);
	struct cyg_err err = { 0 };
	if (cyg_buf_add_str(&text, "[Trash Info]\nPath=", &err) < 0 ||
	    url_encode(&text, cyg_str_of(disk), "/", &err) < 0 ||
	    cyg_buf_printf(&text, &err, "\nDeletionDate=%.19s\n", when) < 0 ||
	    cyg_file_write_all(fd, text.data, text.len, &err) < 0) {
		(void)unlink(path);
		return err.sys != 0 ? err.sys : EIO;
	}
	return 0;
}

static int move_to(const char *trash, const char *disk)
{
	cyg_autofree char *files = cyg_xasprintf("%s/files", trash);
	cyg_autofree char *info = cyg_xasprintf("%s/info", trash);
	const char *base = strrchr(disk, '/') + 1;
	int e = EEXIST;
	struct cyg_err err = { 0 };
	if (cyg_file_mkdirs(files, 0700, &err) < 0 || cyg_file_mkdirs(info, 0700, &err) < 0)
		return err.sys;
	/* A name must have room for ".trashinfo" after it. */
	for (int i = strlen(base) <= BASE_MAX ? 1 : 2; e == EEXIST && i < TRIES; i++) {
		cyg_autofree char *name =
		    i == 1 ? cyg_xstrdup(base) : cyg_xasprintf("%.200s %d", base, i);
		cyg_autofree char *to = cyg_xasprintf("%s/%s", files, name);
		e = take_name(info, name, disk);
		if (e != 0)
			continue;
		e = renameat2(AT_FDCWD, disk, AT_FDCWD, to, RENAME_NOREPLACE) != 0 ? errno : 0;
		if (e == EINVAL)
			e = rename(disk, to) != 0 ? errno : 0;
		if (e == 0)
			return 0;
		cyg_autofree char *entry = cyg_xasprintf("%s/%s.trashinfo", info, name);
		(void)unlink(entry);
	}
	return e;
}

int trash_move(struct job *job, const char *disk, const char *path)
{
	const struct contents_ctx *ctx = job->ctx;
	const char *trash = trash_of(job, disk);
	int e = trash == NULL ? errno : move_to(trash, disk);
	if (e == 0)
		return 0;
	if (e == ENOSPC || e == EDQUOT)
		return job_fail(job, 507, NULL,
		    "%s was not deleted: there is no room left even to note it in the trash. Empty "
		    "the trash first: in a terminal, rm -rf %s/*",
		    path, ctx->home_trash);
	return job_fail(job, 400, NULL, "send2trash failed: %s: %s", path, strerror(e));
}

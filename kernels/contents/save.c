/* Writes files. Stock copies the old file aside and writes into it; here the new file is complete
 * before it replaces the old one, so that a reader never sees half a file. */
#include "kernels/contents/save.h"

#include "kernels/contents/state.h"

#include "base/enc.h"
#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { LINKS_MAX = 40, NEW_MODE = 0666, ASIDES = 100, ASIDE_NAME = 240 };
/* A result besides 0 and errno: a new file could not have the owner or attributes of the old one,
 * so the old file itself must be written. */
enum { KEEP_INODE = -1 };

/* What is written: bytes, or what an open file holds from where it is read. */
struct source {
	struct cyg_str data;
	int fd; /* -1: data */
};

/* The file that is to change. */
struct target {
	const char *disk, *dir; /* links followed */
	struct stat st;         /* when it is there */
	mode_t mode;            /* of a new file; umask applies */
	bool there, dir_writable;
	bool fresh;        /* it must not be there: EEXIST */
	bool set_mode;     /* exactly mode, also for an old file */
	const char *aside; /* the copy that had to stay beside it, or NULL */
};

/* Follows links one by one, so that a save through a link to a missing file makes that file. NULL:
 * the links lead in a circle. */
static const char *resolve(struct job *job, const char *disk)
{
	char target[PATH_MAX];
	for (int i = 0; i < LINKS_MAX; i++) {
		ssize_t n = readlink(disk, target, sizeof(target) - 1);
		if (n < 0)
			return disk;
		target[n] = '\0';
		if (target[0] == '/')
			disk = cyg_arena_dup(job->req->arena, cyg_str_of(target));
		else
			disk = cyg_arena_printf(job->req->arena, "%.*s/%s",
			    (int)(strrchr(disk, '/') - disk), disk, target);
	}
	return NULL;
}

static const char *dir_of(struct job *job, const char *disk)
{
	const char *slash = strrchr(disk, '/');
	struct cyg_str dir = { disk, slash == disk ? 1 : (size_t)(slash - disk) };
	return cyg_arena_dup(job->req->arena, dir);
}

static int write_and_sync(int fd, const struct source *src)
{
	struct cyg_err err = { 0 };
	int r = src->fd >= 0 ? cyg_file_copy(src->fd, fd, &err)
			     : cyg_file_write_all(fd, src->data.p, src->data.len, &err);
	if (r < 0)
		return err.sys != 0 ? err.sys : EIO;
	return fsync(fd) != 0 ? errno : 0;
}

/* True when a new file in its place would lose its owner, its mode, other names or attributes, or
 * cannot be made in the folder. */
static bool must_keep_inode(const struct target *t)
{
	return !t->dir_writable || t->st.st_nlink > 1 || t->st.st_uid != geteuid() ||
	       (t->st.st_mode & (S_ISUID | S_ISGID)) != 0 || listxattr(t->disk, NULL, 0) > 0;
}

/* Gives a new file the group and mode of the old one. In a set-group-id folder a new file gets the
 * folder's group, so its group is read first. */
static int dress(int fd, const struct target *t)
{
	struct stat st;
	if (!t->there && !t->set_mode)
		return 0;
	if (fstat(fd, &st) != 0)
		return errno;
	if (t->there && st.st_gid != t->st.st_gid && fchown(fd, (uid_t)-1, t->st.st_gid) != 0)
		return KEEP_INODE;
	return fchmod(fd, t->set_mode ? t->mode : t->st.st_mode & 0777) != 0 ? errno : 0;
}

/* Renames unless the name exists. Without RENAME_NOREPLACE (NFS, some of FUSE) a hard link does the
 * same, where the file system has them. */
static int rename_fresh(const char *from, const char *to)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return errno;
	if (link(from, to) == 0)
		return unlink(from) != 0 ? errno : 0;
	if (errno == EEXIST || faccessat(AT_FDCWD, to, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return EEXIST;
	return rename(from, to) != 0 ? errno : 0;
}

/* Renames the new file over the old one, and syncs the folder: 0 means that it is on disk. */
static int take_place(const struct target *t, const char *from)
{
	int e = t->fresh ? rename_fresh(from, t->disk) : rename(from, t->disk) != 0 ? errno : 0;
	if (e == 0)
		cyg_file_sync_parent(AT_FDCWD, t->disk);
	return e;
}

static int replace(struct job *job, const struct target *t, const struct source *src)
{
	char random[17];
	cyg_random_hex(random, 8);
	const char *tmp =
	    cyg_arena_printf(job->req->arena, "%s/" SAVE_TEMPORARY "%s", t->dir, random);
	mode_t mode = t->there ? S_IRUSR | S_IWUSR : t->mode;
	int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return errno;
	int e = dress(fd, t);
	if (e == 0)
		e = write_and_sync(fd, src);
	if (close(fd) != 0 && e == 0)
		e = errno; /* a quota may be reported only here */
	if (e == 0)
		e = take_place(t, tmp);
	if (e != 0)
		(void)unlink(tmp);
	return e;
}

/* ---- writing the file itself ---- */
static int copy_into(const char *from, int to)
{
	cyg_autoclose int fd = open(from, O_RDONLY | O_CLOEXEC);
	const struct source src = { .fd = fd };
	return fd < 0 ? errno : write_and_sync(to, &src);
}

/* Makes the copy beside a file while the file itself is written, under stock's name for it. A copy
 * that exists already may be all that an earlier crash left of the file: it is not overwritten. */
static int copy_aside(struct job *job, struct target *t)
{
	const char *name = strrchr(t->disk, '/') + 1;
	int fd = -1;
	for (int i = 0; i < ASIDES && fd < 0; i++) {
		t->aside = cyg_arena_printf(job->req->arena, i == 0 ? "%s/.~%.*s" : "%s/.~%.*s.%d",
		    t->dir, ASIDE_NAME, name, i);
		fd = open(t->aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	if (fd < 0) {
		t->aside = NULL;
		return errno;
	}
	int e = copy_into(t->disk, fd);
	cyg_close(fd);
	return e;
}

/* Reserves the space before anything is overwritten, where the file system can do that. */
static int reserve(int fd, const struct source *src)
{
	struct stat st = { .st_size = (off_t)src->data.len };
	if (src->fd >= 0 && fstat(src->fd, &st) != 0)
		return errno;
	if (st.st_size == 0 || fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, st.st_size) == 0)
		return 0;
	return errno == ENOSPC || errno == EDQUOT ? errno : 0;
}

static int write_over(int fd, const struct source *src)
{
	int e = lseek(fd, 0, SEEK_SET) != 0 ? errno : write_and_sync(fd, src);
	off_t end = e == 0 ? lseek(fd, 0, SEEK_CUR) : 0;
	if (e == 0 && (end < 0 || ftruncate(fd, end) != 0))
		e = errno;
	return e;
}

/* One at a time: two saves of one file must not get mixed. */
static int write_in_place(struct job *job, struct target *t, const struct source *src)
{
	struct contents_ctx *ctx = job->ctx;
	state_lock_in_place(ctx->state);
	int e = t->dir_writable ? copy_aside(job, t) : 0;
	cyg_autoclose int fd = e == 0 ? open(t->disk, O_WRONLY | O_CLOEXEC) : -1;
	if (e == 0)
		e = fd < 0 ? errno : reserve(fd, src);
	bool touched = e == 0;
	if (e == 0)
		e = write_over(fd, src);
	if (e == 0 && t->set_mode)
		(void)fchmod(fd, t->mode); /* somebody else's file keeps its own */
	if (t->aside != NULL && e != 0 && touched) {
		cyg_autoclose int old = open(t->aside, O_RDONLY | O_CLOEXEC);
		const struct source back = { .fd = old };
		touched = old < 0 || write_over(fd, &back) != 0;
	}
	/* When the old content could not be restored the copy is kept: nothing is lost. */
	if (t->aside != NULL && (e == 0 || !touched) && unlink(t->aside) == 0)
		t->aside = NULL;
	state_unlock_in_place(ctx->state);
	return e;
}

/* ---- what callers ask for ---- */
/* Fills in the target, the file that will be changed; -1 when the job has failed. */
static int aim(struct job *job, const char *disk, const char *path, struct target *t)
{
	t->disk = resolve(job, disk);
	if (t->disk == NULL)
		return job_fail(job, 400, NULL, "%s is a link that leads in a circle", path);
	t->dir = dir_of(job, t->disk);
	t->there = stat(t->disk, &t->st) == 0;
	t->dir_writable = faccessat(AT_FDCWD, t->dir, W_OK | X_OK, AT_EACCESS) == 0;
	if (t->there && !S_ISREG(t->st.st_mode))
		return job_fail(job, 400, NULL, "Not a file: %s", path);
	if (t->there && faccessat(AT_FDCWD, t->disk, W_OK, AT_EACCESS) != 0)
		return job_fail_sys(job, EACCES, "Cannot save", path);
	return 0;
}

static int fail(struct job *job, const struct target *t, int e, const char *path)
{
	if (t->aside == NULL)
		return job_fail_sys(job, e, "Cannot save", path);
	return job_fail(job, 500, NULL,
	    "Cannot save %s: %s. It is half written now; what it held before is beside it, in %s",
	    path, strerror(e), strrchr(t->aside, '/') + 1);
}

/* 0, -1 (the job has failed), or 1: a fresh file's name is taken. */
static int save(
    struct job *job, const char *disk, const char *path, struct target *t, const struct source *src)
{
	t->disk = disk;
	t->dir = dir_of(job, disk);
	if (!t->fresh && aim(job, disk, path, t) < 0)
		return -1;
	int e = t->there && must_keep_inode(t) ? KEEP_INODE : replace(job, t, src);
	if (e == KEEP_INODE)
		e = write_in_place(job, t, src);
	if (e == EEXIST && t->fresh)
		return 1;
	return e == 0 ? 0 : fail(job, t, e, path);
}

int save_bytes(struct job *job, const char *disk, const char *path, struct cyg_str data)
{
	struct target t = { .mode = NEW_MODE };
	const struct source src = { .data = data, .fd = -1 };
	return save(job, disk, path, &t, &src);
}

int save_new(struct job *job, const char *disk, const char *path, struct cyg_str data)
{
	struct target t = { .mode = NEW_MODE, .fresh = true };
	const struct source src = { .data = data, .fd = -1 };
	return save(job, disk, path, &t, &src);
}

int save_upload(struct job *job, const char *staged, const char *disk, const char *path)
{
	struct target t = { .mode = NEW_MODE };
	cyg_autoclose int fd = open(staged, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	const struct source src = { .fd = fd };
	if (fd < 0)
		return job_fail_sys(job, errno, "Cannot finish the upload", path);
	if (aim(job, disk, path, &t) < 0)
		return -1;
	int e = t.there && must_keep_inode(&t) ? KEEP_INODE : dress(fd, &t);
	if (e == 0 && fsync(fd) != 0)
		e = errno;
	if (e == 0)
		e = take_place(&t, staged);
	if (e == KEEP_INODE || e == EXDEV) { /* a link may lead to another file system */
		e = e == EXDEV ? replace(job, &t, &src) : write_in_place(job, &t, &src);
		if (e == 0)
			(void)unlink(staged);
	}
	return e == 0 ? 0 : fail(job, &t, e, path);
}

int save_copy(
    struct job *job, const char *from, const char *to, const char *path, enum save_copy_kind kind)
{
	struct stat st;
	cyg_autoclose int fd = open(from, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	const struct source src = { .fd = fd };
	if (fd < 0 || fstat(fd, &st) != 0)
		return job_fail_sys(job, errno, "Cannot copy", path);
	if (!S_ISREG(st.st_mode))
		return job_fail(job, 400, NULL, "Not a file: %s", path);
	struct target t = { .mode = st.st_mode & 0777,
		.fresh = kind == SAVE_DUPLICATE || kind == SAVE_MOVE,
		.set_mode = kind == SAVE_CHECKPOINT || kind == SAVE_MOVE };
	/* A duplicate is made to be changed, and the next checkpoint overwrites this one: so both
	 * are writable even when the file is not. */
	if (kind == SAVE_DUPLICATE || kind == SAVE_CHECKPOINT)
		t.mode |= S_IRUSR | S_IWUSR;
	int r = save(job, to, path, &t, &src);
	const struct timespec times[2] = { st.st_atim, st.st_mtim };
	if (r == 0 && kind != SAVE_DUPLICATE)
		(void)utimensat(AT_FDCWD, to, times, 0); /* as copystat: best effort */
	return r;
}

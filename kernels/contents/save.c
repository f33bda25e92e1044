/* Writing files. Stock copies the old file aside and writes into it; here the new one is complete
 * before it takes the old one's place, so that a reader never sees a half. */
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

enum { LINKS_MAX = 8, NEW_MODE = 0666 };

/* The file that is to change: links are followed by hand, as far as there are any, so that a link
 * to something that does not exist yet makes that. */
static const char *resolve(struct job *job, const char *disk)
{
	char target[PATH_MAX];
	for (int i = 0; i < LINKS_MAX; i++) {
		ssize_t n = readlink(disk, target, sizeof(target) - 1);
		if (n < 0)
			break;
		target[n] = '\0';
		if (target[0] == '/')
			disk = cyg_arena_dup(job->req->arena, cyg_str_of(target));
		else
			disk = cyg_arena_printf(job->req->arena, "%.*s/%s",
			    (int)(strrchr(disk, '/') - disk), disk, target);
	}
	return disk;
}

static const char *dir_of(struct job *job, const char *disk)
{
	const char *slash = strrchr(disk, '/');
	struct cyg_str dir = { disk, slash == disk ? 1 : (size_t)(slash - disk) };
	return cyg_arena_dup(job->req->arena, dir);
}

static int write_and_sync(int fd, struct cyg_str data)
{
	struct cyg_err err;
	if (cyg_file_write_all(fd, data.p, data.len, &err) < 0)
		return err.sys != 0 ? err.sys : EIO;
	return fsync(fd) != 0 ? errno : 0;
}

/* Would a new file in its place lose something that people see? */
static bool must_keep_inode(const char *disk, const struct stat *st, bool dir_writable)
{
	return !dir_writable || st->st_nlink > 1 || st->st_uid != geteuid() ||
	       (st->st_mode & (S_ISUID | S_ISGID)) != 0 || listxattr(disk, NULL, 0) > 0;
}

static int replace(struct job *job, const char *disk, const struct stat *old, struct cyg_str data)
{
	char random[17];
	cyg_random_hex(random, 8);
	const char *tmp =
	    cyg_arena_printf(job->req->arena, "%s/.~cygnet-%s", dir_of(job, disk), random);
	mode_t mode = old != NULL ? old->st_mode & 0777 : NEW_MODE;
	int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return errno;
	int e = old != NULL && fchmod(fd, mode) != 0 ? errno : 0;
	/* Another group that we are not in cannot be kept; the mode then must not widen. */
	if (e == 0 && old != NULL && old->st_gid != getegid() &&
	    fchown(fd, (uid_t)-1, old->st_gid) != 0)
		e = fchmod(fd, mode & (mode_t)~0070) != 0 ? errno : 0;
	if (e == 0)
		e = write_and_sync(fd, data);
	if (close(fd) != 0 && e == 0)
		e = errno; /* a quota may speak up only here */
	if (e == 0 && rename(tmp, disk) != 0)
		e = errno;
	if (e != 0)
		(void)unlink(tmp);
	return e;
}

/* The copy beside a file while the file itself is written; stock's name for it. */
static int copy_aside(const char *disk, const char *aside)
{
	cyg_autoclose int from = open(disk, O_RDONLY | O_CLOEXEC);
	cyg_autoclose int to =
	    open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	ssize_t n = 1;
	if (from < 0 || to < 0)
		return errno;
	while (n > 0)
		n = copy_file_range(from, NULL, to, NULL, 1 << 30, 0);
	return n < 0 || fsync(to) != 0 ? errno : 0;
}

static int write_in_place(struct job *job, const char *disk, bool dir_writable, struct cyg_str data)
{
	const char *name = strrchr(disk, '/') + 1;
	const char *aside = cyg_arena_printf(job->req->arena, "%s/.~%s", dir_of(job, disk), name);
	int e = dir_writable ? copy_aside(disk, aside) : 0;
	cyg_autoclose int fd = e == 0 ? open(disk, O_WRONLY | O_CLOEXEC) : -1;
	if (e == 0 && fd < 0)
		e = errno;
	bool touched = e == 0;
	if (e == 0)
		e = write_and_sync(fd, data);
	if (e == 0 && ftruncate(fd, (off_t)data.len) != 0)
		e = errno;
	if (!dir_writable)
		return e;
	/* What could not be put back stays in the copy: nothing is lost. */
	/* NOLINTNEXTLINE(readability-suspicious-call-argument): and back again */
	if (e == 0 || !touched || copy_aside(aside, disk) == 0)
		(void)unlink(aside);
	return e;
}

int save_bytes(struct job *job, const char *disk, const char *path, struct cyg_str data)
{
	struct stat st;
	disk = resolve(job, disk);
	bool there = stat(disk, &st) == 0;
	bool dir_writable = faccessat(AT_FDCWD, dir_of(job, disk), W_OK | X_OK, AT_EACCESS) == 0;
	int e;
	if (there && !S_ISREG(st.st_mode))
		return job_fail(job, 400, NULL, "Not a file: %s", path);
	if (there && faccessat(AT_FDCWD, disk, W_OK, AT_EACCESS) != 0)
		return job_fail_sys(job, EACCES, "Cannot save", path);
	if (there && must_keep_inode(disk, &st, dir_writable))
		e = write_in_place(job, disk, dir_writable, data);
	else
		e = replace(job, disk, there ? &st : NULL, data);
	return e == 0 ? 0 : job_fail_sys(job, e, "Cannot save", path);
}

int save_new(struct job *job, const char *disk, const char *path, struct cyg_str data)
{
	int fd = open(disk, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, NEW_MODE);
	if (fd < 0 && errno == EEXIST)
		return 1;
	int e = fd < 0 ? errno : write_and_sync(fd, data);
	if (fd >= 0 && close(fd) != 0 && e == 0)
		e = errno;
	if (fd >= 0 && e != 0)
		(void)unlink(disk);
	return e == 0 ? 0 : job_fail_sys(job, e, "Cannot save", path);
}

void save_remember(struct job *job, const char *disk, struct cyg_str data)
{
	const struct contents_ctx *ctx = job->ctx;
	char hex[DIGEST_HEX];
	struct stat st;
	if (stat(disk, &st) != 0)
		return;
	digest_sha256(data, hex);
	state_hash_set(ctx->state, &st, hex);
}

int save_copy(struct job *job, const char *from, const char *to, const char *path, bool keep_times)
{
	cyg_autobuf struct cyg_buf data;
	struct stat st;
	struct cyg_err err;
	cyg_buf_init(&data, JOB_OUT_MAX);
	if (stat(from, &st) != 0)
		return job_fail_sys(job, errno, "Cannot copy", path);
	if (cyg_file_read(AT_FDCWD, from, true, &data, &err) < 0)
		return job_fail_err(job, &err, "Cannot copy");
	if (save_bytes(job, to, path, cyg_buf_str(&data)) < 0)
		return -1;
	const struct timespec times[2] = { st.st_atim, st.st_mtim };
	if (keep_times)
		(void)utimensat(AT_FDCWD, to, times, 0); /* as copystat: best effort */
	return 0;
}

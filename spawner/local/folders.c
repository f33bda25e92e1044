/* Makes and removes the folders and the socket of a server. Paths that a user can change are opened
 * with O_NOFOLLOW. */
#include "spawner/local/folders.h"

#include "base/file.h"
#include "base/mem.h"
#include "daemon/unixsock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const run_subfolders[] = { "connection", "journal", "runtime", "log",
	"secrets" };

static int make(const char *path, mode_t mode, struct cyg_err *err)
{
	if (cyg_file_mkdirs(path, mode, err) < 0)
		return -(int)CYG_ESYS;
	/* mkdirs does not change what exists, and the umask applies: set the mode explicitly */
	if (chmod(path, mode) < 0)
		return cyg_fail_sys(err, errno, "chmod '%s'", path);
	return 0;
}

static int open_dir(const char *path, int *ret, struct cyg_err *err)
{
	*ret = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret < 0 ? cyg_fail_sys(err, errno, "open '%s'", path) : 0;
}

int folders_open(struct folders *f, struct cyg_err *err)
{
	/* Users may enter folders of mode `pass`; proxy and hub (their group) those of mode
	 * `share`. */
	const mode_t pass = f->many_uids ? 0711 : 0700, share = f->many_uids ? 0750 : 0700;
	const struct {
		const char *root, *sub;
		mode_t mode;
	} table[] = { { f->run_dir, "", pass }, { f->run_dir, "/spawner", share },
		{ f->run_dir, "/spawner/records", 0700 }, { f->run_dir, "/servers", pass },
		{ f->run_dir, "/s", share }, { f->state_dir, "", pass },
		{ f->state_dir, "/homes", pass }, { f->state_dir, "/spawner", 0700 } };
	char path[CYG_PATH_MAX + 32];

	f->records = f->state = -1;
	for (size_t i = 0; i < CYG_N(table); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", table[i].root, table[i].sub);
		if (make(path, table[i].mode, err) < 0)
			return -(int)CYG_ESYS;
		if (table[i].mode == 0750 && f->group != (gid_t)-1 &&
		    chown(path, (uid_t)-1, f->group) < 0)
			return cyg_fail_sys(err, errno, "give '%s' to group %u", path, f->group);
	}
	(void)snprintf(path, sizeof(path), "%s/spawner/records", f->run_dir);
	if (open_dir(path, &f->records, err) < 0)
		return -(int)CYG_ESYS;
	return open_dir(f->state_dir, &f->state, err);
}

void folders_close(struct folders *f)
{
	cyg_close(f->records);
	cyg_close(f->state);
}

void folders_run_path(const struct folders *f, const char *id, char *out)
{
	(void)snprintf(out, CYG_PATH_MAX, "%.*s/servers/%s", CYG_PATH_MAX - 40, f->run_dir, id);
}

void folders_socket_path(const struct folders *f, const char *id, char *out)
{
	(void)snprintf(out, CYG_PATH_MAX, "%.*s/s/%s.sock", CYG_PATH_MAX - 40, f->run_dir, id);
}

void folders_home_path(const struct folders *f, const char *folder, char *out)
{
	(void)snprintf(out, CYG_PATH_MAX, "%.*s/homes/%s", CYG_PATH_MAX - 80, f->state_dir, folder);
}

/* Gives a folder that we made to the user; called only when it is complete. */
static int give(int fd, const struct uids_account *p, const char *what, struct cyg_err *err)
{
	if (p->uid != geteuid() && fchown(fd, p->uid, p->gid) < 0)
		return cyg_fail_sys(err, errno, "give %s to uid %u", what, p->uid);
	return 0;
}

int folders_make_run(
    const struct folders *f, const char *id, const struct uids_account *p, struct cyg_err *err)
{
	char path[CYG_PATH_MAX];
	cyg_autoclose int fd = -1;

	folders_run_path(f, id, path);
	if (mkdir(path, 0700) < 0)
		return cyg_fail_sys(err, errno, "make run folder '%s'", path);
	if (open_dir(path, &fd, err) < 0)
		return -(int)CYG_ESYS;
	for (size_t i = 0; i < CYG_N(run_subfolders); i++) {
		cyg_autoclose int sub = -1;

		if (mkdirat(fd, run_subfolders[i], 0700) < 0)
			return cyg_fail_sys(err, errno, "make run folder '%s'", path);
		sub = openat(fd, run_subfolders[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (sub < 0 || give(sub, p, run_subfolders[i], err) < 0)
			return cyg_fail_sys(err, errno, "make run folder '%s'", path);
	}
	return give(fd, p, path, err);
}

int folders_make_home(
    const struct folders *f, const char *folder, const struct uids_account *p, struct cyg_err *err)
{
	cyg_autoclose int homes = openat(f->state, "homes", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cyg_autoclose int fd = -1;
	struct stat st;

	if (homes < 0)
		return cyg_fail_sys(err, errno, "homes");
	if (mkdirat(homes, folder, 0700) < 0 && errno != EEXIST)
		return cyg_fail_sys(err, errno, "make home '%s'", folder);
	fd = openat(homes, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return cyg_fail_sys(err, errno, "home '%s'", folder);
	if (f->many_uids && st.st_uid == 0)
		return give(fd, p, "the home", err);
	if (st.st_uid != p->uid)
		return cyg_fail(err, CYG_EDENIED, "home '%s' belongs to uid %u, not to %u", folder,
		    st.st_uid, p->uid);
	return 0;
}

int folders_listen(const struct folders *f, const char *id, struct cyg_err *err)
{
	char path[CYG_PATH_MAX];

	folders_socket_path(f, id, path);
	return unixsock_listen(
	    path, SOCK_STREAM, f->group == (gid_t)-1 ? 0600 : 0660, f->group, err);
}

/* Overwrites the credential before its file is removed. In a sandbox it is on a tmpfs instead. */
static void wipe_credential(const char *run_path)
{
	cyg_autoclose int dir = open(run_path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	cyg_autoclose int secrets =
	    dir < 0 ? -1 : openat(dir, "secrets", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	cyg_autoclose int fd = -1;
	char zeros[CYG_CREDENTIAL_LEN] = { 0 };
	struct stat st;

	if (secrets < 0)
		return;
	/* Root needs no write permission, and must not change the mode of a link's target. */
	if (geteuid() != 0 && fchmodat(secrets, "credential", 0600, 0) < 0)
		return;
	fd = openat(secrets, "credential", O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1)
		return;
	(void)!write(fd, zeros, sizeof(zeros));
	(void)fdatasync(fd);
}

int folders_remove_some(
    const struct folders *f, const char *id, size_t max, bool *more, struct cyg_err *err)
{
	char path[CYG_PATH_MAX];

	folders_socket_path(f, id, path);
	if (unlink(path) < 0 && errno != ENOENT)
		return cyg_fail_sys(err, errno, "remove '%s'", path);
	folders_run_path(f, id, path);
	wipe_credential(path);
	return cyg_file_remove_some(AT_FDCWD, path, max, more, err);
}

int folders_write_credential(const struct folders *f, const char *id, const struct uids_account *p,
    const char *credential, struct cyg_err *err)
{
	char path[CYG_PATH_MAX + 32];
	cyg_autoclose int fd = -1;

	folders_run_path(f, id, path);
	(void)snprintf(path + strlen(path), 32, "/secrets/credential");
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
	if (fd < 0)
		return cyg_fail_sys(err, errno, "write the credential");
	if (cyg_file_write_all(fd, credential, strlen(credential), err) < 0)
		return cyg_wrap(err, "write the credential");
	return give(fd, p, "the credential", err);
}

size_t folders_read_tail(
    const struct folders *f, const char *id, const char *log, uid_t uid, char out[CYG_TAIL_MAX])
{
	char path[CYG_PATH_MAX];
	cyg_autoclose int dir = -1, logs = -1, fd = -1;
	struct stat st;
	off_t from;
	ssize_t n;

	folders_run_path(f, id, path);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	logs = dir < 0 ? -1 : openat(dir, "log", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	fd = logs < 0 ? -1 : openat(logs, log, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != uid ||
	    st.st_nlink != 1)
		return 0;
	from = st.st_size > CYG_TAIL_MAX ? st.st_size - CYG_TAIL_MAX : 0;
	n = pread(fd, out, CYG_TAIL_MAX, from);
	return n > 0 ? (size_t)n : 0;
}

/* Binding and connecting Unix sockets, and asking the kernel who the peer is. */
#include "daemon/unixsock.h"

#include "base/mem.h"
#include "base/str.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

enum { BACKLOG = 1024 };

static int fill(struct sockaddr_un *sa, const char *path, struct cyg_err *err)
{
	memset(sa, 0, sizeof(*sa));
	sa->sun_family = AF_UNIX;
	if (!cyg_str_copy(sa->sun_path, sizeof(sa->sun_path), cyg_str_of(path)))
		return cyg_fail(err, CYG_EINVAL,
		    "socket path '%.60s…' is longer than %zu bytes: use a shorter run folder", path,
		    sizeof(sa->sun_path) - 1);
	return 0;
}

int unixsock_listen(const char *path, int type, mode_t mode, gid_t group, struct cyg_err *err)
{
	cyg_autoclose int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un sa;
	struct stat st;
	int rc = fill(&sa, path, err);

	if (rc < 0)
		return rc;
	if (fd < 0)
		return cyg_fail_sys(err, errno, "socket");
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) && unlink(path) < 0)
		return cyg_fail_sys(err, errno, "remove old socket '%s'", path);
	/* The mode is set before the socket listens, so no one can connect meanwhile. */
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return cyg_fail_sys(err, errno, "bind '%s'", path);
	if (group != (gid_t)-1 && chown(path, (uid_t)-1, group) < 0)
		return cyg_fail_sys(err, errno, "give '%s' to group %u", path, (unsigned)group);
	if (chmod(path, mode) < 0)
		return cyg_fail_sys(err, errno, "set the mode of '%s'", path);
	if (listen(fd, BACKLOG) < 0)
		return cyg_fail_sys(err, errno, "listen on '%s'", path);
	return CYG_TAKE_FD(fd);
}

int unixsock_connect(const char *path, int type, struct cyg_err *err)
{
	cyg_autoclose int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un sa;
	int rc = fill(&sa, path, err);

	if (rc < 0)
		return rc;
	if (fd < 0)
		return cyg_fail_sys(err, errno, "socket");
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return cyg_fail_sys(err, errno, "connect to '%s'", path);
	return CYG_TAKE_FD(fd);
}

int unixsock_peer(int fd, uid_t *uid, pid_t *pid, struct cyg_err *err)
{
	struct ucred cred = { 0 };
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return cyg_fail_sys(err, errno, "ask who the peer is");
	*uid = cred.uid;
	*pid = cred.pid;
	return 0;
}

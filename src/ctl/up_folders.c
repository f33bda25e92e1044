/* The folders and sockets of one machine's Cygnet, made before any daemon starts. */
#include "base/file.h"
#include "base/mem.h"
#include "ctl/up.h"
#include "daemon/unixsock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>

static char *xdg(const char *variable, const char *below_home)
{
	const char *value = getenv(variable);
	const char *home = getenv("HOME");

	if (value != NULL && value[0] == '/')
		return cyg_xasprintf("%s/cygnet", value);
	return cyg_xasprintf("%s/%s/cygnet", home != NULL ? home : "/tmp", below_home);
}

/* Sets an option that was not given; takes value either way. */
static void default_to(char **option, char *value)
{
	if (*option == NULL)
		*option = CYG_TAKE(value);
	free(value);
}

int up_default_folders(struct up_options *o, struct cyg_err *err)
{
	const bool root = geteuid() == 0;

	default_to(&o->state_dir,
	    root ? cyg_xstrdup("/var/lib/cygnet") : xdg("XDG_STATE_HOME", ".local/state"));
	default_to(&o->cache_dir,
	    root ? cyg_xstrdup("/var/cache/cygnet") : xdg("XDG_CACHE_HOME", ".cache"));
	if (root)
		default_to(&o->run_dir, cyg_xstrdup("/run/cygnet"));
	else if (getenv("XDG_RUNTIME_DIR") != NULL)
		default_to(&o->run_dir, cyg_xasprintf("%s/cygnet", getenv("XDG_RUNTIME_DIR")));
	else
		default_to(&o->run_dir, cyg_xasprintf("/tmp/cygnet-%u", (unsigned)geteuid()));
	if (o->state_dir[0] != '/' || o->cache_dir[0] != '/' || o->run_dir[0] != '/')
		return cyg_fail(
		    err, CYG_EINVAL, "state, cache and run folders must be absolute paths");
	return 0;
}

struct folder {
	const char *base, *name;
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

/* Makes one folder and gives it its owner and mode, also when it was there. */
static int make_folder(const struct folder *f, struct cyg_err *err)
{
	cyg_autofree char *path =
	    cyg_xasprintf("%s%s%s", f->base, f->name[0] != '\0' ? "/" : "", f->name);
	cyg_autoclose int fd = -1;
	int rc = cyg_file_mkdirs(path, 0755, err);

	if (rc < 0)
		return rc;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return cyg_fail_sys(err, errno, "open folder '%s'", path);
	if (geteuid() == 0 && fchown(fd, f->uid, f->gid) < 0)
		return cyg_fail_sys(
		    err, errno, "give folder '%s' to uid %u", path, (unsigned)f->uid);
	if (fchmod(fd, f->mode) < 0)
		return cyg_fail_sys(err, errno, "set the mode of folder '%s'", path);
	return 0;
}

/* what and how: "state" and "STATE= or --state-dir". */
static int lock_folder(
    const char *folder, const char *what, const char *how, int *lock_fd, struct cyg_err *err)
{
	cyg_autofree char *path = cyg_xasprintf("%s/lock", folder);
	cyg_autoclose int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return cyg_fail_sys(err, errno, "open '%s'", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return cyg_fail(err, CYG_EBUSY,
		    "another Cygnet is running on %s folder %s: stop it, or name another folder with %s",
		    what, folder, how);
	*lock_fd = CYG_TAKE_FD(fd);
	return 0;
}

int up_make_folders(const struct up_options *o, struct up_locks *locks, struct cyg_err *err)
{
	const bool root = geteuid() == 0;
	const mode_t walk = root ? 0711 : 0700; /* users' uids walk to their homes and sockets */
	const struct folder folders[] = {
		{ o->state_dir, "", walk, 0, 0 },
		{ o->state_dir, "hub", 0700, UP_UID_HUB, UP_GID_SHARED },
		{ o->state_dir, "spawner", 0700, 0, 0 },
		{ o->state_dir, "homes", walk, 0, 0 },
		{ o->cache_dir, "", root ? 0755 : 0700, 0, 0 },
		{ o->run_dir, "", walk, 0, 0 },
		{ o->run_dir, "hub", 0750, UP_UID_HUB, UP_GID_SHARED },
		{ o->run_dir, "spawner", 0750, 0, UP_GID_SHARED },
		{ o->run_dir, "proxy", 0750, UP_UID_PROXY, UP_GID_SHARED },
		{ o->run_dir, "proxy/0", 0750, UP_UID_PROXY, UP_GID_SHARED },
		{ o->run_dir, "inner", walk, UP_UID_PROXY, UP_GID_SHARED },
		{ o->run_dir, "s", 0750, 0, UP_GID_SHARED },
		{ o->run_dir, "servers", walk, 0, 0 },
	};

	for (size_t i = 0; i < CYG_N(folders); i++) {
		int rc = make_folder(&folders[i], err);

		if (rc < 0)
			return rc;
	}
	int rc = lock_folder(o->state_dir, "state", "STATE= or --state-dir", &locks->state_fd, err);
	if (rc == 0)
		rc = lock_folder(o->run_dir, "run", "RUN= or --run-dir", &locks->run_fd, err);
	return rc;
}

static int bind_tcp(const struct up_options *o, struct up_sockets *s, struct cyg_err *err)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons((uint16_t)o->port) };
	socklen_t len = sizeof(sa);
	cyg_autoclose int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int one = 1;

	if (inet_pton(AF_INET, o->address, &sa.sin_addr) != 1)
		return cyg_fail(
		    err, CYG_EINVAL, "--address '%.60s' is not an IPv4 address", o->address);
	if (fd < 0)
		return cyg_fail_sys(err, errno, "socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 || listen(fd, 4096) < 0) {
		if (errno == EADDRINUSE)
			return cyg_fail(err, CYG_EEXIST,
			    "port %u of %s is in use: stop what listens there, or choose another with PORT= or --port (0 takes a free one)",
			    (unsigned)o->port, o->address);
		return cyg_fail_sys(
		    err, errno, "listen on %s port %u", o->address, (unsigned)o->port);
	}
	if (getsockname(fd, (struct sockaddr *)&sa, &len) < 0)
		return cyg_fail_sys(err, errno, "ask for the port");
	s->port = ntohs(sa.sin_port);
	s->http = CYG_TAKE_FD(fd);
	return 0;
}

int up_bind_sockets(const struct up_options *o, struct up_sockets *s, struct cyg_err *err)
{
	const gid_t group = geteuid() == 0 ? UP_GID_SHARED : (gid_t)-1;
	const struct {
		int *fd;
		const char *name;
		int type;
		mode_t mode;
	} sockets[] = {
		{ &s->control, "proxy/0/control.sock", SOCK_STREAM, 0660 },
		/* Bound into every container: any uid may connect, the credential decides. */
		{ &s->inner, "inner/hub.sock", SOCK_STREAM, 0666 },
		{ &s->hub, "hub/http.sock", SOCK_STREAM, 0660 },
		/* Root, or the one user of an unprivileged Cygnet. */
		{ &s->hub_control, "hub/control.sock", SOCK_STREAM, 0600 },
		{ &s->spawner, "spawner/ctl.sock", SOCK_SEQPACKET, 0660 },
	};
	int rc;

	*s = (struct up_sockets){ -1, -1, -1, -1, -1, -1, 0 };
	rc = bind_tcp(o, s, err);
	for (size_t i = 0; rc >= 0 && i < CYG_N(sockets); i++) {
		cyg_autofree char *path = cyg_xasprintf("%s/%s", o->run_dir, sockets[i].name);

		rc = unixsock_listen(path, sockets[i].type, sockets[i].mode, group, err);
		if (rc >= 0)
			*sockets[i].fd = rc;
	}
	return rc < 0 ? rc : 0;
}

void up_close_sockets(const struct up_options *o, struct up_sockets *s)
{
	const struct {
		int fd;
		const char *name;
	} sockets[] = { { s->control, "proxy/0/control.sock" }, { s->inner, "inner/hub.sock" },
		{ s->hub, "hub/http.sock" }, { s->hub_control, "hub/control.sock" },
		{ s->spawner, "spawner/ctl.sock" } };

	cyg_close(s->http);
	for (size_t i = 0; i < CYG_N(sockets); i++) {
		cyg_autofree char *path = NULL;

		if (sockets[i].fd < 0)
			continue;
		path = cyg_xasprintf("%s/%s", o->run_dir, sockets[i].name);
		(void)unlink(path);
		cyg_close(sockets[i].fd);
	}
}

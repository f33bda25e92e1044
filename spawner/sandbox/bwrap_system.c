/* The system part of a container's file tree: this machine's programs and libraries, the few files
 * of /etc that programs need, and a passwd, group and hosts of its own. */
#include "base/mem.h"
#include "spawner/sandbox/bwrap.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const top_folders[] = { "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32" };

/* Names in /etc, or beginnings of names when they end in '*': what programs read at run time, and
 * nothing that only root may read or that names users of this machine. Each folder is a mount,
 * which costs about a third of a millisecond at each start, so the list is short. Files are copied.
 */
static const char *const etc_names[] = { "OpenCL", "R", "alternatives", "bash.bashrc",
	"debian_version", "fonts", "hadoop*", "inputrc", "ipython", "java*", "jupyter", "krb5.conf",
	"krb5.conf.d", "ld.so.cache", "localtime", "magic", "mime.types", "octave*", "os-release",
	"pki", "profile", "protocols", "services", "ssl", "texmf", "timezone" };

static bool is_wanted(const char *name)
{
	for (size_t i = 0; i < CYG_N(etc_names); i++) {
		size_t len = strlen(etc_names[i]);

		if (etc_names[i][len - 1] == '*' ? strncmp(name, etc_names[i], len - 1) == 0
						 : strcmp(name, etc_names[i]) == 0)
			return true;
	}
	return false;
}

static void add_copy_or_bind(struct bwrap *b, const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	/* The spawner copies files as root, so files that others may not read are left out. (A
	 * bound folder is read with the user's own rights.) */
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		if ((st.st_mode & S_IROTH) == 0) {
			cyg_close(fd);
			return;
		}
		bwrap_add(b, "--perms", "0444", "--file", bwrap_add_fd(b, fd), path, NULL);
		return;
	}
	cyg_close(fd);
	bwrap_add(b, "--ro-bind-try", path, path, NULL);
}

static void add_etc(struct bwrap *b)
{
	DIR *dir = opendir("/etc");
	const struct dirent *e;

	while (dir != NULL && (e = readdir(dir)) != NULL) {
		char path[300], target[512];
		ssize_t n;

		if (!is_wanted(e->d_name))
			continue;
		(void)snprintf(path, sizeof(path), "/etc/%s", e->d_name);
		n = readlink(path, target, sizeof(target) - 1);
		if (n > 0) {
			target[n] = '\0';
			bwrap_add(b, "--symlink", target, path, NULL);
		} else {
			add_copy_or_bind(b, path);
		}
	}
	if (dir != NULL)
		(void)closedir(dir);
}

static void add_top(struct bwrap *b)
{
	bwrap_add(b, "--ro-bind", "/usr", "/usr", NULL);
	for (size_t i = 0; i < CYG_N(top_folders); i++) {
		char target[256];
		ssize_t n = readlink(top_folders[i], target, sizeof(target) - 1);

		if (n > 0) {
			target[n] = '\0';
			bwrap_add(b, "--symlink", target, top_folders[i], NULL);
		} else {
			bwrap_add(b, "--ro-bind-try", top_folders[i], top_folders[i], NULL);
		}
	}
}

static void add_file(struct bwrap *b, const char *path, const char *text)
{
	/* A copy in the root, which is remounted read-only at the end. */
	bwrap_add(b, "--perms", "0444", "--file", bwrap_add_fd(b, bwrap_data(text, strlen(text))),
	    path, NULL);
}

/* Spark, ssh, git and similar tools need a name for their uid, and a host name that resolves. No
 * other user of this machine is named. */
static void add_names(struct bwrap *b, const struct local_server *s, const char *home)
{
	cyg_autofree char *passwd =
	    cyg_xasprintf("root:x:0:0:root:/:/usr/sbin/nologin\n"
			  "%s:x:%u:%u:%s:%s:/bin/bash\n"
			  "nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n",
		s->spec.user, s->account.uid, s->account.gid, s->spec.user, home);
	cyg_autofree char *group =
	    cyg_xasprintf("root:x:0:\n%s:x:%u:\nnogroup:x:65534:\n", s->spec.user, s->account.gid);

	add_file(b, "/etc/passwd", passwd);
	add_file(b, "/etc/group", group);
	add_file(b, "/etc/hosts",
	    "127.0.0.1 localhost " BWRAP_HOST_NAME "\n::1 localhost ip6-localhost\n");
	add_file(b, "/etc/hostname", BWRAP_HOST_NAME "\n");
	add_file(b, "/etc/nsswitch.conf",
	    "passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n");
}

void bwrap_add_system(struct bwrap *b, const struct local_server *s, const char *home)
{
	add_top(b);
	add_etc(b);
	add_names(b, s, home);
	bwrap_add(b, "--proc", "/proc", "--dev", "/dev", "--dir", "/var", "--symlink", "/tmp",
	    "/var/tmp", "--symlink", "/run", "/var/run", NULL);
}

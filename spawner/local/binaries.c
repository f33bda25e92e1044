/* Copies the container's binaries to a folder that every user's uid can reach. */
#include "base/buf.h"
#include "base/enc.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "spawner/local/local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BINARY_MAX = 64 * 1024 * 1024 };

static const char *const names[] = { "cygnet-init", "cygnet-agent" };

struct binaries {
	struct cyg_buf data[CYG_N(names)];
	bool there[CYG_N(names)];
};

static void binaries_free(struct binaries *b)
{
	for (size_t i = 0; i < CYG_N(names); i++)
		cyg_buf_free(&b->data[i]);
}

static int read_both(struct binaries *b, const char *from, struct cyg_err *err)
{
	for (size_t i = 0; i < CYG_N(names); i++) {
		char path[CYG_PATH_MAX + 32];
		int r;

		(void)snprintf(path, sizeof(path), "%s/%s", from, names[i]);
		cyg_buf_init(&b->data[i], BINARY_MAX);
		r = cyg_file_read(AT_FDCWD, path, true, &b->data[i], err);
		b->there[i] = r == 0;
		if (r < 0 && (i == 0 || r != -(int)CYG_ENOENT))
			return r;
	}
	return 0;
}

/* Names the folder by a hash of the binaries. It need not resist attacks, since only root writes
 * there; 128 bits make collisions unlikely enough. */
static void hash(const struct binaries *b, char out[33])
{
	uint64_t words[2] = { 0, 0 };

	for (size_t i = 0; i < CYG_N(names); i++) {
		for (uint8_t k = 0; k < 2; k++) {
			const uint8_t key[16] = { (uint8_t)(i + 1), k };

			words[k] ^= cyg_siphash(key, b->data[i].data, b->data[i].len);
		}
	}
	cyg_hex_write(words, sizeof(words), out);
}

static int write_one(int dir, const char *name, const struct cyg_buf *data, struct cyg_err *err)
{
	cyg_autoclose int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);

	if (fd < 0)
		return cyg_fail_sys(err, errno, "write '%s'", name);
	if (cyg_file_write_all(fd, data->data, data->len, err) < 0)
		return cyg_wrap(err, "write '%s'", name);
	if (fchmod(fd, 0755) < 0 || fsync(fd) < 0)
		return cyg_fail_sys(err, errno, "write '%s'", name);
	return 0;
}

static int write_folder(const struct binaries *b, const char *folder, struct cyg_err *err)
{
	cyg_autofree char *temp = cyg_xasprintf("%s.%d", folder, (int)getpid());
	cyg_autoclose int dir = -1;

	/* Of a spawner that was killed while it wrote: in a container its pid comes again. */
	(void)cyg_file_remove_tree(AT_FDCWD, temp, NULL);
	if (mkdir(temp, 0755) < 0)
		return cyg_fail_sys(err, errno, "make '%s'", temp);
	if (chmod(temp, 0755) < 0)
		return cyg_fail_sys(err, errno, "chmod '%s'", temp);
	dir = open(temp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return cyg_fail_sys(err, errno, "open '%s'", temp);
	for (size_t i = 0; i < CYG_N(names); i++)
		if (b->there[i] && write_one(dir, names[i], &b->data[i], err) < 0)
			return -(int)CYG_ESYS;
	if (rename(temp, folder) < 0) {
		int errnum = errno;

		(void)cyg_file_remove_tree(AT_FDCWD, temp, NULL);
		/* Another spawner has put the same binaries there meanwhile. */
		if (errnum != EEXIST && errnum != ENOTEMPTY)
			return cyg_fail_sys(err, errnum, "make '%s'", folder);
	}
	return 0;
}

/* Warns when users' uids cannot reach the binaries, and names the first folder that forbids it. */
static void check_reachable(const char *path, bool many_uids)
{
	char part[CYG_PATH_MAX];
	struct stat st;

	for (size_t i = 1; path[i] != '\0' && i < sizeof(part) && many_uids; i++) {
		if (path[i] != '/')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (stat(part, &st) == 0 && (st.st_mode & S_IXOTH) == 0) {
			cyg_log_error("binaries",
			    "users cannot enter '%s': no server will start; set cache-dir to a "
			    "folder that everybody can reach",
			    part);
			return;
		}
	}
}

int local_install_binaries(struct local *l, const char *from, struct cyg_err *err)
{
	const char *cache = l->folders.cache_dir;
	cyg_autofree char *folder = cyg_xasprintf("%s/bin", cache);
	__attribute__((cleanup(binaries_free))) struct binaries b = { 0 };
	char hex[33];

	if (read_both(&b, from, err) < 0)
		return cyg_wrap(err, "the container's binaries");
	if (!b.there[1])
		cyg_log_warn("binaries", "'%s/cygnet-agent' is not there", from);
	if (cyg_file_mkdirs(folder, 0755, err) < 0)
		return cyg_wrap(err, "the container's binaries");
	if (l->folders.many_uids && (chmod(cache, 0755) < 0 || chmod(folder, 0755) < 0))
		return cyg_fail_sys(err, errno, "chmod '%s'", folder);
	hash(&b, hex);
	if (snprintf(l->bin, sizeof(l->bin), "%s/%s", folder, hex) >= (int)sizeof(l->bin))
		return cyg_fail(err, CYG_EINVAL, "cache-dir is too long");
	if (access(l->bin, F_OK) < 0 && write_folder(&b, l->bin, err) < 0)
		return cyg_wrap(err, "the container's binaries");
	check_reachable(l->bin, l->folders.many_uids);
	return 0;
}

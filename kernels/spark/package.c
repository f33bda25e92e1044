/* Writes the files of the Python package. part.mk puts them into the program one behind the other,
 * each after a line with its name and its length. */
#include "kernels/spark/package.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/num.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

extern const char spark_package_start[];
extern const char spark_package_end[];

struct item {
	struct cyg_str name, text;
};

/* Takes the next file off *rest; false at the end. */
static bool next_item(struct cyg_str *rest, struct item *ret)
{
	struct cyg_str length;
	uint64_t len;

	if (rest->len == 0)
		return false;
	if (!cyg_str_next(rest, '\n', &length) || !cyg_str_next(&length, ' ', &ret->name) ||
	    cyg_num_parse_u64(length, 0, rest->len, &len, NULL) < 0)
		abort(); /* our build made it */
	ret->text = cyg_str_sub(*rest, 0, len);
	*rest = cyg_str_skip(*rest, len);
	return true;
}

static int write_new(int dirfd, const char *path, struct cyg_str text, struct cyg_err *err)
{
	cyg_autoclose int fd = openat(
	    dirfd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);

	return fd < 0 ? cyg_fail_sys(err, errno, "create '%s'", path)
		      : cyg_file_write_all(fd, text.p, text.len, err);
}

/* The run folder is made anew after a power failure, so nothing is synced here: a sync for each
 * file would hold up every start of a server. */
static int replace(int dirfd, const struct item *item, struct cyg_err *err)
{
	cyg_autofree char *name = cyg_str_dup(item->name);
	cyg_autofree char *tmp = cyg_xasprintf("%s.tmp", name);
	int rc = write_new(dirfd, tmp, item->text, err);

	if (rc == 0 && renameat(dirfd, tmp, dirfd, name) < 0)
		rc = cyg_fail_sys(err, errno, "rename '%s'", tmp);
	if (rc < 0)
		(void)unlinkat(dirfd, tmp, 0);
	return rc;
}

static int write_all(int dirfd, struct cyg_err *err)
{
	struct cyg_str rest = { spark_package_start,
		(size_t)(spark_package_end - spark_package_start) };
	struct item item;
	int rc = 0;

	while (rc == 0 && next_item(&rest, &item))
		rc = replace(dirfd, &item, err);
	return rc;
}

/* Beside the package it would only be what people find first. */
static int remove_single_file(const char *dir, struct cyg_err *err)
{
	cyg_autofree char *path = cyg_xasprintf("%s/cygnet_spark.py", dir);

	if (unlink(path) < 0 && errno != ENOENT)
		return cyg_fail_sys(err, errno, "remove '%s'", path);
	return 0;
}

int spark_package_write(const char *dir, struct cyg_err *err)
{
	cyg_autofree char *path = cyg_xasprintf("%s/cygnet_spark", dir);
	cyg_autoclose int dirfd = -1;
	int rc = cyg_file_mkdirs(path, 0700, err);

	if (rc == 0)
		rc = remove_single_file(dir, err);
	if (rc < 0)
		return cyg_wrap(err, "the Python package of Spark");
	dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	rc = dirfd < 0 ? cyg_fail_sys(err, errno, "open '%s'", path) : write_all(dirfd, err);
	return rc < 0 ? cyg_wrap(err, "the Python package of Spark") : 0;
}

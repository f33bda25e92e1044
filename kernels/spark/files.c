/* Writing what holds secrets. */
#include "kernels/spark/files.h"

#include "base/file.h"
#include "base/mem.h"

#include <fcntl.h>
#include <string.h>

enum { FILE_MAX = 1024 * 1024 };

int spark_write_secret(const char *dir, const char *name, struct cyg_str text, struct cyg_err *err)
{
	cyg_autofree char *path = cyg_xasprintf("%s/%s", dir, name);
	char *end = strrchr(path, '/');
	int rc;

	*end = '\0';
	rc = cyg_file_mkdirs(path, 0700, err);
	*end = '/';
	return rc < 0 ? rc : cyg_file_write(AT_FDCWD, path, text, 0400, err);
}

int spark_write_filled(const char *dir, const char *name, const char *text, const struct fill *fill,
    struct cyg_err *err)
{
	cyg_autofree char *real = fill_new(fill, name, err);
	cyg_autobuf struct cyg_buf out;
	int rc;

	cyg_buf_init(&out, FILE_MAX);
	if (real == NULL)
		return -(int)err->code;
	rc = fill_text(fill, cyg_str_of(text), &out, err);
	if (rc == 0)
		rc = spark_write_secret(dir, real, cyg_buf_str(&out), err);
	if (out.data != NULL)
		cyg_cleanse(out.data, out.len);
	return rc;
}

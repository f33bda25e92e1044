/* A temporary folder for the tests that need files. */
#include "tests/unit/base/tmp_folder.h"

#include "base/file.h"
#include "base/mem.h"

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>

void tmp_folder_make(struct tmp_folder *f)
{
	*f = (struct tmp_folder){ .path = "/tmp/cygnet-test-XXXXXX" };
	ck_assert_ptr_nonnull(mkdtemp(f->path));
	f->fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(f->fd, 0);
}

void tmp_folder_remove(struct tmp_folder *f)
{
	ck_assert_int_eq(cyg_file_remove_tree(AT_FDCWD, f->path, NULL), 0);
	cyg_close(f->fd);
}

void tmp_folder_put(const struct tmp_folder *f, const char *name, const char *text)
{
	ck_assert_int_eq(cyg_file_write(f->fd, name, cyg_str_of(text), 0600, NULL), 0);
}

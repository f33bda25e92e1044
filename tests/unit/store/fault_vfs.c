/* See fault_vfs.h. The real one, whose files have another function for writing. */
#include "fault_vfs.h"

#include "base/mem.h"

#include <check.h>
#include <sqlite3.h>

static int fault;
static sqlite3_vfs *real;
static sqlite3_vfs shim;

/* One for each set of functions that the real one gives to its files (a log has no locks). The copy
 * stands first, so that it leads back to the real one. */
static struct methods {
	sqlite3_io_methods copy;
	const sqlite3_io_methods *real;
} kinds[4];

static int on_write(sqlite3_file *file, const void *data, int len, sqlite3_int64 at)
{
	const struct methods *kind = (const void *)file->pMethods;

	return fault != SQLITE_OK ? fault : kind->real->xWrite(file, data, len, at);
}

static const sqlite3_io_methods *methods_of(const sqlite3_io_methods *methods)
{
	size_t i = 0;

	while (kinds[i].real != NULL && kinds[i].real != methods)
		ck_assert_uint_lt(++i, CYG_N(kinds));
	kinds[i].copy = *methods;
	kinds[i].copy.xWrite = on_write;
	kinds[i].real = methods;
	return &kinds[i].copy;
}

static int on_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
	int code = real->xOpen(vfs, name, file, flags, out);

	if (code == SQLITE_OK && file->pMethods != NULL)
		file->pMethods = methods_of(file->pMethods);
	return code;
}

void fault_vfs_register(void)
{
	if (real != NULL)
		return;
	real = sqlite3_vfs_find("unix");
	ck_assert_ptr_nonnull(real);
	shim = *real;
	shim.zName = "fault";
	shim.xOpen = on_open;
	ck_assert_int_eq(sqlite3_vfs_register(&shim, 1), SQLITE_OK);
}

void fault_vfs_set(int code)
{
	fault = code;
}

/* Whole files: reading with a limit, and replacing so that a crash leaves the old or the new one.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/buf.h"

#include <sys/types.h>

/* Appends the content of path (relative to dirfd) to *out, at most out->max bytes. O_NOFOLLOW for
 * the last component unless follow. */
int cyg_file_read(
    int dirfd, const char *path, bool follow, struct cyg_buf *out, struct cyg_err *err);
/* A secret: a regular file without any right for others or group, at most 64 KiB; a closing newline
 * is cut. The caller cleanses and frees *ret. */
int cyg_file_read_secret(int dirfd, const char *path, char **ret, struct cyg_err *err);
/* Writes name.tmp-XXXX beside it, fsyncs, renames over path, fsyncs the directory. */
int cyg_file_write(
    int dirfd, const char *path, struct cyg_str data, mode_t mode, struct cyg_err *err);
/* mkdir -p below an existing root; existing folders are left as they are. */
int cyg_file_mkdirs(const char *path, mode_t mode, struct cyg_err *err);
/* write() until all is out. */
int cyg_file_write_all(int fd, const void *data, size_t len, struct cyg_err *err);
/* Copies what is left to read of one open file to another, in the kernel where the file systems
 * can. */
int cyg_file_copy(int from, int to, struct cyg_err *err);
/* Makes the name that was just given to path (by rename, link or create) survive a power failure;
 * best effort, as not every file system can. */
void cyg_file_sync_parent(int dirfd, const char *path);
/* Removes a folder and all below it (relative to dirfd), however deep, following no link and
 * crossing no mount point. A path that is not there is success. */
int cyg_file_remove_tree(int dirfd, const char *path, struct cyg_err *err);
/* The same, also where a folder's own mode forbids us (who own it) to enter or change it, and at
 * most about max entries (a thousand or more) in one call: *more says whether to call again. */
int cyg_file_remove_some(int dirfd, const char *path, size_t max, bool *more, struct cyg_err *err);

#endif

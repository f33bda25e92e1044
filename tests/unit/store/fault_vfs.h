/* A disk for SQLite that refuses to be written, when a test says so. */
#ifndef TESTS_FAULT_VFS_H
#define TESTS_FAULT_VFS_H

/* Files opened from now on are on this disk. */
void fault_vfs_register(void);
/* What every write returns: SQLITE_FULL, say; SQLITE_OK: it works. */
void fault_vfs_set(int code);

#endif

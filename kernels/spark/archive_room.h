/* Whether the container has memory for a process of a gigabyte beside what runs in it. */
#ifndef SPARK_ARCHIVE_ROOM_H
#define SPARK_ARCHIVE_ROOM_H

#include <stdbool.h>

/* Reads memory.max and memory.stat of a cgroup's folder ("/sys/fs/cgroup" in a container). True
 * without a limit, and where they cannot be read. */
bool archive_has_room(const char *cgroup);

#endif

/* Unix sockets: binding a path with rights, connecting, and who is on the other side. */
#ifndef DAEMON_UNIXSOCK_H
#define DAEMON_UNIXSOCK_H

#include "cygnet/err.h"

#include <sys/types.h>

/* Binds and listens on path with the mode (and group, unless -1); an old socket there is replaced.
 * type: SOCK_STREAM or SOCK_SEQPACKET. Returns the descriptor (CLOEXEC, non-blocking) or a code. */
int unixsock_listen(const char *path, int type, mode_t mode, gid_t group, struct cyg_err *err);
/* Starts a non-blocking connect; a Unix connect ends at once or fails. */
int unixsock_connect(const char *path, int type, struct cyg_err *err);
/* SO_PEERCRED. */
int unixsock_peer(int fd, uid_t *uid, pid_t *pid, struct cyg_err *err);

#endif

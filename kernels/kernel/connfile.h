/* A kernel's connection file (jupyter_client docs, "Connection files"): the addresses of its five
 * sockets and the key that signs messages. Any Jupyter client can connect with it. */
#ifndef KERNEL_CONNFILE_H
#define KERNEL_CONNFILE_H

#include "cygnet/err.h"
#include "cygnet/limits.h"

#include <stdbool.h>

enum { CONNFILE_ENDPOINT_MAX = 160, CONNFILE_KEY_LEN = 64 };
enum connfile_socket {
	CONNFILE_SHELL,
	CONNFILE_IOPUB,
	CONNFILE_STDIN,
	CONNFILE_CONTROL,
	CONNFILE_HB,
	CONNFILE_SOCKETS,
};

struct connfile {
	bool ipc;
	char ip[CONNFILE_ENDPOINT_MAX]; /* address, or path prefix of ipc */
	int port[CONNFILE_SOCKETS];     /* or the number after the prefix */
	char key[CONNFILE_KEY_LEN + 1];
	char kernel_name[CYG_NAME_MAX];
};

/* Chooses addresses and a key. ipc: sockets in folder, unless the path would be too long for a
 * Unix socket (108 bytes); then, and otherwise, free ports of 127.0.0.1. */
int connfile_choose(
    struct connfile *c, const char *folder, bool ipc, const char *kernel_name, struct cyg_err *err);
/* Writes it with mode 0600, or reads it back (any jupyter_client's file is understood). */
int connfile_write(const struct connfile *c, const char *path, struct cyg_err *err);
int connfile_read(const char *path, struct connfile *ret, struct cyg_err *err);
/* "ipc://…" or "tcp://…" of one socket. */
void connfile_endpoint(
    const struct connfile *c, enum connfile_socket which, char out[CONNFILE_ENDPOINT_MAX]);
/* Removes the file and, of ipc, the sockets. */
void connfile_remove(const struct connfile *c, const char *path);

#endif

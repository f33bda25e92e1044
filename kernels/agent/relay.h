/* The relay: runs another server's command and connects each connection to our listening socket
 * with the Unix socket that the command listens on. It copies the bytes without reading them. */
#ifndef AGENT_RELAY_H
#define AGENT_RELAY_H

#include "cygnet/err.h"

struct relay_opts {
	const char *socket_path; /* where the command will listen */
	char *const *command;    /* ended by NULL */
	int listen_fd;           /* connections arrive here */
	int link_fd;             /* init's link, whose HELLO brings the environment; -1: our own */
};

/* Runs until the command ends, or until SIGTERM has been passed on to it and it has ended. Returns
 * the exit status to end with (128 + signal when it was killed), or a negative code when it could
 * not begin. */
int relay_run(const struct relay_opts *opts, struct cyg_err *err);

#endif

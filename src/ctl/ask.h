/* One request to a daemon's control socket, for commands that ask and print. */
#ifndef CTL_ASK_H
#define CTL_ASK_H

#include "cygnet/err.h"
#include "daemon/options.h"
#include "http/client.h"

#include <stddef.h>

/* The row of such a command's options that names the folder of the control sockets; member of type_
 * is the run_dir of a struct up_options. */
#define CTL_RUN_DIR_OPTION(type_, member)                                                          \
	{                                                                                          \
		.name = "run-dir", .type = OPT_STRING, .offset = offsetof(type_, member),          \
		.doc = "Folder of the sockets. /run/cygnet for root, else below XDG_RUNTIME_DIR."  \
	}

struct ctl_reply {
	int status;
	char *body; /* heap, the caller's to free; terminated */
	size_t len;
};

/* Waits for the response, whatever its status, and until a signal at most: -CYG_EBUSY then. On
 * failure ret holds nothing. */
int ctl_ask(const struct http_call_spec *spec, struct ctl_reply *ret, struct cyg_err *err);

#endif

/* Where a route leads: the address after "unix:PATH" and "tcp:ADDRESS:PORT". */
#ifndef PROXY_TARGET_H
#define PROXY_TARGET_H

#include "base/str.h"
#include "cygnet/err.h"

#include <stdint.h>
#include <sys/socket.h>

struct target {
	struct sockaddr_storage addr;
	socklen_t len;
};

/* The text after "tcp:", with a port of at least port_min (0 lets the system choose one). */
int target_parse_tcp(
    struct cyg_str text, uint64_t port_min, struct target *ret, struct cyg_err *err);
/* Numeric addresses only ("tcp:127.0.0.1:8888", "tcp:[::1]:8888"): the proxy asks no resolver. The
 * message is what the text must be, without naming it. */
int target_parse(struct cyg_str text, struct target *ret, struct cyg_err *err);

#endif

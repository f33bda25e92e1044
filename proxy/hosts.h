/* The names under which the hub is reached. Requests with another Host are refused (against DNS
 * rebinding). */
#ifndef PROXY_HOSTS_H
#define PROXY_HOSTS_H

#include "base/str.h"
#include "cygnet/err.h"
#include "proxy/limits.h"

struct hosts {
	struct cyg_str pattern[HOSTS_MAX]; /* "hub.example.org", "*.localhost", "*" */
	size_t n;
};

/* Reads names separated by commas or spaces; the text is borrowed. */
int hosts_parse(struct cyg_str list, struct hosts *ret, struct cyg_err *err);
/* The name of a Host field without its port ("[::1]:8000" gives "[::1]"). */
struct cyg_str host_name(struct cyg_str host);
/* True when the Host field's name is one of them, whatever its port. */
bool hosts_allow(const struct hosts *hosts, struct cyg_str host);

#endif

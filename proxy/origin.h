/* Whom a browser speaks for: which Host names are ours (against DNS rebinding), and whether a
 * request that changes something, or opens a WebSocket, comes from a page of the same origin. */
#ifndef PROXY_ORIGIN_H
#define PROXY_ORIGIN_H

#include "http/head.h"
#include "proxy/limits.h"

struct hosts {
	struct cyg_str pattern[HOSTS_MAX]; /* "hub.example.org", "*.localhost", "*" */
	size_t n;
};

/* Reads names separated by commas or spaces; the text is borrowed. */
int hosts_parse(struct cyg_str list, struct hosts *ret, struct cyg_err *err);
/* The name of a Host field without its port ("[::1]:8000" gives "[::1]"). */
struct cyg_str host_name(struct cyg_str host);
/* True when the Host field's name is one of them; any port is. */
bool hosts_allow(const struct hosts *hosts, struct cyg_str host);

/* Checks Origin and Fetch-Metadata of a request (W3C Fetch Metadata; RFC 6454). scheme is ours,
 * "http" or "https". has_token: it carries an Authorization token, which no foreign page can make a
 * browser send; only then may both fields be missing. Returns NULL, or what to tell the client. */
const char *origin_check(const struct http_head *head, const char *scheme, bool has_token);

#endif

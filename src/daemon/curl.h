/* HTTP calls to other hosts: libcurl's multi interface on the loop. Bounded responses, one
 * deadline, no redirect followed, no proxy taken from the environment, https unless the caller says
 * otherwise. The one file that touches libcurl is curl.c. */
#ifndef DAEMON_CURL_H
#define DAEMON_CURL_H

#include "base/str.h"
#include "cygnet/err.h"

#include <stdint.h>
#include <uv.h>

struct cyg_curl;
struct cyg_call;

/* Everything is copied by cyg_call_start. */
struct cyg_call_request {
	const char *url;
	struct cyg_str body;       /* p NULL: GET, else POST */
	const char *content_type;  /* of the body */
	const char *accept;        /* or NULL */
	const char *authorization; /* whole value of the field, or NULL; cleansed after the call */
	const char *ca_file;       /* trusted instead of the system's authorities, or NULL */
	size_t max;                /* bytes of the response's body */
	uint64_t timeout_ms;       /* for all of the call */
	bool plain_http;           /* http:// may be called too: the caller checked the host */
};

struct cyg_call_result {
	int status;
	struct cyg_str body; /* valid during the callback */
};

/* Exactly once, from the loop, never from inside cyg_call_start, never after cyg_call_cancel. res
 * is NULL when there was no whole response: *err then says why (-CYG_ETIMEOUT, -CYG_ELIMIT,
 * -CYG_EBUSY for a host that cannot be reached, -CYG_EPROTO). The call is gone afterwards. */
typedef void (*cyg_call_fn)(
    void *arg, const struct cyg_call_result *res, const struct cyg_err *err);

int cyg_curl_new(uv_loop_t *loop, struct cyg_curl **ret, struct cyg_err *err);
/* Cancels what is under way; freed when the loop has run its handles' closing. Not from inside a
 * callback. NULL is accepted. */
void cyg_curl_close(struct cyg_curl *c);

int cyg_call_start(struct cyg_curl *c, const struct cyg_call_request *req, cyg_call_fn fn,
    void *arg, struct cyg_call **ret, struct cyg_err *err);
/* No callback will come. Waits for nothing, whatever the name service does. NULL is accepted. */
void cyg_call_cancel(struct cyg_call *call);

#endif

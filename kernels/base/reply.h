/* Responses as jupyter_server makes them: JSON, and errors as {"message", "reason"}. */
#ifndef KBASE_REPLY_H
#define KBASE_REPLY_H

#include "http/server.h"
#include "kernels/base/jsonw.h"

enum { REPLY_MAX = 16 * 1024 * 1024 }; /* of one JSON response */
/* The jupyter_server whose API this is: what GET /api says. */
#define REPLY_JUPYTER_VERSION "2.21.1"

/* A body being written: reply_begin, jsonw_… on w, reply_end. */
struct reply {
	struct cyg_buf buf;
	struct jsonw w;
};
void reply_begin(struct reply *r);
/* Responds with what was written (500 when it did not fit) and frees it. */
void reply_end(struct reply *r, struct http_req *req, int status);

/* reason may be NULL. */
void reply_error(struct http_req *req, int status, const char *reason, const char *fmt, ...)
    CYG_PRINTF(4, 5);
/* The status that belongs to the error's code. */
void reply_err(struct http_req *req, const struct cyg_err *err);
/* 204 */
void reply_empty(struct http_req *req);
/* Location of something below the mount: "api/kernels/ID". */
void reply_location(struct http_req *req, const char *below);
/* Fields of every response: nosniff and the content security policy (API responses may load
 * nothing), as stock sends them. */
void reply_policy(struct http_req *req, bool page);
/* The body of an error; reason may be NULL. */
void reply_write_error(struct cyg_buf *out, const char *message, const char *reason);

#endif

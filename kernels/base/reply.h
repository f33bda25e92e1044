/* Answers as jupyter_server gives them: JSON, and errors as {"message", "reason"}. */
#ifndef KBASE_REPLY_H
#define KBASE_REPLY_H

#include "http/server.h"
#include "kernels/base/jsonw.h"

enum { REPLY_MAX = 16 * 1024 * 1024 }; /* of one JSON answer */

/* A body being written: reply_begin, jsonw_… on w, reply_end. */
struct reply {
	struct cyg_buf buf;
	struct jsonw w;
};
void reply_begin(struct reply *r);
/* Answers with what was written (500 when it did not fit) and frees it. */
void reply_end(struct reply *r, struct http_req *req, int status);

/* reason may be NULL. */
void reply_error(struct http_req *req, int status, const char *reason, const char *fmt, ...)
    CYG_PRINTF(4, 5);
/* The status that belongs to the error's code. */
void reply_err(struct http_req *req, const struct cyg_err *err);
/* 204 */
void reply_empty(struct http_req *req);
/* Location of something below the server's base: "api/kernels/ID"; base ends without a slash. */
void reply_location(struct http_req *req, const char *base, const char *below);

#endif

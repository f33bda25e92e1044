/* Where a message's body ends (RFC 9112 6 and 7): a streaming decoder, and the chunk writer. */
#ifndef HTTP_BODY_H
#define HTTP_BODY_H

#include "http/head.h"

struct http_body {
	enum http_framing framing;
	uint64_t left; /* of the length, or of the chunk */
	bool done;     /* the message is complete */
	/* private to body.c */
	unsigned state_;
	unsigned line_len_;  /* digits of the size, or bytes of the trailer line */
	unsigned extra_len_; /* of all extensions and trailers: CYG_HTTP_CHUNK_EXT_MAX */
	char name_[32];      /* of the trailer field, as far as it fits */
};

void http_body_init(struct http_body *b, const struct http_head *head);
/* Decodes from data. *used: bytes of data that belong to the body's framing and were read;
 * *payload: a run of decoded bytes inside data (may be empty, may not reach *used). Call again with
 * the rest until done or data is used up. Trailer fields are read, checked and dropped; those that
 * would frame, route or identify are refused. Fails with -CYG_EPROTO on bad chunk syntax. */
int http_body_step(struct http_body *b, const char *data, size_t len, size_t *used,
    struct cyg_str *payload, struct cyg_err *err);
/* The connection ended: fine for HTTP_BODY_CLOSE, an error when bytes are missing. */
int http_body_end(struct http_body *b, struct cyg_err *err);
/* Appends one chunk (len > 0), or the closing chunk. */
int http_chunk_write(struct cyg_buf *out, const void *data, size_t len, struct cyg_err *err);
int http_chunk_end(struct cyg_buf *out, struct cyg_err *err);

#endif

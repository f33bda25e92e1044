/* HTTP/1.1 heads (RFC 9112): a strict parser and a writer. Whatever is ambiguous is refused; a head
 * that is forwarded is always written anew from the parsed form, never copied. No sockets, no
 * allocation. */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include "base/buf.h"
#include "cygnet/limits.h"

#include <stdint.h>

enum http_method {
	HTTP_OTHER, /* a well-formed method that is none of these: 501 */
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_PUT,
	HTTP_PATCH,
	HTTP_DELETE,
	HTTP_OPTIONS,
};

enum http_framing {
	HTTP_BODY_NONE,
	HTTP_BODY_LENGTH, /* content_length bytes */
	HTTP_BODY_CHUNKED,
	HTTP_BODY_CLOSE, /* responses only: until the connection ends */
};

struct http_field {
	struct cyg_str name;  /* as sent; compare with cyg_str_case_eq */
	struct cyg_str value; /* without spaces at its ends; bytes over 0x7f only in responses */
};

/* All text borrows from the parsed bytes. */
struct http_head {
	enum http_method method;
	struct cyg_str method_text;
	struct cyg_str target; /* request target as sent: origin form, or "*" for OPTIONS */
	struct cyg_str path;   /* target up to '?' */
	struct cyg_str query;  /* behind '?'; p is NULL when there is none */
	struct cyg_str host;   /* the one Host field, checked; for HTTP/1.0 it may be empty */
	int minor;             /* HTTP/1.x */
	int status;            /* of a response */
	enum http_framing framing;
	uint64_t content_length; /* with HTTP_BODY_LENGTH */
	bool keep_alive;         /* after this message, by version and Connection */
	bool expect_continue;
	bool upgrade;        /* Connection lists upgrade and an Upgrade field is there */
	size_t n_connection; /* what Connection lists, on all its lines, read once */
	struct cyg_str connection[CYG_HTTP_CONNECTION_MAX];
	size_t n_fields;
	struct http_field fields[CYG_HTTP_FIELDS_MAX];
};

/* Parses a request head at the start of data. Fields with '_' in their names are dropped (CGI reads
 * them as others); an absolute target must name the Host and leaves its origin form. Returns its
 * length in bytes (> 0, including the empty line), 0 when more bytes are needed, or -code with
 * *status set to the response's status (400, 413, 414, 417, 421, 431, 501, 505) after which the
 * connection must be closed. Up to two CRLF before the request line are skipped (RFC 9112 2.2).
 * Every one of the refusals of the threat model's list is here. */
long http_head_parse_request(
    const char *data, size_t len, struct http_head *head, int *status, struct cyg_err *err);
/* The same for a response; request_method decides whether it has a body (RFC 9112 6.3). *status is
 * 502. */
long http_head_parse_response(const char *data, size_t len, enum http_method request_method,
    struct http_head *head, int *status, struct cyg_err *err);

/* The method with which these bytes begin, also where the rest of the head was refused or has not
 * come; HTTP_OTHER when it is none of ours. A refusal of HEAD has no body either (RFC 9110 9.3.2).
 */
enum http_method http_head_peek_method(const char *data, size_t len);

/* The parsed bytes were copied from `from` to `to`: makes the head borrow from there. */
void http_head_move(struct http_head *head, const char *from, const char *to);

/* The first field of that name, or NULL; the second counts them. */
const struct http_field *http_head_find(const struct http_head *head, const char *name);
size_t http_head_count(const struct http_head *head, const char *name);
/* True when a comma-separated field (all its lines) lists the token, case-insensitively. */
bool http_head_lists(const struct http_head *head, const char *name, const char *token);
/* True for fields that belong to one hop (RFC 9110 7.6.1) or are named by Connection: never
 * forwarded. Costs the same however long the Connection field was. */
bool http_head_is_hop_by_hop(const struct http_head *head, struct cyg_str name);

/* Writing. Every call checks what it is given (tchar names, values without CTL) and fails with
 * -CYG_EINVAL rather than write a second line. */
int http_write_request_line(
    struct cyg_buf *out, struct cyg_str method, struct cyg_str target, struct cyg_err *err);
int http_write_status_line(struct cyg_buf *out, int status, struct cyg_err *err);
int http_write_field(
    struct cyg_buf *out, struct cyg_str name, struct cyg_str value, struct cyg_err *err);
/* The empty line. */
int http_write_end(struct cyg_buf *out, struct cyg_err *err);
/* Reason phrase of a status ("Not Found"), "" when unknown. */
const char *http_status_text(int status);
/* Method of a name, HTTP_OTHER when it is none of ours; and back. */
enum http_method http_method_of(struct cyg_str name);
const char *http_method_text(enum http_method method);

#endif

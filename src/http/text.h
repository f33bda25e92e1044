/* Private to src/http: the character classes of RFC 9110 5.6 and RFC 3986, and the head parser's
 * inner steps. */
#ifndef HTTP_TEXT_H
#define HTTP_TEXT_H

#include "http/head.h"

enum http_char {
	HTTP_C_TOKEN = 1,  /* tchar: methods and field names */
	HTTP_C_VALUE = 2,  /* HTAB, SP, VCHAR: field values, without obs-text */
	HTTP_C_TARGET = 4, /* VCHAR without '#': request targets */
	HTTP_C_PLAIN = 8,  /* unreserved of RFC 3986: never escaped */
	HTTP_C_HOST = 16,  /* a registered name as we accept it: letters, digits, '.', '-', '_' */
	HTTP_C_HEX = 32,
	HTTP_C_DIGIT = 64,
};

/* True when the byte is in the class. */
bool http_char_is(char c, enum http_char kind);
/* True when every byte is; also for empty text. */
bool http_text_is(struct cyg_str s, enum http_char kind);
/* A field value: HTTP_C_VALUE, and bytes over 0x7f when obs is true. */
bool http_text_is_value(struct cyg_str s, bool obs);
/* The value of a hexadecimal digit. */
unsigned http_hex_digit(char c);
/* Host, or an authority without user info: a name or an address, and a port (RFC 9110 7.2). */
bool http_host_is_ok(struct cyg_str host);

/* Where a parse stands; the parser's steps share it. */
struct http_scan {
	const char *p, *end;
	int *status; /* the response's status on failure */
	struct cyg_err *err;
	bool response;
};

/* Sets the status, fails with -CYG_EINVAL (a request) or -CYG_EPROTO (a response). A response's
 * status is always 502. */
int http_scan_fail(struct http_scan *s, int status, const char *why);
/* Judges the fields of a parsed head and fills host, framing, keep_alive and the rest
 * (head_check.c). */
int http_head_check_request(struct http_head *head, struct http_scan *s);
int http_head_check_response(
    struct http_head *head, enum http_method request_method, struct http_scan *s);

#endif

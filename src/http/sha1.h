/* Private to src/http: SHA-1 (RFC 3174), which RFC 6455 asks for. Not for anything that must be
 * secure; kept here so that the codec needs no cryptographic library. */
#ifndef HTTP_SHA1_H
#define HTTP_SHA1_H

#include <stddef.h>
#include <stdint.h>

enum { HTTP_SHA1_LEN = 20, HTTP_SHA1_INPUT_MAX = 119 };

/* The digest of at most HTTP_SHA1_INPUT_MAX bytes (two blocks). */
void http_sha1(const void *data, size_t len, uint8_t out[HTTP_SHA1_LEN]);

#endif

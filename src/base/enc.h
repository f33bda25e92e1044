/* Hexadecimal and base64 (RFC 4648): the text forms of bytes. Reading is strict: no line breaks, no
 * stray bits, padding exactly where it belongs. */
#ifndef BASE_ENC_H
#define BASE_ENC_H

#include "base/buf.h"

/* Lower-case hex of len bytes; out has room for 2 * len + 1. */
void cyg_hex_write(const void *data, size_t len, char *out);
/* Exactly 2 * len hex digits of either case. */
int cyg_hex_read(struct cyg_str s, void *out, size_t len, struct cyg_err *err);
/* Appends base64 with '+' and '/' and padding. */
int cyg_base64_write(struct cyg_buf *out, const void *data, size_t len, struct cyg_err *err);
/* Appends base64url without padding, as JOSE and PKCE use it (RFC 7515 appendix C). */
int cyg_base64url_write(struct cyg_buf *out, const void *data, size_t len, struct cyg_err *err);
/* Appends the decoded bytes; padding required. */
int cyg_base64_read(struct cyg_buf *out, struct cyg_str s, struct cyg_err *err);
/* Appends the decoded bytes; padding refused. */
int cyg_base64url_read(struct cyg_buf *out, struct cyg_str s, struct cyg_err *err);
/* Fills out with len bytes from the kernel's generator; aborts when there are none. */
void cyg_random(void *out, size_t len);
/* len random bytes as hex; out has room for 2 * len + 1; len at most 64. */
void cyg_random_hex(char *out, size_t len);
/* A random UUID (RFC 4122 version 4) in its 36-character form and a NUL. */
void cyg_random_uuid(char out[37]);

#endif

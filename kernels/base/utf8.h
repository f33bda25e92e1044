/* UTF-8 (RFC 3629), one sequence at a time. */
#ifndef KBASE_UTF8_H
#define KBASE_UTF8_H

#include "base/str.h"

#include <stdint.h>

enum { UTF8_MAX = 4 };

/* Length (1 to 4) of the well-formed sequence at s, 0 when there is none: surrogates, overlong
 * forms and values over U+10FFFF are refused. */
size_t utf8_check(struct cyg_str s);
/* The same, also taking surrogates in their three-byte form, as tape_string gives them. */
size_t utf8_check_surrogates(struct cyg_str s);
/* The code point of a sequence that one of the two found well-formed. */
uint32_t utf8_get(const char *p, size_t len);
/* Writes a code point up to U+10FFFF (surrogates in their three-byte form); returns its length. */
size_t utf8_put(char out[UTF8_MAX], uint32_t c);
/* How many bytes at the start stand for themselves in a JSON string (RFC 8259 7): ASCII without
 * control bytes, quotes and backslashes. */
size_t utf8_json_plain(struct cyg_str s);
/* Offset of the first byte that is not part of well-formed UTF-8, s.len when all is. */
size_t utf8_bad_at(struct cyg_str s);

#endif

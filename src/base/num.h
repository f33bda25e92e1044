/* Numbers from outside: one strict parser with a range. Digits only: no sign, no space, no 0x. */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include "base/str.h"
#include "cygnet/err.h"

#include <stdint.h>

/* Decimal digits, at most 20, value in [min, max]. *ret is set only on success. */
int cyg_num_parse_u64(
    struct cyg_str s, uint64_t min, uint64_t max, uint64_t *ret, struct cyg_err *err);
/* The same with an optional leading '-'. */
int cyg_num_parse_i64(
    struct cyg_str s, int64_t min, int64_t max, int64_t *ret, struct cyg_err *err);
/* 1 to 16 hexadecimal digits of either case (chunk sizes: RFC 9112 7.1). */
int cyg_num_parse_hex(struct cyg_str s, uint64_t max, uint64_t *ret, struct cyg_err *err);
/* An integer with an optional K, M, G or T (powers of 1024): "512", "64K", "4G"; in bytes. */
int cyg_num_parse_size(struct cyg_str s, uint64_t max, uint64_t *ret, struct cyg_err *err);
/* a + b; false on overflow. */
bool cyg_num_add(size_t a, size_t b, size_t *ret);

#endif

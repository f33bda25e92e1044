/* The strict number parser. */
#include "base/num.h"

enum { NUM_SHOWN = 40 }; /* how much of a bad number an error message repeats */

static int bad(struct cyg_str s, const char *what, struct cyg_err *err)
{
	if (!cyg_str_is_text(s) || s.len > NUM_SHOWN)
		return cyg_fail(err, CYG_EINVAL, "not %s", what);
	return cyg_fail(err, CYG_EINVAL, "'%.*s' is not %s", CYG_STR_ARGS(s), what);
}

static bool digits_to_u64(struct cyg_str s, uint64_t *ret)
{
	uint64_t value = 0;

	if (s.len == 0 || s.len > 20)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(s.p[i] - '0'), &value))
			return false;
	}
	*ret = value;
	return true;
}

int cyg_num_parse_u64(
    struct cyg_str s, uint64_t min, uint64_t max, uint64_t *ret, struct cyg_err *err)
{
	uint64_t value = 0;

	if (!digits_to_u64(s, &value))
		return bad(s, "a whole number", err);
	if (value < min || value > max)
		return cyg_fail(err, CYG_EINVAL, "%llu is not between %llu and %llu",
		    (unsigned long long)value, (unsigned long long)min, (unsigned long long)max);
	*ret = value;
	return 0;
}

int cyg_num_parse_i64(struct cyg_str s, int64_t min, int64_t max, int64_t *ret, struct cyg_err *err)
{
	bool negative = s.len > 0 && s.p[0] == '-';
	uint64_t value = 0;
	int64_t number;

	if (!digits_to_u64(negative ? cyg_str_skip(s, 1) : s, &value) || value > INT64_MAX)
		return bad(s, "a whole number", err);
	number = negative ? -(int64_t)value : (int64_t)value;
	if (number < min || number > max)
		return cyg_fail(err, CYG_EINVAL, "%lld is not between %lld and %lld",
		    (long long)number, (long long)min, (long long)max);
	*ret = number;
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int cyg_num_parse_hex(struct cyg_str s, uint64_t max, uint64_t *ret, struct cyg_err *err)
{
	uint64_t value = 0;

	if (s.len == 0 || s.len > 16)
		return bad(s, "a hexadecimal number", err);
	for (size_t i = 0; i < s.len; i++) {
		int digit = hex_digit(s.p[i]);

		if (digit < 0)
			return bad(s, "a hexadecimal number", err);
		value = value << 4 | (uint64_t)digit;
	}
	if (value > max)
		return cyg_fail(err, CYG_ELIMIT, "%llx is over the limit of %llx",
		    (unsigned long long)value, (unsigned long long)max);
	*ret = value;
	return 0;
}

static unsigned unit_shift(char c)
{
	switch (c) {
	case 'K':
		return 10;
	case 'M':
		return 20;
	case 'G':
		return 30;
	case 'T':
		return 40;
	default:
		return 0;
	}
}

int cyg_num_parse_size(struct cyg_str s, uint64_t max, uint64_t *ret, struct cyg_err *err)
{
	unsigned shift = s.len > 0 ? unit_shift(s.p[s.len - 1]) : 0;
	struct cyg_str digits = shift > 0 ? cyg_str_sub(s, 0, s.len - 1) : s;
	uint64_t value = 0;

	if (!digits_to_u64(digits, &value) || value > (UINT64_MAX >> shift))
		return bad(s, "a size such as 512, 64K, 512M or 4G", err);
	if (value << shift > max)
		return cyg_fail(err, CYG_ELIMIT, "%.*s is over the limit of %llu bytes",
		    CYG_STR_ARGS(s), (unsigned long long)max);
	*ret = value << shift;
	return 0;
}

bool cyg_num_add(size_t a, size_t b, size_t *ret)
{
	return !__builtin_add_overflow(a, b, ret);
}

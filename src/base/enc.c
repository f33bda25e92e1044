/* Hexadecimal, base64 and random bytes. */
#include "base/enc.h"

#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

static const char hex_digits[] = "0123456789abcdef";
static const char b64_std[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char b64_url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void cyg_hex_write(const void *data, size_t len, char *out)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = hex_digits[p[i] >> 4];
		out[2 * i + 1] = hex_digits[p[i] & 15];
	}
	out[2 * len] = '\0';
}

/* Each character's digit and one more; 0: none. */
static const uint8_t hex_values[256] = { ['0'] = 1,
	['1'] = 2,
	['2'] = 3,
	['3'] = 4,
	['4'] = 5,
	['5'] = 6,
	['6'] = 7,
	['7'] = 8,
	['8'] = 9,
	['9'] = 10,
	['a'] = 11,
	['b'] = 12,
	['c'] = 13,
	['d'] = 14,
	['e'] = 15,
	['f'] = 16,
	['A'] = 11,
	['B'] = 12,
	['C'] = 13,
	['D'] = 14,
	['E'] = 15,
	['F'] = 16 };

static int hex_value(char c)
{
	return hex_values[(uint8_t)c] - 1;
}

int cyg_hex_read(struct cyg_str s, void *out, size_t len, struct cyg_err *err)
{
	uint8_t *p = out;

	if (s.len != 2 * len)
		return cyg_fail(err, CYG_EINVAL, "not %zu hexadecimal digits", 2 * len);
	for (size_t i = 0; i < len; i++) {
		int hi = hex_value(s.p[2 * i]);
		int lo = hex_value(s.p[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return cyg_fail(err, CYG_EINVAL, "not hexadecimal");
		p[i] = (uint8_t)(hi << 4 | lo);
	}
	return 0;
}

static int b64_write(
    struct cyg_buf *out, struct cyg_str data, const char *alphabet, bool pad, struct cyg_err *err)
{
	const uint8_t *p = (const uint8_t *)data.p;
	size_t size = (data.len + 2) / 3 * 4;
	char *o;
	char *start;
	int rc = cyg_buf_reserve(out, size, &o, err);

	if (rc < 0)
		return rc;
	start = o;
	for (size_t i = 0; i < data.len; i += 3) {
		size_t n = data.len - i < 3 ? data.len - i : 3;
		uint32_t v = (uint32_t)p[i] << 16;

		v |= n > 1 ? (uint32_t)p[i + 1] << 8 : 0;
		v |= n > 2 ? (uint32_t)p[i + 2] : 0;
		for (size_t k = 0; k <= n; k++)
			*o++ = alphabet[v >> (18 - 6 * k) & 63];
		for (size_t k = n; pad && k < 3; k++)
			*o++ = '=';
	}
	cyg_buf_commit(out, (size_t)(o - start));
	return 0;
}

/* Each character's digit and one more; 0: none. */
#define B64_DIGITS(c62, c63)                                                                       \
	{                                                                                          \
		['A'] = 1, ['B'] = 2, ['C'] = 3, ['D'] = 4, ['E'] = 5, ['F'] = 6, ['G'] = 7,       \
		['H'] = 8, ['I'] = 9, ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14,  \
		['O'] = 15, ['P'] = 16, ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20,            \
		['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24, ['Y'] = 25, ['Z'] = 26,            \
		['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,            \
		['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38,            \
		['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44,            \
		['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48, ['w'] = 49, ['x'] = 50,            \
		['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,            \
		['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62,            \
		[c62] = 63, [c63] = 64                                                             \
	}
static const uint8_t b64_std_digits[256] = B64_DIGITS('+', '/');
static const uint8_t b64_url_digits[256] = B64_DIGITS('-', '_');

/* Four characters to the lowest 24 bits; false when one is no digit. */
static inline bool b64_group(const uint8_t digits[256], const char *p, uint32_t *ret)
{
	uint32_t a = digits[(uint8_t)p[0]], b = digits[(uint8_t)p[1]];
	uint32_t c = digits[(uint8_t)p[2]], d = digits[(uint8_t)p[3]];

	*ret = (a - 1) << 18 | (b - 1) << 12 | (c - 1) << 6 | (d - 1);
	return *ret >> 24 == 0; /* 0 - 1 sets the bits above, too */
}

/* Decodes text without padding; refuses set bits that no byte uses. */
static int b64_read(
    struct cyg_buf *out, struct cyg_str s, const uint8_t digits[256], struct cyg_err *err)
{
	size_t rest = s.len % 4, whole = s.len - rest, n = 0;
	char last[4] = { 'A', 'A', 'A', 'A' }; /* of no bits */
	uint32_t v;
	char *o;
	int rc = cyg_buf_reserve(out, s.len / 4 * 3 + 3, &o, err);

	if (rc < 0)
		return rc;
	if (rest == 1)
		return cyg_fail(err, CYG_EINVAL, "base64 is cut off");
	for (size_t i = 0; i < whole; i += 4) {
		if (!b64_group(digits, s.p + i, &v))
			return cyg_fail(err, CYG_EINVAL, "not base64");
		o[n++] = (char)(uint8_t)(v >> 16);
		o[n++] = (char)(uint8_t)(v >> 8);
		o[n++] = (char)(uint8_t)v;
	}
	if (rest > 0) {
		memcpy(last, s.p + whole, rest);
		if (!b64_group(digits, last, &v))
			return cyg_fail(err, CYG_EINVAL, "not base64");
		for (size_t k = 1; k < rest; k++, v = v << 8 & 0xffffff)
			o[n++] = (char)(uint8_t)(v >> 16);
		if (v != 0)
			return cyg_fail(err, CYG_EINVAL, "base64 has stray bits");
	}
	cyg_buf_commit(out, n);
	return 0;
}

int cyg_base64_write(struct cyg_buf *out, const void *data, size_t len, struct cyg_err *err)
{
	return b64_write(out, (struct cyg_str){ data, len }, b64_std, true, err);
}

int cyg_base64url_write(struct cyg_buf *out, const void *data, size_t len, struct cyg_err *err)
{
	return b64_write(out, (struct cyg_str){ data, len }, b64_url, false, err);
}

int cyg_base64_read(struct cyg_buf *out, struct cyg_str s, struct cyg_err *err)
{
	if (s.len % 4 != 0)
		return cyg_fail(err, CYG_EINVAL, "base64 is cut off");
	for (int i = 0; i < 2 && s.len > 0 && s.p[s.len - 1] == '='; i++)
		s.len--;
	return b64_read(out, s, b64_std_digits, err);
}

int cyg_base64url_read(struct cyg_buf *out, struct cyg_str s, struct cyg_err *err)
{
	return b64_read(out, s, b64_url_digits, err);
}

void cyg_random(void *out, size_t len)
{
	char *p = out;

	while (len > 0) {
		ssize_t n = getrandom(p, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			abort();
		p += n;
		len -= (size_t)n;
	}
}

void cyg_random_hex(char *out, size_t len)
{
	uint8_t raw[64];

	assert(len <= sizeof(raw));
	cyg_random(raw, len);
	cyg_hex_write(raw, len, out);
	cyg_cleanse(raw, sizeof(raw));
}

void cyg_random_uuid(char out[37])
{
	uint8_t r[16];
	char h[33];

	cyg_random(r, sizeof(r));
	r[6] = (uint8_t)((r[6] & 0x0f) | 0x40);
	r[8] = (uint8_t)((r[8] & 0x3f) | 0x80);
	cyg_hex_write(r, sizeof(r), h);
	(void)snprintf(out, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", h, h + 8, h + 12, h + 16, h + 20);
}

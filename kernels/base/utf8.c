/* UTF-8 sequences: Unicode 15, table 3-7. */
#include "kernels/base/utf8.h"

#include <string.h>

static bool is_tail(const char *p)
{
	return ((unsigned char)*p & 0xc0) == 0x80;
}

size_t utf8_check_surrogates(struct cyg_str s)
{
	if (s.len == 0)
		return 0;
	unsigned char c = (unsigned char)s.p[0];
	if (c < 0x80)
		return 1;
	if (c < 0xc2 || c > 0xf4)
		return 0;
	size_t len = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	if (s.len < len)
		return 0;
	for (size_t i = 1; i < len; i++)
		if (!is_tail(s.p + i))
			return 0;
	unsigned char second = (unsigned char)s.p[1];
	if ((c == 0xe0 && second < 0xa0) || (c == 0xf0 && second < 0x90))
		return 0;
	return c == 0xf4 && second > 0x8f ? 0 : len;
}

size_t utf8_check(struct cyg_str s)
{
	size_t len = utf8_check_surrogates(s);
	bool surrogate = len == 3 && (unsigned char)s.p[0] == 0xed && (unsigned char)s.p[1] > 0x9f;
	return surrogate ? 0 : len;
}

uint32_t utf8_get(const char *p, size_t len)
{
	static const unsigned char first_bits[UTF8_MAX + 1] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t c = (unsigned char)p[0] & first_bits[len];
	for (size_t i = 1; i < len; i++)
		c = c << 6 | ((unsigned char)p[i] & 0x3f);
	return c;
}

size_t utf8_put(char out[UTF8_MAX], uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	size_t len = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char marks[UTF8_MAX + 1] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	for (size_t i = len - 1; i > 0; i--, c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)(marks[len] | c);
	return len;
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* Eight bytes in one word. Subtracting sets a byte's high bit when the byte is too small; it may
 * also borrow from the next byte, but then one before that was found already. */
static bool are_plain(uint64_t v)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), high = ones * 0x80;
	uint64_t quote = v ^ ones * 0x22, backslash = v ^ ones * 0x5c;
	return ((v | (v - ones * 0x20) | (quote - ones) | (backslash - ones)) & high) == 0;
}

size_t utf8_json_plain(struct cyg_str s)
{
	size_t n = 0;
	uint64_t v;
	for (; s.len - n >= sizeof(v); n += sizeof(v)) {
		memcpy(&v, s.p + n, sizeof(v));
		if (!are_plain(v))
			break;
	}
	while (n < s.len && is_plain((unsigned char)s.p[n]))
		n++;
	return n;
}

size_t utf8_bad_at(struct cyg_str s)
{
	size_t at = 0;
	while (at < s.len) {
		if ((unsigned char)s.p[at] < 0x80) {
			at++;
			continue;
		}
		size_t n = utf8_check(cyg_str_skip(s, at));
		if (n == 0)
			return at;
		at += n;
	}
	return s.len;
}

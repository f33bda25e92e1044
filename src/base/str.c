/* Comparing, cutting and copying borrowed text. */
#include "base/str.h"

#include "base/mem.h"

#include <string.h>

struct cyg_str cyg_str_of(const char *s)
{
	return (struct cyg_str){ s, s != NULL ? strlen(s) : 0 };
}

bool cyg_str_eq(struct cyg_str a, const char *b)
{
	return cyg_str_same(a, cyg_str_of(b));
}

bool cyg_str_same(struct cyg_str a, struct cyg_str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static char lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

bool cyg_str_case_eq(struct cyg_str a, const char *b)
{
	if (a.len != strlen(b))
		return false;
	for (size_t i = 0; i < a.len; i++) {
		if (lower(a.p[i]) != lower(b[i]))
			return false;
	}
	return true;
}

bool cyg_str_starts(struct cyg_str s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s.len >= n && memcmp(s.p, prefix, n) == 0;
}

bool cyg_str_ends(struct cyg_str s, const char *suffix)
{
	size_t n = strlen(suffix);

	return s.len >= n && memcmp(s.p + s.len - n, suffix, n) == 0;
}

size_t cyg_str_chr(struct cyg_str s, char c)
{
	const char *at = s.len > 0 ? memchr(s.p, c, s.len) : NULL;

	return at != NULL ? (size_t)(at - s.p) : s.len;
}

struct cyg_str cyg_str_skip(struct cyg_str s, size_t n)
{
	return (struct cyg_str){ s.p + n, s.len - n };
}

struct cyg_str cyg_str_sub(struct cyg_str s, size_t off, size_t n)
{
	return (struct cyg_str){ s.p + off, n };
}

struct cyg_str cyg_str_trim(struct cyg_str s)
{
	while (s.len > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = cyg_str_skip(s, 1);
	while (s.len > 0 && (s.p[s.len - 1] == ' ' || s.p[s.len - 1] == '\t'))
		s.len--;
	return s;
}

bool cyg_str_next(struct cyg_str *rest, char c, struct cyg_str *part)
{
	size_t at;

	if (rest->p == NULL)
		return false;
	at = cyg_str_chr(*rest, c);
	*part = cyg_str_sub(*rest, 0, at);
	if (at == rest->len)
		*rest = (struct cyg_str){ NULL, 0 };
	else
		*rest = cyg_str_skip(*rest, at + 1);
	return true;
}

char *cyg_str_dup(struct cyg_str s)
{
	return cyg_xstrndup(s.p, s.len);
}

bool cyg_str_copy(char *dst, size_t size, struct cyg_str s)
{
	dst[0] = '\0';
	if (s.len >= size)
		return false;
	if (s.len > 0)
		memcpy(dst, s.p, s.len);
	dst[s.len] = '\0';
	return true;
}

bool cyg_str_same_secret(const void *a, const void *b, size_t len)
{
	const volatile unsigned char *x = a;
	const volatile unsigned char *y = b;
	unsigned char diff = 0;

	for (size_t i = 0; i < len; i++)
		diff = (unsigned char)(diff | (x[i] ^ y[i]));
	return diff == 0;
}

/* Length of the UTF-8 sequence at p (1 to 4), or 0 when it is not well formed. */
static size_t utf8_len(const unsigned char *p, size_t len)
{
	static const struct {
		unsigned char mask, lead;
		unsigned min;
	} forms[] = { { 0x80, 0x00, 0 }, { 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x800 },
		{ 0xf8, 0xf0, 0x10000 } };

	for (size_t n = 0; n < CYG_N(forms); n++) {
		unsigned code = p[0] & (unsigned char)~forms[n].mask;

		if ((p[0] & forms[n].mask) != forms[n].lead)
			continue;
		if (n >= len)
			return 0;
		for (size_t i = 1; i <= n; i++) {
			if ((p[i] & 0xc0) != 0x80)
				return 0;
			code = code << 6 | (p[i] & 0x3f);
		}
		if (code < forms[n].min || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
			return 0;
		return n + 1;
	}
	return 0;
}

void cyg_str_copy_utf8(char *dst, size_t size, struct cyg_str s)
{
	size_t out = 0, n;

	for (size_t i = 0; i<s.len; i += n> 0 ? n : 1) {
		n = utf8_len((const unsigned char *)s.p + i, s.len - i);
		if (out + (n > 0 ? n : 1) >= size)
			break;
		if (n == 0)
			dst[out++] = '?';
		for (size_t k = 0; k < n; k++)
			dst[out++] = s.p[i + k];
	}
	dst[out] = '\0';
}

bool cyg_str_is_utf8(struct cyg_str s)
{
	for (size_t i = 0; i < s.len;) {
		size_t n = utf8_len((const unsigned char *)s.p + i, s.len - i);

		if (n == 0)
			return false;
		i += n;
	}
	return true;
}

bool cyg_str_is_text(struct cyg_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < 0x20 || c == 0x7f)
			return false;
	}
	return cyg_str_is_utf8(s);
}

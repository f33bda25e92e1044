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

static int hex_value(char c)
{
	const char *at;

	if (c >= 'A' && c <= 'F')
		c = (char)(c + ('a' - 'A'));
	at = c != '\0' ? strchr(hex_digits, c) : NULL;
	return at != NULL ? (int)(at - hex_digits) : -1;
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

static int b64_value(char c, const char *alphabet)
{
	const char *at = c != '\0' ? strchr(alphabet, c) : NULL;

	return at != NULL ? (int)(at - alphabet) : -1;
}

/* Decodes text without padding; refuses set bits that no byte uses. */
static int b64_read(
    struct cyg_buf *out, struct cyg_str s, const char *alphabet, struct cyg_err *err)
{
	uint32_t v = 0;
	unsigned bits = 0;
	char *o;
	size_t n = 0;
	int rc = cyg_buf_reserve(out, s.len / 4 * 3 + 3, &o, err);

	if (rc < 0)
		return rc;
	if (s.len % 4 == 1)
		return cyg_fail(err, CYG_EINVAL, "base64 is cut off");
	for (size_t i = 0; i < s.len; i++) {
		int d = b64_value(s.p[i], alphabet);

		if (d < 0)
			return cyg_fail(err, CYG_EINVAL, "not base64");
		v = v << 6 | (uint32_t)d;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			o[n++] = (char)(uint8_t)(v >> bits);
			v &= (1u << bits) - 1;
		}
	}
	if (v != 0)
		return cyg_fail(err, CYG_EINVAL, "base64 has stray bits");
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
	return b64_read(out, s, b64_std, err);
}

int cyg_base64url_read(struct cyg_buf *out, struct cyg_str s, struct cyg_err *err)
{
	return b64_read(out, s, b64_url, err);
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

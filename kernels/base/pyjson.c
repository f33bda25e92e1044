/* Python's spelling of numbers and strings: Objects/floatobject.c (repr), Lib/json/encoder.py,
 * Objects/unicodeobject.c (splitlines). Uses no locale: our programs never set one. */
#include "kernels/base/pyjson.h"

#include "kernels/base/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS_MAX = 17, NUMBER_MAX = 64 };

/* A decimal number 0.DIGITS times ten to the power of point. */
struct decimal {
	char digits[DIGITS_MAX + 1];
	int n;
	int point;
	bool negative;
};

static void strip_zeros(struct decimal *d)
{
	while (d->n > 1 && d->digits[d->n - 1] == '0')
		d->n--;
	d->digits[d->n] = '\0';
}

/* An exponent: digits after an optional sign; what is over 999 is 999. */
static int read_exponent(struct cyg_str s)
{
	bool negative = s.len > 0 && s.p[0] == '-';
	int v = 0;
	for (size_t i = 0; i < s.len && v < 999; i++)
		if (s.p[i] >= '0' && s.p[i] <= '9')
			v = v * 10 + (s.p[i] - '0');
	v = v > 999 ? 999 : v;
	return negative ? -v : v;
}

/* v with n significant digits, correctly rounded by printf; true when they read back as v. */
static bool to_decimal(double v, int n, struct decimal *d)
{
	char text[NUMBER_MAX];
	(void)snprintf(text, sizeof(text), "%.*e", n - 1, v);
	const char *p = text;
	d->negative = *p == '-';
	d->n = 0;
	for (p += d->negative ? 1 : 0; *p != 'e'; p++)
		if (*p != '.' && d->n < DIGITS_MAX)
			d->digits[d->n++] = *p;
	d->point = read_exponent(cyg_str_of(p + 1)) + 1;
	strip_zeros(d);
	double back = strtod(text, NULL);
	/* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): bit for bit, -0.0 is not 0.0 */
	return memcmp(&back, &v, sizeof(v)) == 0;
}

static bool reads_as(const struct decimal *d, double v)
{
	char text[NUMBER_MAX];
	(void)snprintf(
	    text, sizeof(text), "%s0.%se%d", d->negative ? "-" : "", d->digits, d->point);
	double back = strtod(text, NULL);
	/* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): bit for bit, -0.0 is not 0.0 */
	return memcmp(&back, &v, sizeof(v)) == 0;
}

/* The next decimal away from zero with n digits. */
static void next_decimal(struct decimal *d, int n)
{
	while (d->n < n)
		d->digits[d->n++] = '0';
	int i = n - 1;
	while (i >= 0 && d->digits[i] == '9')
		d->digits[i--] = '0';
	if (i >= 0) {
		d->digits[i]++;
	} else {
		d->digits[0] = '1';
		d->point++;
	}
	strip_zeros(d);
}

/* Doubles are twice as dense below a power of two as above it, so there the nearest decimal of n
 * digits may read back as another double while the next one up does not: 2 to the power of -77. */
static bool is_power_of_two(double v)
{
	int exp;
	double m = frexp(fabs(v), &exp);
	return m <= 0.5;
}

/* Any number of digits, from few to many. */
static void shortest_by_search(double v, struct decimal *d)
{
	for (int n = 1; n <= DIGITS_MAX; n++) {
		if (to_decimal(v, n, d) || n == DIGITS_MAX)
			return;
		next_decimal(d, n);
		if (is_power_of_two(v) && reads_as(d, v))
			return;
	}
}

static void shortest(double v, struct decimal *d)
{
	struct decimal fewer;
	if (fpclassify(v) != FP_NORMAL || is_power_of_two(v)) {
		shortest_by_search(v, d);
		return;
	}
	/* Around any other number doubles are evenly spaced: when its nearest 16 digits do not read
	 * back, no 15 do, and when its nearest 15 do, no fewer are needed than they have without
	 * their zeros. */
	if (!to_decimal(v, 16, d))
		(void)to_decimal(v, DIGITS_MAX, d);
	else if (to_decimal(v, 15, &fewer))
		*d = fewer;
}

/* repr's layout: an exponent when it is below -4 or above 15. */
static int put_decimal(struct cyg_buf *out, const struct decimal *d, struct cyg_err *err)
{
	const char *sign = d->negative ? "-" : "";
	int point = d->point;
	if (point > 16 || point < -3)
		return cyg_buf_printf(out, err, "%s%c%s%se%c%02d", sign, d->digits[0],
		    d->n > 1 ? "." : "", d->digits + 1, point - 1 < 0 ? '-' : '+', abs(point - 1));
	if (point <= 0)
		return cyg_buf_printf(out, err, "%s0.%.*s%s", sign, -point, "0000", d->digits);
	if (point < d->n)
		return cyg_buf_printf(
		    out, err, "%s%.*s.%s", sign, point, d->digits, d->digits + point);
	return cyg_buf_printf(
	    out, err, "%s%s%.*s.0", sign, d->digits, point - d->n, "0000000000000000");
}

int pyjson_double(struct cyg_buf *out, double v, struct cyg_err *err)
{
	struct decimal d;
	if (isnan(v))
		return cyg_buf_add_str(out, "nan", err);
	if (isinf(v))
		return cyg_buf_add_str(out, signbit(v) ? "-inf" : "inf", err);
	shortest(v, &d);
	return put_decimal(out, &d, err);
}

/* Reads text with at most 15 significant digits and a harmless exponent without any arithmetic:
 * such a decimal is the shortest form of the double it becomes. False: too long for that. */
static bool read_short(struct cyg_str text, struct decimal *d)
{
	size_t i = 0;
	bool fraction = false, seen = false;
	*d = (struct decimal){ .negative = text.p[0] == '-' };
	for (i = d->negative ? 1 : 0; i < text.len && text.p[i] != 'e' && text.p[i] != 'E'; i++) {
		if (text.p[i] == '.') {
			fraction = true;
			continue;
		}
		seen = seen || text.p[i] != '0';
		if (seen) {
			if (d->n == 15)
				return false;
			d->digits[d->n++] = text.p[i];
		}
		d->point += seen - fraction; /* a digit before the point, or a zero after it */
		if (d->point < -200)
			return false;
	}
	if (d->n == 0)
		return false;
	if (i < text.len) {
		int exp = read_exponent(cyg_str_skip(text, i + 1));
		if (exp > 250 || exp < -250)
			return false;
		d->point += exp;
	}
	strip_zeros(d);
	return d->point > -250 && d->point < 250;
}

static bool is_integer(struct cyg_str text)
{
	return memchr(text.p, '.', text.len) == NULL && memchr(text.p, 'e', text.len) == NULL &&
	       memchr(text.p, 'E', text.len) == NULL;
}

static int put_float(struct cyg_buf *out, struct cyg_str text, struct cyg_err *err)
{
	struct decimal d;
	if (read_short(text, &d))
		return put_decimal(out, &d, err);
	char *copy = cyg_str_dup(text);
	double v = strtod(copy, NULL);
	free(copy);
	return pyjson_double(out, v, err);
}

int pyjson_number_str(struct cyg_buf *out, struct cyg_str text, struct cyg_err *err)
{
	if (cyg_str_eq(text, "NaN"))
		return cyg_buf_add_str(out, "nan", err);
	if (cyg_str_ends(text, "Infinity"))
		return cyg_buf_add_str(out, text.p[0] == '-' ? "-inf" : "inf", err);
	if (!is_integer(text))
		return put_float(out, text, err);
	if (cyg_str_eq(text, "-0"))
		text = CYG_STR("0");
	return cyg_buf_add(out, text.p, text.len, err);
}

int pyjson_number(struct cyg_buf *out, struct cyg_str text, struct cyg_err *err)
{
	size_t before = out->len;
	if (cyg_str_eq(text, "NaN") || cyg_str_ends(text, "Infinity"))
		return cyg_buf_add(out, text.p, text.len, err);
	int r = pyjson_number_str(out, text, err);
	if (r < 0 || !cyg_str_ends(cyg_str_skip(cyg_buf_str(out), before), "inf"))
		return r;
	out->len = before; /* 1e999 is an infinity, which dumps spells otherwise than str */
	return cyg_buf_add_str(out, text.p[0] == '-' ? "-Infinity" : "Infinity", err);
}

/* Length of the run at s that is written as it is. */
static size_t plain_run(struct cyg_str s)
{
	size_t at = 0;
	for (; at < s.len; at++) {
		unsigned char c = (unsigned char)s.p[at];
		if (c < 0x20 || c == '"' || c == '\\')
			break;
		/* Surrogates are ED A0..BF xx. */
		if (c == 0xed && at + 2 < s.len && (unsigned char)s.p[at + 1] > 0x9f)
			break;
	}
	return at;
}

int pyjson_quote(struct cyg_buf *out, struct cyg_str s, struct cyg_err *err)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	int r = cyg_buf_add(out, "\"", 1, err);
	while (r == 0 && s.len > 0) {
		size_t n = plain_run(s);
		r = cyg_buf_add(out, s.p, n, err);
		s = cyg_str_skip(s, n);
		if (r < 0 || s.len == 0)
			continue;
		unsigned char c = (unsigned char)s.p[0];
		const char *at = c == 0 ? NULL : strchr(from, (char)c);
		n = c == 0xed ? 3 : 1;
		if (at != NULL)
			r = cyg_buf_printf(out, err, "\\%c", to[at - from]);
		else
			r = cyg_buf_printf(out, err, "\\u%04x", utf8_get(s.p, n));
		s = cyg_str_skip(s, n);
	}
	return r < 0 ? r : cyg_buf_add(out, "\"", 1, err);
}

/* Length of the line end at s, 0 when there is none. */
static size_t line_end(struct cyg_str s)
{
	unsigned char c = (unsigned char)s.p[0];
	if (c == '\r')
		return s.len > 1 && s.p[1] == '\n' ? 2 : 1;
	if ((c >= '\n' && c <= '\f') || (c >= 0x1c && c <= 0x1e))
		return 1;
	if (c == 0xc2)
		return s.len > 1 && (unsigned char)s.p[1] == 0x85 ? 2 : 0;
	if (c != 0xe2 || s.len < 3 || (unsigned char)s.p[1] != 0x80)
		return 0;
	return (unsigned char)s.p[2] == 0xa8 || (unsigned char)s.p[2] == 0xa9 ? 3 : 0;
}

bool pyjson_next_line(struct cyg_str *rest, struct cyg_str *line)
{
	size_t at = 0, end = 0;
	if (rest->len == 0)
		return false;
	while (at < rest->len && end == 0) {
		end = line_end(cyg_str_skip(*rest, at));
		at += end > 0 ? end : 1;
	}
	*line = cyg_str_sub(*rest, 0, at);
	*rest = cyg_str_skip(*rest, at);
	return true;
}

struct cyg_str pyjson_without_end(struct cyg_str line)
{
	for (size_t n = 1; n <= 3 && n <= line.len; n++) {
		size_t end = line_end(cyg_str_skip(line, line.len - n));
		if (end == n && !(n == 1 && line.len > 1 && cyg_str_ends(line, "\r\n")))
			return cyg_str_sub(line, 0, line.len - n);
	}
	return line;
}

/* Translates JSON5 (json5.org 1.0), the language of JupyterLab's settings, to JSON: comments,
 * trailing commas, names without quotes, single quotes, hexadecimal and signed numbers. */
#include "kernels/pages/priv.h"

#include "base/mem.h"
#include "kernels/base/utf8.h"

#include <string.h>

enum { DEPTH_MAX = 100 };

struct reader {
	struct cyg_str in;
	size_t at;
	struct cyg_buf *out;
	struct cyg_err *err;
	unsigned depth;
};

static int fail(const struct reader *r, const char *what)
{
	size_t line = 1, column = 1;
	for (size_t i = 0; i < r->at && i < r->in.len; i++) {
		column++;
		if (r->in.p[i] == '\n') {
			line++;
			column = 1;
		}
	}
	return cyg_fail(r->err, CYG_EINVAL, "%s: line %zu column %zu", what, line, column);
}

static char peek(const struct reader *r)
{
	return r->at < r->in.len ? r->in.p[r->at] : '\0';
}

static bool starts(const struct reader *r, const char *s)
{
	return cyg_str_starts(cyg_str_skip(r->in, r->at), s);
}

static int put(struct reader *r, const char *s, size_t len)
{
	return cyg_buf_add(r->out, s, len, r->err);
}

/* White space and comments. */
static int skip_space(struct reader *r)
{
	for (;;) {
		char c = peek(r);
		if (c == ' ' || (c >= '\t' && c <= '\r')) {
			r->at++;
		} else if (starts(r, "\xc2\xa0")) {
			r->at += 2;
		} else if (starts(r, "\xef\xbb\xbf")) {
			r->at += 3;
		} else if (starts(r, "//")) {
			while (r->at < r->in.len && r->in.p[r->at] != '\n')
				r->at++;
		} else if (starts(r, "/*")) {
			const char *rest = r->in.p + r->at + 2;
			const char *end = memmem(rest, r->in.len - r->at - 2, "*/", 2);
			if (end == NULL)
				return fail(r, "Comment without an end");
			r->at = (size_t)(end - r->in.p) + 2;
		} else {
			return 0;
		}
	}
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* The character after a backslash, as JSON. */
static int put_escape(struct reader *r)
{
	char c = peek(r);
	char hex[] = "\\u00XX";
	r->at++;
	switch (c) {
	case '\n':
		return 0; /* a line goes on */
	case '\r':
		r->at += peek(r) == '\n' ? 1 : 0;
		return 0;
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't':
	case '\\':
	case '"':
		return put(r, (const char[]){ '\\', c }, 2);
	case 'v':
		return put(r, "\\u000b", 6);
	case '0':
		return put(r, "\\u0000", 6);
	case 'x':
		if (r->at + 2 > r->in.len || !is_hex(r->in.p[r->at]) || !is_hex(r->in.p[r->at + 1]))
			return fail(r, "Invalid \\xXX escape");
		memcpy(hex + 4, r->in.p + r->at, 2);
		r->at += 2;
		return put(r, hex, 6);
	case 'u':
		return put(r, "\\u", 2); /* the digits follow as they are */
	default:
		return put(r, &c, 1);
	}
}

static int put_string(struct reader *r)
{
	char quote = r->in.p[r->at++];
	int e = put(r, "\"", 1);
	while (e == 0) {
		if (r->at >= r->in.len)
			return fail(r, "String without an end");
		unsigned char c = (unsigned char)r->in.p[r->at];
		if (c == (unsigned char)quote) {
			r->at++;
			return put(r, "\"", 1);
		}
		if (c == '\n' || c == '\r')
			return fail(r, "Line break in a string");
		if (c == '\\') {
			r->at++;
			e = r->at < r->in.len ? put_escape(r) : fail(r, "String without an end");
			continue;
		}
		if (c == '"')
			e = put(r, "\\\"", 2);
		else if (c < 0x20)
			e = cyg_buf_printf(r->out, r->err, "\\u%04x", c);
		else
			e = put(r, r->in.p + r->at, 1);
		r->at++;
	}
	return e;
}

static bool is_name(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' ||
	       (unsigned char)c >= 0x80 || (!first && c >= '0' && c <= '9');
}

static int put_key(struct reader *r)
{
	size_t start = r->at;
	if (peek(r) == '"' || peek(r) == '\'')
		return put_string(r);
	while (r->at < r->in.len && is_name(r->in.p[r->at], r->at == start))
		r->at++;
	if (r->at == start)
		return fail(r, "Expecting property name");
	int e = put(r, "\"", 1);
	if (e == 0)
		e = put(r, r->in.p + start, r->at - start);
	return e < 0 ? e : put(r, "\"", 1);
}

static int put_hex(struct reader *r)
{
	uint64_t v = 0;
	r->at += 2;
	size_t start = r->at;
	for (; is_hex(peek(r)) && r->at - start < 13; r->at++) {
		char c = peek(r);
		v = v * 16 + (uint64_t)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
	}
	if (r->at == start || is_hex(peek(r)))
		return fail(r, "Invalid hexadecimal number");
	return cyg_buf_printf(r->out, r->err, "%llu", (unsigned long long)v);
}

static void take_digits(struct reader *r)
{
	while (peek(r) >= '0' && peek(r) <= '9')
		r->at++;
}

/* ".5" gets its zero, "5." loses its dot. */
static int put_decimal(struct reader *r)
{
	size_t start = r->at;
	take_digits(r);
	size_t whole = r->at - start, dot = r->at;
	int e = whole > 0 ? put(r, r->in.p + start, whole) : put(r, "0", 1);
	if (peek(r) == '.') {
		r->at++;
		take_digits(r);
	}
	size_t fraction = r->at - dot;
	if (whole == 0 && fraction < 2)
		return fail(r, "Expecting value");
	return e == 0 && fraction > 1 ? put(r, r->in.p + dot, fraction) : e;
}

static int put_number(struct reader *r)
{
	int e = 0;
	if (peek(r) == '+' || peek(r) == '-')
		e = r->in.p[r->at++] == '-' ? put(r, "-", 1) : 0;
	if (e == 0 && (starts(r, "0x") || starts(r, "0X")))
		return put_hex(r);
	if (e == 0)
		e = put_decimal(r);
	size_t start = r->at;
	if (e == 0 && (peek(r) == 'e' || peek(r) == 'E')) {
		r->at++;
		if (peek(r) == '+' || peek(r) == '-')
			r->at++;
		take_digits(r);
	}
	return e < 0 ? e : put(r, r->in.p + start, r->at - start);
}

/* NOLINTBEGIN(misc-no-recursion): DEPTH_MAX */
static int put_value(struct reader *r);

/* A member or element, and the comma after it. */
static int put_member(struct reader *r, char close)
{
	int e = 0;
	if (close == '}') {
		e = put_key(r);
		if (e == 0)
			e = skip_space(r);
		if (e == 0 && peek(r) != ':')
			return fail(r, "Expecting ':' delimiter");
		r->at++;
		if (e == 0)
			e = put(r, ":", 1);
	}
	if (e == 0)
		e = put_value(r);
	if (e == 0)
		e = skip_space(r);
	if (e == 0 && peek(r) == ',')
		r->at++;
	else if (e == 0 && peek(r) != close)
		return fail(r, "Expecting ',' delimiter");
	return e;
}

static int put_members(struct reader *r, char close)
{
	int e = put(r, r->in.p + r->at++, 1);
	for (bool first = true; e == 0; first = false) {
		e = skip_space(r);
		if (e == 0 && peek(r) == close) {
			r->at++;
			return put(r, &close, 1);
		}
		if (e == 0 && !first)
			e = put(r, ",", 1);
		if (e == 0)
			e = put_member(r, close);
	}
	return e;
}

static int put_value(struct reader *r)
{
	static const char *const words[] = { "null", "true", "false", "NaN", "Infinity",
		"-Infinity" };
	int e = skip_space(r);
	char c = peek(r);
	if (e < 0)
		return e;
	if (c == '{' || c == '[') {
		if (++r->depth > DEPTH_MAX)
			return fail(r, "Nested too deeply");
		e = put_members(r, c == '{' ? '}' : ']');
		r->depth--;
		return e;
	}
	if (c == '"' || c == '\'')
		return put_string(r);
	for (size_t i = 0; i < CYG_N(words); i++)
		if (starts(r, words[i])) {
			r->at += strlen(words[i]);
			return put(r, words[i], strlen(words[i]));
		}
	return put_number(r);
}
/* NOLINTEND(misc-no-recursion) */

int json5_to_json(struct cyg_str text, struct cyg_buf *out, struct cyg_err *err)
{
	struct reader r = { .in = text, .out = out, .err = err };
	struct tape *t = NULL;
	if (utf8_bad_at(text) != text.len)
		return cyg_fail(err, CYG_EINVAL, "Text is not UTF-8");
	int e = put_value(&r);
	if (e == 0)
		e = skip_space(&r);
	if (e == 0 && r.at < text.len)
		e = fail(&r, "Extra data");
	/* The JSON parser refuses what the steps above accept (a bad \u, "1e"). */
	if (e == 0)
		e = tape_parse(cyg_buf_str(out), &t, NULL, err);
	tape_free(t);
	return e;
}

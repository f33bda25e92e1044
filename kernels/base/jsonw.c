/* The JSON writer. */
#include "kernels/base/jsonw.h"

#include "kernels/base/utf8.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

static void put(struct jsonw *w, const char *data, size_t len)
{
	if (!w->failed && cyg_buf_add(w->out, data, len, &w->err) < 0)
		w->failed = true;
}

/* The comma before a value, unless it is the first or follows its key. */
static void before_value(struct jsonw *w)
{
	if (w->after_key) {
		w->after_key = false;
		return;
	}
	if (w->comma[w->depth])
		put(w, ",", 1);
	w->comma[w->depth] = true;
}

static void open_level(struct jsonw *w, const char *bracket)
{
	before_value(w);
	put(w, bracket, 1);
	assert(w->depth + 1 < JSONW_DEPTH_MAX);
	w->comma[++w->depth] = false;
}

static void close_level(struct jsonw *w, const char *bracket)
{
	assert(w->depth > 0 && !w->after_key);
	w->depth--;
	put(w, bracket, 1);
}

void jsonw_init(struct jsonw *w, struct cyg_buf *out)
{
	*w = (struct jsonw){ .out = out };
}

void jsonw_object(struct jsonw *w)
{
	open_level(w, "{");
}

void jsonw_object_end(struct jsonw *w)
{
	close_level(w, "}");
}

void jsonw_array(struct jsonw *w)
{
	open_level(w, "[");
}

void jsonw_array_end(struct jsonw *w)
{
	close_level(w, "]");
}

void jsonw_key(struct jsonw *w, const char *key)
{
	assert(!w->after_key);
	jsonw_cstr(w, key);
	put(w, ":", 1);
	w->after_key = true;
}

void jsonw_key_quoted(struct jsonw *w, struct cyg_str quoted)
{
	assert(!w->after_key);
	jsonw_raw(w, quoted);
	put(w, ":", 1);
	w->after_key = true;
}

/* Writes a byte that needs an escape; returns how many bytes of s it read. */
static size_t put_special(struct jsonw *w, struct cyg_str s)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	unsigned char c = (unsigned char)s.p[0];
	const char *at = c == 0 ? NULL : strchr(from, (char)c);
	if (at != NULL) {
		char esc[2] = { '\\', to[at - from] };
		put(w, esc, 2);
		return 1;
	}
	size_t n = c < 0x20 ? 1 : utf8_check_surrogates(s);
	if (n == 0) {
		put(w, "\xef\xbf\xbd", 3);
		return 1;
	}
	if (!w->failed && cyg_buf_printf(w->out, &w->err, "\\u%04x", utf8_get(s.p, n)) < 0)
		w->failed = true;
	return n;
}

/* Length of the run at s whose bytes are written as they are. */
static size_t plain_run(struct cyg_str s)
{
	size_t at = 0;
	while (at < s.len) {
		unsigned char c = (unsigned char)s.p[at];
		if (c < 0x20 || c == '"' || c == '\\')
			break;
		size_t n = c < 0x80 ? 1 : utf8_check(cyg_str_skip(s, at));
		if (n == 0)
			break;
		at += n;
	}
	return at;
}

void jsonw_str_begin(struct jsonw *w)
{
	before_value(w);
	put(w, "\"", 1);
}

void jsonw_str_piece(struct jsonw *w, struct cyg_str s)
{
	while (s.len > 0) {
		size_t n = plain_run(s);
		put(w, s.p, n);
		s = cyg_str_skip(s, n);
		if (s.len > 0)
			s = cyg_str_skip(s, put_special(w, s));
	}
}

void jsonw_str_end(struct jsonw *w)
{
	put(w, "\"", 1);
}

void jsonw_str(struct jsonw *w, struct cyg_str s)
{
	if (s.p == NULL) {
		jsonw_null(w);
		return;
	}
	jsonw_str_begin(w);
	jsonw_str_piece(w, s);
	jsonw_str_end(w);
}

void jsonw_cstr(struct jsonw *w, const char *s)
{
	jsonw_str(w, s == NULL ? (struct cyg_str){ NULL, 0 } : cyg_str_of(s));
}

void jsonw_int(struct jsonw *w, int64_t v)
{
	before_value(w);
	if (!w->failed && cyg_buf_printf(w->out, &w->err, "%" PRId64, v) < 0)
		w->failed = true;
}

void jsonw_bool(struct jsonw *w, bool v)
{
	jsonw_raw(w, v ? CYG_STR("true") : CYG_STR("false"));
}

void jsonw_null(struct jsonw *w)
{
	jsonw_raw(w, CYG_STR("null"));
}

void jsonw_raw(struct jsonw *w, struct cyg_str json)
{
	before_value(w);
	put(w, json.p, json.len);
}

void jsonw_key_str(struct jsonw *w, const char *key, struct cyg_str s)
{
	jsonw_key(w, key);
	jsonw_str(w, s);
}

void jsonw_key_cstr(struct jsonw *w, const char *key, const char *s)
{
	jsonw_key(w, key);
	jsonw_cstr(w, s);
}

void jsonw_key_int(struct jsonw *w, const char *key, int64_t v)
{
	jsonw_key(w, key);
	jsonw_int(w, v);
}

void jsonw_key_bool(struct jsonw *w, const char *key, bool v)
{
	jsonw_key(w, key);
	jsonw_bool(w, v);
}

void jsonw_key_null(struct jsonw *w, const char *key)
{
	jsonw_key(w, key);
	jsonw_null(w);
}

int jsonw_finish(struct jsonw *w, struct cyg_err *err)
{
	if (w->failed) {
		if (err != NULL)
			*err = w->err;
		return -(int)w->err.code;
	}
	assert(w->depth == 0 && !w->after_key);
	return 0;
}

/* The JSON tape: a parser without recursion that fills an array of items, and the functions that
 * read it. Error texts are those of Python's json module, which users know from nbformat. */
#include "kernels/base/tape.h"

#include "base/mem.h"
#include "base/num.h"
#include "kernels/base/utf8.h"

#include <string.h>

enum {
	TEXT_MAX = 1 << 30,  /* offsets are 32 bits wide; no notebook a browser opens is larger */
	ITEMS_MAX = 1 << 24, /* 512 MiB of items: 30 times what the largest sane notebook has */
};

struct item {
	uint32_t off, len;         /* the value's text */
	uint32_t key_off, key_len; /* its key's text with quotes; key_len 0: it has none */
	tape_node next, first;
	uint32_t count;
	enum tape_type type;
};

struct tape {
	const char *text;
	struct item *items;
	size_t n, cap;
};

struct parser {
	struct tape *t;
	struct cyg_str text;
	size_t at;
	size_t bad_at; /* where the failure is */
	struct cyg_err *err;
	unsigned depth;
	struct {
		tape_node node, last;
	} open[TAPE_DEPTH_MAX];
};

static struct tape_pos pos_of(struct cyg_str text, size_t at)
{
	struct tape_pos pos = { 1, 1 };
	for (size_t i = 0; i < at && i < text.len; i++) {
		pos.column++;
		if (text.p[i] == '\n') {
			pos.line++;
			pos.column = 1;
		}
	}
	return pos;
}

static int fail_at(struct parser *p, size_t at, const char *what)
{
	struct tape_pos pos = pos_of(p->text, at);
	p->bad_at = at;
	return cyg_fail(p->err, CYG_EINVAL, "%s: line %zu column %zu", what, pos.line, pos.column);
}

static void skip_space(struct parser *p)
{
	while (p->at < p->text.len) {
		char c = p->text.p[p->at];
		if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
			return;
		p->at++;
	}
}

/* The byte at the reading position, NUL at the end (NUL is valid nowhere in JSON). */
static char peek(const struct parser *p)
{
	return p->at < p->text.len ? p->text.p[p->at] : '\0';
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The four digits of \uXXXX, or -1. */
static long hex4(struct cyg_str s)
{
	long v = 0;
	if (s.len < 4)
		return -1;
	for (size_t i = 0; i < 4; i++) {
		int d = hex_digit(s.p[i]);
		if (d < 0)
			return -1;
		v = v * 16 + d;
	}
	return v;
}

static int scan_escape(struct parser *p)
{
	size_t at = p->at;
	if (at + 1 >= p->text.len)
		return fail_at(p, at, "Unterminated string starting at");
	char c = p->text.p[at + 1];
	if (c == 'u') {
		if (hex4(cyg_str_skip(p->text, at + 2)) < 0)
			return fail_at(p, at, "Invalid \\uXXXX escape");
		p->at += 6;
		return 0;
	}
	if (c == '\0' || strchr("\"\\/bfnrt", c) == NULL)
		return fail_at(p, at, "Invalid \\escape");
	p->at += 2;
	return 0;
}

/* Reads a string with its quotes; p->at is on the first one. */
static int scan_string(struct parser *p, uint32_t *off, uint32_t *len)
{
	size_t start = p->at++;
	for (;;) {
		p->at += utf8_json_plain(cyg_str_skip(p->text, p->at));
		if (p->at == p->text.len)
			return fail_at(p, start, "Unterminated string starting at");
		unsigned char c = (unsigned char)p->text.p[p->at];
		if (c == '"') {
			p->at++;
			*off = (uint32_t)start;
			*len = (uint32_t)(p->at - start);
			return 0;
		}
		if (c < 0x20)
			return fail_at(p, p->at, "Invalid control character at");
		if (c == '\\') {
			int r = scan_escape(p);
			if (r < 0)
				return r;
			continue;
		}
		size_t n = utf8_check(cyg_str_skip(p->text, p->at));
		if (n == 0)
			return fail_at(p, p->at, "Text is not UTF-8");
		p->at += n;
	}
}

static size_t digits(const struct parser *p, size_t at)
{
	size_t n = 0;
	while (at + n < p->text.len && p->text.p[at + n] >= '0' && p->text.p[at + n] <= '9')
		n++;
	return n;
}

/* Length of a number (RFC 8259 6), 0 when there is none. An incomplete fraction or exponent is not
 * part of it, so the parser refuses it next. */
static size_t number_len(const struct parser *p)
{
	size_t at = p->at + (peek(p) == '-' ? 1 : 0);
	size_t n = digits(p, at);
	if (n == 0)
		return 0;
	at += p->text.p[at] == '0' ? 1 : n;
	if (at < p->text.len && p->text.p[at] == '.' && digits(p, at + 1) > 0)
		at += 1 + digits(p, at + 1);
	if (at < p->text.len && (p->text.p[at] == 'e' || p->text.p[at] == 'E')) {
		size_t exp = at + 1;
		if (exp < p->text.len && (p->text.p[exp] == '+' || p->text.p[exp] == '-'))
			exp++;
		if (digits(p, exp) > 0)
			at = exp + digits(p, exp);
	}
	return at - p->at;
}

static int add_item(struct parser *p, tape_node *ret)
{
	struct tape *t = p->t;
	if (t->n >= ITEMS_MAX)
		return cyg_fail(p->err, CYG_ELIMIT, "More than %d JSON values", ITEMS_MAX);
	if (t->n == t->cap) {
		size_t cap = t->cap == 0 ? 64 : t->cap * 2;
		struct item *items = reallocarray(t->items, cap, sizeof(*items));
		if (items == NULL)
			return cyg_fail(p->err, CYG_ELIMIT, "Out of memory for JSON");
		t->items = items;
		t->cap = cap;
	}
	tape_node n = (tape_node)t->n++;
	t->items[n] = (struct item){ .next = TAPE_NONE, .first = TAPE_NONE };
	if (p->depth > 0) {
		struct item *parent = &t->items[p->open[p->depth - 1].node];
		tape_node last = p->open[p->depth - 1].last;
		if (last == TAPE_NONE)
			parent->first = n;
		else
			t->items[last].next = n;
		parent->count++;
		p->open[p->depth - 1].last = n;
	}
	*ret = n;
	return 0;
}

static int scan_scalar(struct parser *p, struct item *it)
{
	static const struct {
		const char *text;
		enum tape_type type;
	} words[] = { { "null", TAPE_NULL }, { "true", TAPE_TRUE }, { "false", TAPE_FALSE },
		{ "NaN", TAPE_NUMBER }, { "Infinity", TAPE_NUMBER }, { "-Infinity", TAPE_NUMBER } };
	it->off = (uint32_t)p->at;
	if (peek(p) == '"') {
		it->type = TAPE_STRING;
		return scan_string(p, &it->off, &it->len);
	}
	size_t n = number_len(p);
	it->type = TAPE_NUMBER;
	for (size_t i = 0; n == 0 && i < CYG_N(words); i++)
		if (cyg_str_starts(cyg_str_skip(p->text, p->at), words[i].text)) {
			it->type = words[i].type;
			n = strlen(words[i].text);
		}
	if (n == 0)
		return fail_at(p, p->at, "Expecting value");
	it->len = (uint32_t)n;
	p->at += n;
	return 0;
}

static int scan_key(struct parser *p, uint32_t *off, uint32_t *len)
{
	skip_space(p);
	if (peek(p) != '"')
		return fail_at(p, p->at, "Expecting property name enclosed in double quotes");
	int r = scan_string(p, off, len);
	if (r < 0)
		return r;
	skip_space(p);
	if (peek(p) != ':')
		return fail_at(p, p->at, "Expecting ':' delimiter");
	p->at++;
	return 0;
}

static bool in_object(const struct parser *p)
{
	return p->depth > 0 && p->t->items[p->open[p->depth - 1].node].type == TAPE_OBJECT;
}

static void close_container(struct parser *p)
{
	struct item *it = &p->t->items[p->open[--p->depth].node];
	p->at++;
	it->len = (uint32_t)(p->at - it->off);
}

/* One value with its key; *opened when it is a container that is not empty. */
static int scan_value(struct parser *p, bool *opened)
{
	uint32_t key_off = 0, key_len = 0;
	tape_node n = TAPE_NONE;
	int r = in_object(p) ? scan_key(p, &key_off, &key_len) : 0;
	if (r == 0)
		r = add_item(p, &n);
	if (r < 0)
		return r;
	struct item *it = &p->t->items[n];
	it->key_off = key_off;
	it->key_len = key_len;
	*opened = false;
	skip_space(p);
	char c = peek(p);
	if (c != '{' && c != '[')
		return scan_scalar(p, it);
	if (p->depth == TAPE_DEPTH_MAX)
		return fail_at(p, p->at, "Nested too deeply");
	it->type = c == '{' ? TAPE_OBJECT : TAPE_ARRAY;
	it->off = (uint32_t)p->at++;
	p->open[p->depth].node = n;
	p->open[p->depth++].last = TAPE_NONE;
	skip_space(p);
	if (peek(p) == (c == '{' ? '}' : ']'))
		close_container(p);
	else
		*opened = true;
	return 0;
}

/* After a value: 1 when another one of the same container follows, 0 when the root is complete. */
static int scan_after(struct parser *p)
{
	while (p->depth > 0) {
		skip_space(p);
		char c = peek(p);
		if (c == ',') {
			p->at++;
			return 1;
		}
		if (c != (in_object(p) ? '}' : ']'))
			return fail_at(p, p->at, "Expecting ',' delimiter");
		close_container(p);
	}
	return 0;
}

static int parse_document(struct parser *p)
{
	if (p->text.len > TEXT_MAX)
		return cyg_fail(p->err, CYG_ELIMIT, "JSON text is over %d bytes", TEXT_MAX);
	for (;;) {
		bool opened;
		int r = scan_value(p, &opened);
		if (r < 0)
			return r;
		if (opened)
			continue;
		r = scan_after(p);
		if (r < 0)
			return r;
		if (r == 0)
			break;
	}
	skip_space(p);
	return p->at < p->text.len ? fail_at(p, p->at, "Extra data") : 0;
}

int tape_parse(struct cyg_str text, struct tape **ret, struct tape_pos *pos, struct cyg_err *err)
{
	struct tape *t = cyg_xcalloc(1, sizeof(*t));
	t->text = text.p;
	struct parser p = { .t = t, .text = text, .err = err };
	int r = parse_document(&p);
	if (r < 0) {
		if (pos != NULL)
			*pos = pos_of(text, p.bad_at);
		tape_free(t);
		return r;
	}
	*ret = t;
	return 0;
}

void tape_free(struct tape *t)
{
	if (t == NULL)
		return;
	free(t->items);
	free(t);
}

tape_node tape_root(const struct tape *t)
{
	return 0;
}

enum tape_type tape_type_of(const struct tape *t, tape_node n)
{
	return t->items[n].type;
}

struct cyg_str tape_text(const struct tape *t, tape_node n)
{
	return (struct cyg_str){ t->text + t->items[n].off, t->items[n].len };
}

tape_node tape_first(const struct tape *t, tape_node n)
{
	return t->items[n].first;
}

tape_node tape_next(const struct tape *t, tape_node n)
{
	return t->items[n].next;
}

size_t tape_count(const struct tape *t, tape_node n)
{
	return t->items[n].count;
}

struct cyg_str tape_key_text(const struct tape *t, tape_node value)
{
	return (struct cyg_str){ t->text + t->items[value].key_off, t->items[value].key_len };
}

/* Takes one character off a quoted string's inside: its UTF-8 at out, the length is returned. */
static size_t next_char(struct cyg_str *s, char out[UTF8_MAX])
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	if (s->p[0] != '\\') {
		out[0] = s->p[0];
		*s = cyg_str_skip(*s, 1);
		return 1;
	}
	if (s->p[1] != 'u') {
		out[0] = to[strchr(from, s->p[1]) - from];
		*s = cyg_str_skip(*s, 2);
		return 1;
	}
	uint32_t c = (uint32_t)hex4(cyg_str_skip(*s, 2));
	*s = cyg_str_skip(*s, 6);
	if (c >= 0xd800 && c < 0xdc00 && s->len >= 6 && s->p[0] == '\\' && s->p[1] == 'u') {
		uint32_t low = (uint32_t)hex4(cyg_str_skip(*s, 2));
		if (low >= 0xdc00 && low < 0xe000) {
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			*s = cyg_str_skip(*s, 6);
		}
	}
	return utf8_put(out, c);
}

static bool quoted_eq(struct cyg_str quoted, const char *s)
{
	size_t len = strlen(s), at = 0;
	struct cyg_str in = cyg_str_sub(quoted, 1, quoted.len - 2);
	if (memchr(in.p, '\\', in.len) == NULL)
		return in.len == len && memcmp(in.p, s, len) == 0;
	while (in.len > 0) {
		char c[UTF8_MAX];
		size_t n = next_char(&in, c);
		if (n > len - at || memcmp(c, s + at, n) != 0)
			return false;
		at += n;
	}
	return at == len;
}

tape_node tape_find(const struct tape *t, tape_node obj, const char *key)
{
	tape_node found = TAPE_NONE;
	if (obj == TAPE_NONE || t->items[obj].type != TAPE_OBJECT)
		return TAPE_NONE;
	for (tape_node n = tape_first(t, obj); n != TAPE_NONE; n = tape_next(t, n))
		if (quoted_eq(tape_key_text(t, n), key))
			found = n;
	return found;
}

int tape_unquote(struct cyg_str quoted, struct cyg_buf *out, struct cyg_err *err)
{
	struct cyg_str in = cyg_str_sub(quoted, 1, quoted.len - 2);
	while (in.len > 0) {
		const char *esc = memchr(in.p, '\\', in.len);
		size_t plain = esc == NULL ? in.len : (size_t)(esc - in.p);
		int r = cyg_buf_add(out, in.p, plain, err);
		in = cyg_str_skip(in, plain);
		if (r == 0 && in.len > 0) {
			char c[UTF8_MAX];
			size_t n = next_char(&in, c);
			r = cyg_buf_add(out, c, n, err);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

int tape_string(const struct tape *t, tape_node n, struct cyg_buf *out, struct cyg_err *err)
{
	if (n == TAPE_NONE || t->items[n].type != TAPE_STRING)
		return cyg_fail(err, CYG_EINVAL, "Expecting a string");
	return tape_unquote(tape_text(t, n), out, err);
}

bool tape_string_eq(const struct tape *t, tape_node n, const char *s)
{
	return n != TAPE_NONE && t->items[n].type == TAPE_STRING && quoted_eq(tape_text(t, n), s);
}

int tape_int(const struct tape *t, tape_node n, int64_t *ret, struct cyg_err *err)
{
	if (n == TAPE_NONE || t->items[n].type != TAPE_NUMBER)
		return cyg_fail(err, CYG_EINVAL, "Expecting an integer");
	return cyg_num_parse_i64(tape_text(t, n), INT64_MIN, INT64_MAX, ret, err);
}

char *tape_get_str(const struct tape *t, tape_node obj, const char *key)
{
	tape_node n = tape_find(t, obj, key);
	cyg_autobuf struct cyg_buf out;
	cyg_buf_init(&out, SIZE_MAX - 1);
	if (n == TAPE_NONE || tape_string(t, n, &out, NULL) < 0)
		return NULL;
	if (out.len == 0)
		return cyg_xstrdup("");
	return memchr(out.data, '\0', out.len) == NULL ? cyg_buf_take(&out, NULL) : NULL;
}

bool tape_get_bool(const struct tape *t, tape_node obj, const char *key, bool otherwise)
{
	tape_node n = tape_find(t, obj, key);
	if (n == TAPE_NONE)
		return otherwise;
	return t->items[n].type == TAPE_TRUE || (t->items[n].type != TAPE_FALSE && otherwise);
}

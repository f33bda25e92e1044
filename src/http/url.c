/* Paths and queries. What routing decides on is the decoded path; whatever decodes to another shape
 * of path (a hidden slash, a dot segment) is refused here, so that no two parts can disagree. */
#include "http/url.h"

#include "http/text.h"

#include <string.h>

static bool is_escape(struct cyg_str s, size_t i)
{
	return s.len - i >= 3 && http_char_is(s.p[i + 1], HTTP_C_HEX) &&
	       http_char_is(s.p[i + 2], HTTP_C_HEX);
}

static int decode(struct cyg_arena *arena, struct cyg_str raw, bool plus, struct cyg_str *ret,
    struct cyg_err *err)
{
	char *out = cyg_arena_alloc(arena, raw.len + 1);
	size_t n = 0;

	for (size_t i = 0; i < raw.len; i++) {
		char c = raw.p[i];

		if (c == '%') {
			if (!is_escape(raw, i))
				return cyg_fail(err, CYG_EINVAL, "incomplete percent escape");
			c = (char)(http_hex_digit(raw.p[i + 1]) << 4 |
				   http_hex_digit(raw.p[i + 2]));
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		if (c == '\0')
			return cyg_fail(err, CYG_EINVAL, "NUL in a URL");
		out[n++] = c;
	}
	*ret = (struct cyg_str){ out, n };
	return 0;
}

int url_decode(
    struct cyg_arena *arena, struct cyg_str raw, struct cyg_str *ret, struct cyg_err *err)
{
	return decode(arena, raw, false, ret, err);
}

/* One segment, decoded. */
static int check_segment(struct cyg_str segment, bool last, struct cyg_err *err)
{
	if (segment.len == 0 && !last)
		return cyg_fail(err, CYG_EINVAL, "empty segment in the path");
	if (cyg_str_eq(segment, ".") || cyg_str_eq(segment, ".."))
		return cyg_fail(err, CYG_EINVAL, "dot segment in the path");
	return 0;
}

int url_path_decode(
    struct cyg_arena *arena, struct cyg_str raw, struct cyg_str *ret, struct cyg_err *err)
{
	struct cyg_str path;
	struct cyg_str rest;
	struct cyg_str segment;
	int rc;

	if (raw.len == 0 || raw.p[0] != '/')
		return cyg_fail(err, CYG_EINVAL, "the path does not begin with a slash");
	for (size_t i = 0; i + 2 < raw.len; i++) {
		if (raw.p[i] == '%' && raw.p[i + 1] == '2' && (raw.p[i + 2] | 0x20) == 'f')
			return cyg_fail(err, CYG_EINVAL, "escaped slash in the path");
	}
	rc = url_decode(arena, raw, &path, err);
	if (rc < 0)
		return rc;
	if (!cyg_str_is_text(path) || cyg_str_chr(path, '\\') != path.len)
		return cyg_fail(err, CYG_EINVAL, "bad byte in the path");
	rest = cyg_str_skip(path, 1);
	while (cyg_str_next(&rest, '/', &segment)) {
		rc = check_segment(segment, rest.p == NULL, err);
		if (rc < 0)
			return rc;
	}
	*ret = path;
	return 0;
}

int url_encode(struct cyg_buf *out, struct cyg_str s, const char *keep, struct cyg_err *err)
{
	static const char digits[] = "0123456789ABCDEF";
	char *room;
	size_t n = 0;
	int rc;

	for (size_t i = 0; i < s.len; i++) {
		bool plain = http_char_is(s.p[i], HTTP_C_PLAIN) ||
			     (s.p[i] != '\0' && strchr(keep, s.p[i]) != NULL);

		n += plain ? 1 : 3;
	}
	rc = cyg_buf_reserve(out, n, &room, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (http_char_is(s.p[i], HTTP_C_PLAIN) || (c != 0 && strchr(keep, c) != NULL)) {
			*room++ = s.p[i];
			continue;
		}
		*room++ = '%';
		*room++ = digits[c >> 4];
		*room++ = digits[c & 15];
	}
	cyg_buf_commit(out, n);
	return 0;
}

int url_query_get(struct cyg_arena *arena, struct cyg_str query, const char *name,
    struct cyg_str *ret, bool *found, struct cyg_err *err)
{
	struct cyg_str part;

	*found = false;
	while (cyg_str_next(&query, '&', &part)) {
		size_t eq = cyg_str_chr(part, '=');
		struct cyg_str key;
		int rc = decode(arena, cyg_str_sub(part, 0, eq), true, &key, err);

		if (rc < 0)
			return rc;
		if (!cyg_str_eq(key, name))
			continue;
		rc = decode(arena, cyg_str_skip(part, eq < part.len ? eq + 1 : eq), true, ret, err);
		*found = rc == 0;
		return rc;
	}
	return 0;
}

bool url_is_local(struct cyg_str target)
{
	if (target.len == 0 || target.p[0] != '/' || (target.len > 1 && target.p[1] == '/'))
		return false;
	for (size_t i = 0; i < target.len; i++) {
		if (target.p[i] < 0x21 || target.p[i] == 0x7f || target.p[i] == '\\')
			return false;
	}
	return true;
}

/* Heads as bytes: lines, request and status lines, fields. One strict pass without allocation or
 * repair; what the fields mean together is judged in head_check.c. */
#include "http/text.h"

#include <string.h>

enum {
	METHOD_MAX = 32,
	BLANKS_MAX = 2, /* empty lines before a request line (RFC 9112 2.2) */
};

int http_scan_fail(struct http_scan *s, int status, const char *why)
{
	*s->status = s->response ? 502 : status;
	return cyg_fail(s->err, s->response ? CYG_EPROTO : CYG_EINVAL, "%s", why);
}

/* The next line without its CRLF: 1, or 0 when its end has not come. A bare LF ends no line, and a
 * CR inside one is found by the checks of its content. */
static int next_line(struct http_scan *s, struct cyg_str *line)
{
	const char *lf = memchr(s->p, '\n', (size_t)(s->end - s->p));

	if (lf == NULL)
		return 0;
	if (lf == s->p || lf[-1] != '\r')
		return http_scan_fail(s, 400, "a line ends without CR");
	*line = (struct cyg_str){ s->p, (size_t)(lf - 1 - s->p) };
	s->p = lf + 1;
	return 1;
}

static int parse_version(struct http_scan *s, struct cyg_str v, int *minor)
{
	if (cyg_str_eq(v, "HTTP/1.1") || cyg_str_eq(v, "HTTP/1.0")) {
		*minor = v.p[7] - '0';
		return 0;
	}
	if (v.len == 8 && cyg_str_starts(v, "HTTP/") && http_char_is(v.p[5], HTTP_C_DIGIT) &&
	    v.p[6] == '.' && http_char_is(v.p[7], HTTP_C_DIGIT))
		return http_scan_fail(s, 505, "only HTTP/1.0 and HTTP/1.1 are spoken");
	return http_scan_fail(s, 400, "malformed HTTP version");
}

/* "http://host/path": what the authority was is kept in head->host until the fields are judged. */
static int parse_absolute(struct http_scan *s, struct http_head *head)
{
	struct cyg_str t = head->target;
	size_t skip = t.len >= 7 && strncasecmp(t.p, "http://", 7) == 0    ? 7
		      : t.len >= 8 && strncasecmp(t.p, "https://", 8) == 0 ? 8
									   : 0;
	size_t slash;

	if (skip == 0)
		return http_scan_fail(s, 400, "the target does not begin with a slash");
	t = cyg_str_skip(t, skip);
	slash = cyg_str_chr(t, '/');
	head->host = cyg_str_sub(t, 0, slash);
	if (!http_host_is_ok(head->host) || slash == t.len)
		return http_scan_fail(s, 400, "bad absolute target");
	head->target = cyg_str_skip(t, slash);
	return 0;
}

static int parse_target(struct http_scan *s, struct http_head *head)
{
	struct cyg_str t = head->target;
	size_t mark;
	int rc;

	if (t.len == 0 || !http_text_is(t, HTTP_C_TARGET))
		return http_scan_fail(s, 400, "bad byte in the target");
	if (t.len > CYG_HTTP_TARGET_MAX)
		return http_scan_fail(s, 414, "the target is too long");
	if (cyg_str_eq(t, "*")) {
		if (head->method != HTTP_OPTIONS)
			return http_scan_fail(s, 400, "'*' is a target of OPTIONS alone");
	} else if (t.p[0] != '/') {
		rc = parse_absolute(s, head);
		if (rc < 0)
			return rc;
	}
	mark = cyg_str_chr(head->target, '?');
	head->path = cyg_str_sub(head->target, 0, mark);
	if (mark < head->target.len)
		head->query = cyg_str_skip(head->target, mark + 1);
	return 0;
}

/* method SP target SP version, each separated by exactly one space (RFC 9112 3). */
static int parse_request_line(struct http_scan *s, struct cyg_str line, struct http_head *head)
{
	size_t sp = cyg_str_chr(line, ' ');
	struct cyg_str rest;
	int rc;

	head->method_text = cyg_str_sub(line, 0, sp);
	if (sp == 0 || sp == line.len || !http_text_is(head->method_text, HTTP_C_TOKEN))
		return http_scan_fail(s, 400, "malformed request line");
	if (sp > METHOD_MAX)
		return http_scan_fail(s, 501, "unknown method");
	head->method = http_method_of(head->method_text);
	rest = cyg_str_skip(line, sp + 1);
	sp = cyg_str_chr(rest, ' ');
	if (sp == rest.len)
		return http_scan_fail(s, 400, "no HTTP version in the request line");
	rc = parse_version(s, cyg_str_skip(rest, sp + 1), &head->minor);
	if (rc < 0)
		return rc;
	head->target = cyg_str_sub(rest, 0, sp);
	return parse_target(s, head);
}

/* version SP three digits [SP reason]; the space before an empty reason is often left out. */
static int parse_status_line(struct http_scan *s, struct cyg_str line, struct http_head *head)
{
	struct cyg_str code;
	int rc;

	if (line.len < 12 || line.p[8] != ' ' || (line.len > 12 && line.p[12] != ' '))
		return http_scan_fail(s, 502, "malformed status line");
	rc = parse_version(s, cyg_str_sub(line, 0, 8), &head->minor);
	if (rc < 0)
		return rc;
	code = cyg_str_sub(line, 9, 3);
	if (!http_text_is(code, HTTP_C_DIGIT) || code.p[0] == '0' || code.p[0] > '5')
		return http_scan_fail(s, 502, "malformed status");
	if (!http_text_is_value(cyg_str_skip(line, 12), true))
		return http_scan_fail(s, 502, "bad byte in the reason phrase");
	head->status = (code.p[0] - '0') * 100 + (code.p[1] - '0') * 10 + (code.p[2] - '0');
	return 0;
}

/* name ":" OWS value OWS. A line that begins with a space would be folded (RFC 9112 5.2), a space
 * before the colon is the best known form of request smuggling (5.1): tchar refuses both. */
static int parse_field(struct http_scan *s, struct cyg_str line, struct http_field *field)
{
	size_t colon = cyg_str_chr(line, ':');

	field->name = cyg_str_sub(line, 0, colon);
	if (colon == 0 || colon == line.len || !http_text_is(field->name, HTTP_C_TOKEN))
		return http_scan_fail(s, 400, "malformed field line");
	field->value = cyg_str_trim(cyg_str_skip(line, colon + 1));
	/* Bytes over 0x7f mean different things to different readers: refused from clients, let
	 * through from our upstreams, whose file names we do not choose. */
	if (!http_text_is_value(field->value, s->response))
		return http_scan_fail(s, 400, "bad byte in a field value");
	return 0;
}

/* Fields up to and with the empty line: 1, or 0 when that has not come. */
static int parse_fields(struct http_scan *s, struct http_head *head)
{
	struct http_field field;
	struct cyg_str line;
	unsigned seen = 0;
	int rc;

	for (;;) {
		rc = next_line(s, &line);
		if (rc <= 0)
			return rc;
		if (line.len == 0)
			return 1;
		if (++seen > CYG_HTTP_FIELDS_MAX)
			return http_scan_fail(s, 431, "too many fields");
		rc = parse_field(s, line, &field);
		if (rc < 0)
			return rc;
		/* CGI and its descendants read Content_Length as Content-Length: a request field
		 * with '_' in its name is dropped, as nginx does. */
		if (s->response || cyg_str_chr(field.name, '_') == field.name.len)
			head->fields[head->n_fields++] = field;
	}
}

static void head_clear(struct http_head *head)
{
	memset(head, 0, offsetof(struct http_head, fields));
}

/* More bytes are needed: unless there are already too many. */
static long need_more(struct http_scan *s, size_t len, bool in_first_line)
{
	if (in_first_line && !s->response && len > CYG_HTTP_TARGET_MAX + METHOD_MAX + 16)
		return http_scan_fail(s, 414, "the request line is too long");
	if (len >= CYG_HTTP_HEAD_MAX)
		return http_scan_fail(s, 431, "the head is too long");
	return 0;
}

static long finish(struct http_scan *s, const char *data)
{
	long used = s->p - data;

	if (used > CYG_HTTP_HEAD_MAX)
		return http_scan_fail(s, 431, "the head is too long");
	return used;
}

long http_head_parse_request(
    /* NOLINTNEXTLINE(readability-non-const-parameter): status is written through s */
    const char *data, size_t len, struct http_head *head, int *status, struct cyg_err *err)
{
	struct http_scan s = { .p = data, .end = data + len, .status = status, .err = err };
	struct cyg_str line;
	int rc;

	head_clear(head);
	for (int blank = 0;; blank++) {
		rc = next_line(&s, &line);
		if (rc < 0)
			return rc;
		if (rc == 0)
			return need_more(&s, len, true);
		if (line.len > 0)
			break;
		if (blank == BLANKS_MAX)
			return http_scan_fail(&s, 400, "empty lines before the request line");
	}
	rc = parse_request_line(&s, line, head);
	if (rc < 0)
		return rc;
	rc = parse_fields(&s, head);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return need_more(&s, len, false);
	rc = http_head_check_request(head, &s);
	return rc < 0 ? rc : finish(&s, data);
}

long http_head_parse_response(const char *data, size_t len, enum http_method request_method,
    /* NOLINTNEXTLINE(readability-non-const-parameter): status is written through s */
    struct http_head *head, int *status, struct cyg_err *err)
{
	struct http_scan s = {
		.p = data, .end = data + len, .status = status, .err = err, .response = true
	};
	struct cyg_str line;
	int rc;

	head_clear(head);
	rc = next_line(&s, &line);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return need_more(&s, len, true);
	rc = parse_status_line(&s, line, head);
	if (rc < 0)
		return rc;
	rc = parse_fields(&s, head);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return need_more(&s, len, false);
	rc = http_head_check_response(head, request_method, &s);
	return rc < 0 ? rc : finish(&s, data);
}

enum http_method http_head_peek_method(const char *data, size_t len)
{
	struct cyg_str text = { data, len < METHOD_MAX ? len : METHOD_MAX };

	while (text.len > 0 && (text.p[0] == '\r' || text.p[0] == '\n'))
		text = cyg_str_skip(text, 1);
	return http_method_of(cyg_str_sub(text, 0, cyg_str_chr(text, ' ')));
}

static void move_text(struct cyg_str *s, const char *from, const char *to)
{
	if (s->p != NULL)
		s->p = to + (s->p - from);
}

void http_head_move(struct http_head *head, const char *from, const char *to)
{
	move_text(&head->method_text, from, to);
	move_text(&head->target, from, to);
	move_text(&head->path, from, to);
	move_text(&head->query, from, to);
	move_text(&head->host, from, to);
	for (size_t i = 0; i < head->n_connection; i++)
		move_text(&head->connection[i], from, to);
	for (size_t i = 0; i < head->n_fields; i++) {
		move_text(&head->fields[i].name, from, to);
		move_text(&head->fields[i].value, from, to);
	}
}

/* Bodies (RFC 9112 6 and 7): a decoder that keeps no bytes, and the chunk writer. Chunk syntax is
 * as strict as heads are: no space, no bare LF, at most 16 digits. */
#include "http/body.h"

#include "base/mem.h"
#include "http/text.h"

#include <stdio.h>
#include <string.h>

enum state {
	SIZE,     /* hexadecimal digits */
	EXT,      /* behind ';' */
	SIZE_LF,  /* CR was read */
	DATA,     /* of a chunk, or of a length */
	DATA_CR,  /* the chunk ended */
	DATA_LF,  /* its CR was read */
	LINE,     /* start of a trailer line */
	NAME,     /* of a trailer field */
	VALUE,    /* of it */
	VALUE_LF, /* its CR was read */
	END_LF,   /* CR of the empty line was read */
};

enum { SIZE_DIGITS_MAX = 16 };

/* Trailer fields that would change who asks, where to, or how long the message is. */
static const char *const refused_trailers[] = { "authorization", "connection", "content-encoding",
	"content-length", "content-range", "content-type", "cookie", "expect", "forwarded", "host",
	"origin", "proxy-authorization", "referer", "set-cookie", "te", "trailer",
	"transfer-encoding", "upgrade" };
static const char *const refused_prefixes[] = { "x-forwarded-", "x-cygnet-", "sec-", "x-real-",
	"remote-" };

void http_body_init(struct http_body *b, const struct http_head *head)
{
	*b = (struct http_body){ .framing = head->framing };
	if (b->framing == HTTP_BODY_LENGTH)
		b->left = head->content_length;
	b->state_ = b->framing == HTTP_BODY_CHUNKED ? SIZE : DATA;
	b->done = b->framing == HTTP_BODY_NONE || (b->framing == HTTP_BODY_LENGTH && b->left == 0);
}

static int bad(struct cyg_err *err, const char *why)
{
	return cyg_fail(err, CYG_EPROTO, "%s", why);
}

static int trailer_check(const struct http_body *b, struct cyg_err *err)
{
	for (size_t i = 0; i < CYG_N(refused_trailers); i++) {
		if (strcasecmp(b->name_, refused_trailers[i]) == 0)
			return cyg_fail(err, CYG_EPROTO, "trailer field %s", refused_trailers[i]);
	}
	for (size_t i = 0; i < CYG_N(refused_prefixes); i++) {
		if (strncasecmp(b->name_, refused_prefixes[i], strlen(refused_prefixes[i])) == 0)
			return cyg_fail(
			    err, CYG_EPROTO, "trailer field %s...", refused_prefixes[i]);
	}
	return 0;
}

/* Extensions and trailers of one body share one small limit: only attackers use them. */
static int count_extra(struct http_body *b, struct cyg_err *err)
{
	if (++b->extra_len_ > CYG_HTTP_CHUNK_EXT_MAX)
		return bad(err, "too many bytes in chunk extensions or trailers");
	return 0;
}

static int step_size(struct http_body *b, char c, struct cyg_err *err)
{
	if (http_char_is(c, HTTP_C_HEX)) {
		if (++b->line_len_ > SIZE_DIGITS_MAX)
			return bad(err, "chunk size of more than 64 bits");
		b->left = (b->left << 4) | http_hex_digit(c);
		return 0;
	}
	if (b->line_len_ == 0 || (c != ';' && c != '\r'))
		return bad(err, "bad chunk size");
	b->state_ = c == ';' ? EXT : SIZE_LF;
	return 0;
}

static int step_name(struct http_body *b, char c, struct cyg_err *err)
{
	if (c == ':' && b->line_len_ > 0) {
		b->state_ = VALUE;
		return trailer_check(b, err);
	}
	if (!http_char_is(c, HTTP_C_TOKEN) || c == '_')
		return bad(err, "malformed trailer field");
	if (b->line_len_ < sizeof(b->name_) - 1) {
		b->name_[b->line_len_] = c;
		b->name_[b->line_len_ + 1] = '\0';
	}
	b->line_len_++;
	return count_extra(b, err);
}

/* Text up to a CR: extensions and trailer values. */
static int step_text(struct http_body *b, char c, enum state next, struct cyg_err *err)
{
	if (c == '\r') {
		b->state_ = next;
		return 0;
	}
	if (!http_char_is(c, HTTP_C_VALUE))
		return bad(err, "bad byte in a chunk extension or trailer");
	return count_extra(b, err);
}

static int step_lf(struct http_body *b, char c, struct cyg_err *err)
{
	if (c != '\n')
		return bad(err, "CR without LF in chunked coding");
	switch (b->state_) {
	case SIZE_LF:
		b->state_ = b->left > 0 ? DATA : LINE;
		break;
	case DATA_LF:
		b->state_ = SIZE;
		b->line_len_ = 0;
		break;
	case END_LF:
		b->done = true;
		break;
	default:
		b->state_ = LINE;
	}
	return 0;
}

static int step_byte(struct http_body *b, char c, struct cyg_err *err)
{
	switch (b->state_) {
	case SIZE:
		return step_size(b, c, err);
	case EXT:
		return step_text(b, c, SIZE_LF, err);
	case DATA_CR:
		if (c != '\r')
			return bad(err, "chunk data runs over its size");
		b->state_ = DATA_LF;
		return 0;
	case LINE:
		if (c == '\r') {
			b->state_ = END_LF;
			return 0;
		}
		b->line_len_ = 0;
		b->name_[0] = '\0';
		b->state_ = NAME;
		return step_name(b, c, err);
	case NAME:
		return step_name(b, c, err);
	case VALUE:
		return step_text(b, c, VALUE_LF, err);
	default:
		return step_lf(b, c, err);
	}
}

/* A run of payload at data; what follows it. */
static void take_data(struct http_body *b, const char *data, size_t len, struct cyg_str *payload)
{
	size_t n = len;

	if (b->framing != HTTP_BODY_CLOSE && b->left < n)
		n = (size_t)b->left;
	*payload = (struct cyg_str){ data, n };
	if (b->framing == HTTP_BODY_CLOSE)
		return;
	b->left -= n;
	if (b->left > 0)
		return;
	if (b->framing == HTTP_BODY_CHUNKED)
		b->state_ = DATA_CR;
	else
		b->done = true;
}

int http_body_step(struct http_body *b, const char *data, size_t len, size_t *used,
    struct cyg_str *payload, struct cyg_err *err)
{
	size_t at = 0;
	int rc;

	*payload = (struct cyg_str){ data, 0 };
	while (at < len && !b->done) {
		if (b->state_ == DATA) {
			take_data(b, data + at, len - at, payload);
			at += payload->len;
			break;
		}
		rc = step_byte(b, data[at], err);
		if (rc < 0)
			return rc;
		at++;
	}
	*used = at;
	return 0;
}

int http_body_end(struct http_body *b, struct cyg_err *err)
{
	if (b->framing == HTTP_BODY_CLOSE)
		b->done = true;
	return b->done ? 0 : bad(err, "the connection ended inside a body");
}

int http_chunk_write(struct cyg_buf *out, const void *data, size_t len, struct cyg_err *err)
{
	char size[24];
	int n = snprintf(size, sizeof(size), "%zx\r\n", len);
	char *room;
	int rc;

	if (len == 0)
		return cyg_fail(err, CYG_EINVAL, "an empty chunk would end the body");
	rc = cyg_buf_reserve(out, (size_t)n + len + 2, &room, err);
	if (rc < 0)
		return rc;
	memcpy(room, size, (size_t)n);
	memcpy(room + n, data, len);
	memcpy(room + n + len, "\r\n", 2);
	cyg_buf_commit(out, (size_t)n + len + 2);
	return 0;
}

int http_chunk_end(struct cyg_buf *out, struct cyg_err *err)
{
	return cyg_buf_add(out, "0\r\n\r\n", 5, err);
}

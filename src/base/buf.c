/* The bounded byte buffer. */
#include "base/buf.h"

#include "base/mem.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static char empty[1];

enum { BUF_FIRST = 256 };

void cyg_buf_init(struct cyg_buf *b, size_t max)
{
	*b = (struct cyg_buf){ .data = empty, .max = max };
}

void cyg_buf_free(struct cyg_buf *b)
{
	free(b->base_);
	cyg_buf_init(b, b->max);
}

void cyg_buf_reset(struct cyg_buf *b)
{
	b->len = 0;
	if (b->base_ != NULL) {
		b->data = b->base_;
		b->data[0] = '\0';
	}
}

int cyg_buf_reserve(struct cyg_buf *b, size_t n, char **ret, struct cyg_err *err)
{
	size_t lead = b->base_ != NULL ? (size_t)(b->data - b->base_) : 0;
	size_t need;
	size_t cap = b->cap_ > 0 ? b->cap_ : BUF_FIRST;
	char *grown;

	if (__builtin_add_overflow(b->len, n, &need) || need > b->max)
		return cyg_fail(err, CYG_ELIMIT, "more than %zu bytes", b->max);
	need++; /* the closing NUL */
	if (b->base_ != NULL && lead + need <= b->cap_) {
		*ret = b->data + b->len;
		return 0;
	}
	if (b->base_ != NULL && lead > 0) {
		memmove(b->base_, b->data, b->len + 1);
		b->data = b->base_;
	}
	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	if (cap > b->cap_) {
		grown = realloc(b->base_, cap);
		if (grown == NULL)
			return cyg_fail(err, CYG_ELIMIT, "no memory for %zu bytes", cap);
		b->base_ = b->data = grown;
		b->cap_ = cap;
		b->data[b->len] = '\0';
	}
	*ret = b->data + b->len;
	return 0;
}

void cyg_buf_commit(struct cyg_buf *b, size_t n)
{
	if (b->base_ == NULL)
		return;
	assert((size_t)(b->data - b->base_) + b->len + n < b->cap_);
	b->len += n;
	b->data[b->len] = '\0';
}

int cyg_buf_add(struct cyg_buf *b, const void *data, size_t len, struct cyg_err *err)
{
	char *room;
	int rc = cyg_buf_reserve(b, len, &room, err);

	if (rc < 0)
		return rc;
	if (len > 0)
		memcpy(room, data, len);
	cyg_buf_commit(b, len);
	return 0;
}

int cyg_buf_add_all(struct cyg_buf *b, const struct cyg_str *parts, size_t n, struct cyg_err *err)
{
	size_t len = 0;
	char *room;
	int rc;

	for (size_t i = 0; i < n; i++) {
		if (__builtin_add_overflow(len, parts[i].len, &len))
			return cyg_fail(err, CYG_ELIMIT, "more than %zu bytes", b->max);
	}
	rc = cyg_buf_reserve(b, len, &room, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n; room += parts[i++].len) {
		if (parts[i].len > 0)
			memcpy(room, parts[i].p, parts[i].len);
	}
	cyg_buf_commit(b, len);
	return 0;
}

int cyg_buf_add_str(struct cyg_buf *b, const char *s, struct cyg_err *err)
{
	return cyg_buf_add(b, s, strlen(s), err);
}

int cyg_buf_vprintf(struct cyg_buf *b, struct cyg_err *err, const char *fmt, va_list ap)
{
	va_list again;
	char *room;
	int need;
	int rc;

	va_copy(again, ap);
	need = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (need < 0)
		return cyg_fail(err, CYG_EINVAL, "cannot format");
	rc = cyg_buf_reserve(b, (size_t)need, &room, err);
	if (rc < 0)
		return rc;
	(void)vsnprintf(room, (size_t)need + 1, fmt, ap);
	cyg_buf_commit(b, (size_t)need);
	return 0;
}

int cyg_buf_printf(struct cyg_buf *b, struct cyg_err *err, const char *fmt, ...)
{
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = cyg_buf_vprintf(b, err, fmt, ap);
	va_end(ap);
	return rc;
}

void cyg_buf_consume(struct cyg_buf *b, size_t n)
{
	assert(n <= b->len);
	b->data += n;
	b->len -= n;
	if (b->len == 0)
		cyg_buf_reset(b);
}

char *cyg_buf_take(struct cyg_buf *b, size_t *len)
{
	char *out;

	if (len != NULL)
		*len = b->len;
	if (b->base_ == NULL)
		return cyg_xstrdup("");
	if (b->data != b->base_)
		memmove(b->base_, b->data, b->len + 1);
	out = b->base_;
	cyg_buf_init(b, b->max);
	return out;
}

struct cyg_str cyg_buf_str(const struct cyg_buf *b)
{
	return (struct cyg_str){ b->data, b->len };
}

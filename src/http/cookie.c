/* Reads and filters cookies (RFC 6265). Only our own cookies are trusted. */
#include "http/cookie.h"

#include "http/text.h"

#include <string.h>

struct cookie {
	struct cyg_str name, value;
	struct cyg_str whole; /* as sent, without spaces at its ends */
};

/* Walks all cookies of all Cookie fields. */
struct cookie_iter {
	const struct http_head *head;
	size_t field;
	struct cyg_str rest;
};

static bool next_cookie(struct cookie_iter *it, struct cookie *c)
{
	size_t eq;

	while (!cyg_str_next(&it->rest, ';', &c->whole)) {
		if (it->field == it->head->n_fields)
			return false;
		if (cyg_str_case_eq(it->head->fields[it->field].name, "cookie"))
			it->rest = it->head->fields[it->field].value;
		it->field++;
	}
	c->whole = cyg_str_trim(c->whole);
	eq = cyg_str_chr(c->whole, '=');
	c->name = cyg_str_trim(cyg_str_sub(c->whole, 0, eq));
	c->value = eq < c->whole.len ? cyg_str_trim(cyg_str_skip(c->whole, eq + 1))
				     : cyg_str_sub(c->whole, eq, 0);
	return true;
}

bool http_cookie_get(const struct http_head *head, const char *name, struct cyg_str *ret)
{
	struct cookie_iter it = { .head = head };
	struct cyg_str value = { NULL, 0 };
	struct cookie c;
	unsigned n = 0;

	while (next_cookie(&it, &c)) {
		if (++n > HTTP_COOKIES_MAX)
			return false;
		if (!cyg_str_eq(c.name, name))
			continue;
		if (value.p != NULL && !cyg_str_same(value, c.value))
			return false;
		value = c.value;
	}
	if (value.p == NULL)
		return false;
	*ret = value;
	return true;
}

/* Case does not matter here: a reader behind us may ignore it. */
static bool has_prefix(struct cyg_str name, const char *prefix)
{
	size_t n = strlen(prefix);

	return name.len >= n && strncasecmp(name.p, prefix, n) == 0;
}

int http_cookie_without(
    const struct http_head *head, const char *prefix, struct cyg_buf *out, struct cyg_err *err)
{
	struct cookie_iter it = { .head = head };
	struct cookie c;
	unsigned n = 0;
	int rc = 0;

	while (rc == 0 && next_cookie(&it, &c)) {
		if (++n > HTTP_COOKIES_MAX)
			return cyg_fail(err, CYG_ELIMIT, "more than %d cookies", HTTP_COOKIES_MAX);
		if (c.whole.len == 0 || has_prefix(c.name, prefix))
			continue;
		/* Some readers take a nameless cookie ("=__Host-x=v") for the cookie whose name it
		 * holds. */
		if (c.name.len == 0 && has_prefix(c.value, prefix))
			continue;
		if (out->len > 0)
			rc = cyg_buf_add(out, "; ", 2, err);
		if (rc == 0)
			rc = cyg_buf_add(out, c.whole.p, c.whole.len, err);
	}
	return rc;
}

/* cookie-octet of RFC 6265 4.1.1. */
static bool is_cookie_value(struct cyg_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] < 0x21 || s.p[i] == 0x7f || strchr("\",;\\", s.p[i]) != NULL)
			return false;
	}
	return true;
}

int http_cookie_set(
    struct cyg_buf *out, const char *name, const char *value, long max_age_s, struct cyg_err *err)
{
	int rc;

	if (strncmp(name, "__Host-", 7) != 0 || !http_text_is(cyg_str_of(name), HTTP_C_TOKEN) ||
	    !is_cookie_value(cyg_str_of(value)))
		return cyg_fail(err, CYG_EINVAL, "bad cookie name or value");
	rc = cyg_buf_printf(out, err, "%s=%s; Path=/; Secure; HttpOnly; SameSite=Lax", name, value);
	if (rc == 0 && max_age_s >= 0)
		rc = cyg_buf_printf(out, err, "; Max-Age=%ld", max_age_s);
	return rc;
}

/* The Cookie and Set-Cookie fields (RFC 6265). */
#ifndef HTTP_COOKIE_H
#define HTTP_COOKIE_H

#include "http/head.h"

enum { HTTP_COOKIES_MAX = 64 };

/* The value of the cookie with that name over all Cookie fields. A name that occurs twice with
 * different values is refused as if it were not there (cookie tossing); false then and when there
 * is none. */
bool http_cookie_get(const struct http_head *head, const char *name, struct cyg_str *ret);
/* Writes the Cookie fields' content without cookies whose name starts with prefix; empty when none
 * is left. Duplicates of other cookies pass. */
int http_cookie_without(
    const struct http_head *head, const char *prefix, struct cyg_buf *out, struct cyg_err *err);
/* Value of a Set-Cookie field for a __Host- cookie: Secure, HttpOnly, SameSite=Lax, Path=/;
 * max_age_s < 0 for a browser session, 0 to delete. */
int http_cookie_set(
    struct cyg_buf *out, const char *name, const char *value, long max_age_s, struct cyg_err *err);

#endif

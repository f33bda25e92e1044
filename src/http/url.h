/* Request paths and queries: decoding, the canonical form that routing uses, and writing. */
#ifndef HTTP_URL_H
#define HTTP_URL_H

#include "base/arena.h"
#include "base/buf.h"

/* Checks a raw path for routing: starts with '/', percent escapes are complete and hide neither
 * NUL, '/' nor '\', no segment is (also encoded) "." or "..", no empty segment inside, no control
 * byte, no bad UTF-8. Then *ret is the decoded path, in the arena. Routing and access checks use
 * it; the raw path is what is forwarded. -CYG_EINVAL: respond 400. */
int url_path_decode(
    struct cyg_arena *arena, struct cyg_str raw, struct cyg_str *ret, struct cyg_err *err);
/* Percent-decodes (no plus rule); NUL is refused. */
int url_decode(
    struct cyg_arena *arena, struct cyg_str raw, struct cyg_str *ret, struct cyg_err *err);
/* Appends s with all but unreserved bytes and the ones in keep ("/" for paths) escaped. */
int url_encode(struct cyg_buf *out, struct cyg_str s, const char *keep, struct cyg_err *err);
/* The decoded value of a query or form field ('+' is a space); found is false when it is not there.
 * The first one wins. Bad escapes: -CYG_EINVAL. */
int url_query_get(struct cyg_arena *arena, struct cyg_str query, const char *name,
    struct cyg_str *ret, bool *found, struct cyg_err *err);
/* True for a target that is safe to send a browser to on the same origin: starts with exactly one
 * '/', no '\', no control bytes, no scheme (open redirects). */
bool url_is_local(struct cyg_str target);

#endif

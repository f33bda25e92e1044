/* Who a request speaks for: the token it carries, and whether a request that changes something, or
 * opens a WebSocket, comes from a page of this site. The one place where Origin, Fetch-Metadata and
 * Authorization are read; pure. */
#ifndef HTTP_ORIGIN_H
#define HTTP_ORIGIN_H

#include "http/head.h"

/* True when an Origin field's value (RFC 6454 6.2) is the origin of that scheme and Host field:
 * letters' case does not matter, and neither does a port that is the scheme's own. scheme NULL:
 * http or https, when it is not known which of them the browser uses. */
bool origin_is(struct cyg_str origin, const char *scheme, struct cyg_str host);

/* Checks Origin and Fetch-Metadata of a request (W3C Fetch Metadata; RFC 6454). has_token: it
 * carries an Authorization token, which no foreign page can make a browser send; only then may both
 * fields be missing. Returns NULL, or what to tell the client. */
const char *origin_check(const struct http_head *head, const char *scheme, bool has_token);

/* The secret of "Authorization: token X" or "Bearer X"; empty when there is none. */
struct cyg_str origin_token(const struct http_head *head);

#endif

/* The proxy's own responses: its 4xx, 502, 503, 504 and redirects. A small page for a browser's
 * navigation, JSON for programs; no script, nothing loaded from elsewhere. */
#ifndef PROXY_PAGE_H
#define PROXY_PAGE_H

#include "base/buf.h"

struct page {
	int status;
	const char *message; /* what is wrong and what to do next; ours, never a client's text */
	struct cyg_str location; /* of a redirect; else empty */
	bool html;
	bool head_only; /* the request was HEAD */
	bool keep;
	int client_minor;
};

/* Appends the whole response. */
int page_write(const struct page *page, struct cyg_buf *out, struct cyg_err *err);

#endif

/* Which handler a request belongs to, and the responses where there is none. Before it: a parsed
 * head (request.c, mhd.c). After it: the body, and the handler. */
#include "http/route.h"

#include <stdio.h>

static void reply_not_allowed(struct http_req *req, unsigned allowed)
{
	char list[64];
	size_t n = 0;

	list[0] = '\0';
	for (unsigned m = HTTP_GET; m <= HTTP_OPTIONS; m++) {
		const char *text = http_method_text((enum http_method)m);

		if ((allowed & 1U << m) == 0)
			continue;
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", n > 0 ? ", " : "", text);
	}
	http_reply_field(req, "Allow", list);
	http_reply_error(req, 405, "the method is not allowed here");
}

bool http_route(const struct mounts *mounts,
    bool (*authorize)(struct http_req *req, const struct http_endpoint *endpoint),
    struct http_req *req)
{
	struct mount_match match;

	if (cyg_str_eq(req->head->target, "*")) {
		http_reply(req, 204, NULL, CYG_STR(""));
		return false;
	}
	mounts_route(mounts, req, &match);
	if (req->endpoint != NULL)
		return authorize == NULL || authorize(req, req->endpoint);
	if (match.allowed != 0)
		reply_not_allowed(req, match.allowed);
	else if (match.not_found != NULL)
		match.not_found(req);
	else
		http_reply_error(req, 404, "not found");
	return false;
}

/* The checks of Origin and Fetch-Metadata, and the token of Authorization. */
#include "http/origin.h"

#include "base/mem.h"

#include <strings.h>

static const struct {
	const char *scheme, *port;
} defaults[] = { { "http", ":80" }, { "https", ":443" } };

static struct cyg_str without(struct cyg_str authority, const char *port)
{
	if (!cyg_str_ends(authority, port))
		return authority;
	return cyg_str_sub(authority, 0, authority.len - cyg_str_of(port).len);
}

static bool same_authority(struct cyg_str a, struct cyg_str b, const char *port)
{
	a = without(a, port);
	b = without(b, port);
	return a.len > 0 && a.len == b.len && strncasecmp(a.p, b.p, a.len) == 0;
}

bool origin_is(struct cyg_str origin, const char *scheme, struct cyg_str host)
{
	size_t colon = cyg_str_chr(origin, ':');
	struct cyg_str before = cyg_str_sub(origin, 0, colon);
	struct cyg_str rest = cyg_str_skip(origin, colon);

	if (!cyg_str_starts(rest, "://") || (scheme != NULL && !cyg_str_case_eq(before, scheme)))
		return false;
	for (size_t i = 0; i < CYG_N(defaults); i++) {
		if (cyg_str_case_eq(before, defaults[i].scheme))
			return same_authority(cyg_str_skip(rest, 3), host, defaults[i].port);
	}
	return false;
}

const char *origin_check(const struct http_head *head, const char *scheme, bool has_token)
{
	const struct http_field *origin = http_head_find(head, "origin");
	const struct http_field *site = http_head_find(head, "sec-fetch-site");

	if (http_head_count(head, "origin") > 1 || http_head_count(head, "sec-fetch-site") > 1)
		return "Origin or Sec-Fetch-Site is there twice";
	if (origin != NULL && !origin_is(origin->value, scheme, head->host))
		return "Blocked: the request comes from a page of another site (Origin)";
	if (site != NULL && !cyg_str_eq(site->value, "same-origin") &&
	    !(cyg_str_eq(site->value, "none") && (has_token || origin != NULL)))
		return "Blocked: the request comes from a page of another site (Sec-Fetch-Site)";
	if (origin == NULL && site == NULL && !has_token)
		return "Blocked: a request that changes something needs an Origin field of this "
		       "site, or an Authorization token";
	return NULL;
}

struct cyg_str origin_token(const struct http_head *head)
{
	const struct http_field *f = http_head_find(head, "authorization");
	struct cyg_str scheme;
	size_t space;

	if (f == NULL || http_head_count(head, "authorization") != 1)
		return CYG_STR("");
	space = cyg_str_chr(f->value, ' ');
	scheme = cyg_str_sub(f->value, 0, space);
	if (!cyg_str_case_eq(scheme, "token") && !cyg_str_case_eq(scheme, "bearer"))
		return CYG_STR("");
	return cyg_str_trim(cyg_str_skip(f->value, space));
}

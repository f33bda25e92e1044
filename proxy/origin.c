/* The checks of Host, Origin and Fetch-Metadata. Pure. */
#include "proxy/origin.h"

#include <string.h>
#include <strings.h>

static bool same_name(struct cyg_str a, struct cyg_str b)
{
	return a.len == b.len && strncasecmp(a.p, b.p, a.len) == 0;
}

int hosts_parse(struct cyg_str list, struct hosts *ret, struct cyg_err *err)
{
	ret->n = 0;
	while (list.len > 0) {
		size_t end = 0;

		while (end < list.len && list.p[end] != ',' && list.p[end] != ' ')
			end++;
		if (end > 0) {
			if (ret->n == HOSTS_MAX)
				return cyg_fail(
				    err, CYG_ELIMIT, "hosts: more than %d names", HOSTS_MAX);
			ret->pattern[ret->n++] = cyg_str_sub(list, 0, end);
		}
		list = cyg_str_skip(list, end < list.len ? end + 1 : end);
	}
	return 0;
}

struct cyg_str host_name(struct cyg_str host)
{
	size_t bracket = cyg_str_chr(host, ']');
	size_t from = bracket < host.len ? bracket : 0;
	struct cyg_str tail;

	if (host.len == 0)
		return CYG_STR("");
	tail = cyg_str_skip(host, from);
	return cyg_str_sub(host, 0, from + cyg_str_chr(tail, ':'));
}

static bool matches(struct cyg_str pattern, struct cyg_str name)
{
	struct cyg_str suffix;

	if (cyg_str_eq(pattern, "*"))
		return true;
	if (!cyg_str_starts(pattern, "*."))
		return same_name(pattern, name);
	suffix = cyg_str_skip(pattern, 1);
	return name.len > suffix.len &&
	       same_name(cyg_str_skip(name, name.len - suffix.len), suffix);
}

bool hosts_allow(const struct hosts *hosts, struct cyg_str host)
{
	struct cyg_str name = host_name(host);

	for (size_t i = 0; i < hosts->n && name.len > 0; i++) {
		if (matches(hosts->pattern[i], name))
			return true;
	}
	return false;
}

/* "host:80" is "host" for http, as ":443" is for https. */
static struct cyg_str without_default_port(struct cyg_str authority, const char *scheme)
{
	const char *port = strcmp(scheme, "https") == 0 ? ":443" : ":80";

	if (!cyg_str_ends(authority, port))
		return authority;
	return cyg_str_sub(authority, 0, authority.len - strlen(port));
}

static bool is_same_origin(struct cyg_str origin, struct cyg_str host, const char *scheme)
{
	size_t len = strlen(scheme);

	if (!cyg_str_starts(origin, scheme))
		return false;
	origin = cyg_str_skip(origin, len);
	if (!cyg_str_starts(origin, "://"))
		return false;
	return same_name(without_default_port(cyg_str_skip(origin, 3), scheme),
	    without_default_port(host, scheme));
}

const char *origin_check(const struct http_head *head, const char *scheme, bool has_token)
{
	const struct http_field *origin = http_head_find(head, "origin");
	const struct http_field *site = http_head_find(head, "sec-fetch-site");

	if (http_head_count(head, "origin") > 1 || http_head_count(head, "sec-fetch-site") > 1)
		return "Origin or Sec-Fetch-Site is there twice";
	if (origin != NULL && !is_same_origin(origin->value, head->host, scheme))
		return "Blocked: the request comes from a page of another site (Origin)";
	if (site != NULL && !cyg_str_eq(site->value, "same-origin") &&
	    !(cyg_str_eq(site->value, "none") && (has_token || origin != NULL)))
		return "Blocked: the request comes from a page of another site (Sec-Fetch-Site)";
	if (origin == NULL && site == NULL && !has_token)
		return "Blocked: a request that changes something needs an Origin field of this "
		       "site, or an Authorization token";
	return NULL;
}

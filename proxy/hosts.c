/* Reads the list of the hub's host names and checks a Host field against it. Pure. */
#include "proxy/hosts.h"

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

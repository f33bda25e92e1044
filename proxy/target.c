/* Parses the target of a route. */
#include "proxy/target.h"

#include "base/num.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

static int parse_unix(struct cyg_str path, struct target *ret, struct cyg_err *err)
{
	struct sockaddr_un *sun = (struct sockaddr_un *)(void *)&ret->addr;

	if (path.len == 0 || path.p[0] != '/' ||
	    !cyg_str_copy(sun->sun_path, sizeof(sun->sun_path), path))
		return cyg_fail(
		    err, CYG_EINVAL, "must name an absolute path of at most 107 bytes after unix:");
	sun->sun_family = AF_UNIX;
	ret->len = sizeof(*sun);
	return 0;
}

int target_parse_tcp(
    struct cyg_str text, uint64_t port_min, struct target *ret, struct cyg_err *err)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)&ret->addr;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)&ret->addr;
	bool is_v6 = cyg_str_starts(text, "[");
	char host[INET6_ADDRSTRLEN];
	size_t colon = text.len;
	uint64_t port;

	while (colon > 0 && text.p[colon - 1] != ':')
		colon--;
	if (colon < 2 || (is_v6 && (colon < 4 || text.p[colon - 2] != ']')) ||
	    cyg_num_parse_u64(cyg_str_skip(text, colon), port_min, 65535, &port, NULL) < 0 ||
	    !cyg_str_copy(host, sizeof(host),
		is_v6 ? cyg_str_sub(text, 1, colon - 3) : cyg_str_sub(text, 0, colon - 1)))
		goto bad;
	if (is_v6 && inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		ret->len = sizeof(*v6);
		return 0;
	}
	if (!is_v6 && inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		ret->len = sizeof(*v4);
		return 0;
	}
bad:
	return cyg_fail(err, CYG_EINVAL, "must be a numeric address, a colon and a port");
}

int target_parse(struct cyg_str text, struct target *ret, struct cyg_err *err)
{
	memset(ret, 0, sizeof(*ret));
	if (cyg_str_starts(text, "unix:"))
		return parse_unix(cyg_str_skip(text, 5), ret, err);
	if (cyg_str_starts(text, "tcp:"))
		return target_parse_tcp(cyg_str_skip(text, 4), 1, ret, err);
	return cyg_fail(err, CYG_EINVAL, "must be unix:PATH or tcp:ADDRESS:PORT");
}

/* Free ports, and who listens. */
#include "kernels/spark/ports.h"

#include "base/mem.h"
#include "base/num.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

enum { PICK_MAX = 8 };

static struct sockaddr_in loopback(unsigned port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

/* Binds all at once, so that they differ, and closes them for Spark to bind. */
int ports_pick(struct fill *fill, const char *const *places, size_t n, struct cyg_err *err)
{
	int fds[PICK_MAX];
	int rc = 0;

	if (n > PICK_MAX)
		abort(); /* our mistake */
	for (size_t i = 0; i < n; i++) {
		struct sockaddr_in sa = loopback(0);
		socklen_t len = sizeof(sa);

		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (rc == 0 && (fds[i] < 0 || bind(fds[i], (struct sockaddr *)&sa, len) < 0 ||
				   getsockname(fds[i], (struct sockaddr *)&sa, &len) < 0))
			rc = cyg_fail_sys(err, errno, "find a free port");
		fill_set_port(fill, places[i], ntohs(sa.sin_port));
	}
	for (size_t i = 0; i < n; i++)
		cyg_close(fds[i]);
	return rc;
}

unsigned ports_of(const struct fill *fill, const char *place)
{
	const char *text = fill_get(fill, place);
	uint64_t port = 0;

	if (text != NULL)
		(void)cyg_num_parse_u64(cyg_str_of(text), 1, 65535, &port, NULL);
	return (unsigned)port;
}

bool ports_listens(unsigned port)
{
	const struct sockaddr_in sa = loopback(port);
	cyg_autoclose int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct pollfd ready = { .fd = fd, .events = POLLOUT };
	int failed = 0;
	socklen_t len = sizeof(failed);

	if (port == 0 || fd < 0)
		return false;
	if (connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) == 0)
		return true;
	/* The other side is this machine: its response is there already. */
	return errno == EINPROGRESS && poll(&ready, 1, 0) == 1 &&
	       getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &len) == 0 && failed == 0;
}

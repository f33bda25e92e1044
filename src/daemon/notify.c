/* Datagrams to the service manager. The environment variable is read once and then removed, so that
 * children cannot speak for us. */
#include "daemon/notify.h"

#include "base/mem.h"
#include "base/num.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

static struct {
	bool read;
	struct sockaddr_un addr;
	socklen_t len; /* 0: no service manager */
	uint64_t watchdog_ms;
} manager;

/* An absolute path, or "@NAME" in the abstract name space. */
static void read_socket(const char *name)
{
	const size_t len = name != NULL ? strlen(name) : 0;

	if (len < 2 || len >= sizeof(manager.addr.sun_path) || (name[0] != '/' && name[0] != '@'))
		return;
	manager.addr.sun_family = AF_UNIX;
	memcpy(manager.addr.sun_path, name, len);
	if (name[0] == '@')
		manager.addr.sun_path[0] = '\0';
	manager.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

static void read_watchdog(const char *usec, const char *pid_text)
{
	uint64_t allowed_us = 0;
	uint64_t pid = 0;

	if (usec == NULL ||
	    cyg_num_parse_u64(cyg_str_of(usec), 1000, UINT64_MAX, &allowed_us, NULL) < 0)
		return;
	if (pid_text != NULL &&
	    (cyg_num_parse_u64(cyg_str_of(pid_text), 1, INT32_MAX, &pid, NULL) < 0 ||
		pid != (uint64_t)getpid()))
		return;
	manager.watchdog_ms = allowed_us / 2000 > 0 ? allowed_us / 2000 : 1;
}

static void read_once(void)
{
	if (manager.read)
		return;
	manager.read = true;
	read_socket(getenv("NOTIFY_SOCKET"));
	read_watchdog(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"));
	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
}

void cyg_notify(const char *text)
{
	read_once();
	if (manager.len == 0)
		return;
	cyg_autoclose int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		(void)sendto(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT,
		    (const struct sockaddr *)&manager.addr, manager.len);
}

uint64_t cyg_notify_watchdog_ms(void)
{
	read_once();
	return manager.watchdog_ms;
}

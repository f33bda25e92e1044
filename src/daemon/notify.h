/* What a service manager is told (sd_notify(3), without its library): a datagram of NAME=VALUE
 * lines to the socket that NOTIFY_SOCKET names. Without one nothing happens. */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

#include <stdint.h>

/* "READY=1", "STOPPING=1", "WATCHDOG=1", "STATUS=…". A manager that does not take it is no error.
 */
void cyg_notify(const char *text);
/* How often the manager wants to hear WATCHDOG=1 of this process, in milliseconds: half of what it
 * allows. 0: never. */
uint64_t cyg_notify_watchdog_ms(void);

#endif

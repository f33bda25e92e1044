/* Time. Deadlines and durations use the monotonic clock; only what users or tokens see uses the
 * wall clock. Pure modules take the time as a parameter instead of calling these. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/str.h"
#include "cygnet/err.h"

#include <stdint.h>

enum { CYG_ISO8601_SIZE = 32 };

/* Milliseconds and nanoseconds of CLOCK_MONOTONIC. */
uint64_t cyg_clock_mono_ms(void);
uint64_t cyg_clock_mono_ns(void);
/* Microseconds since 1970 in UTC. */
int64_t cyg_clock_wall_us(void);
/* "2026-01-31T12:00:00.123456Z", as Jupyter and JupyterHub write times (RFC 3339). */
void cyg_clock_format(int64_t wall_us, char out[CYG_ISO8601_SIZE]);
/* "Sat, 31 Jan 2026 12:00:00 GMT" (RFC 9110 5.6.7). */
void cyg_clock_format_http(int64_t wall_us, char out[CYG_ISO8601_SIZE]);
/* Reads RFC 3339 with 'Z' or a numeric offset and up to 9 digits of fraction. */
int cyg_clock_parse(struct cyg_str s, int64_t *wall_us, struct cyg_err *err);

#endif

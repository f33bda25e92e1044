/* The log: one line an event on standard error, "2026-01-31T12:00:00.123456Z level object: text".
 * The owner of an operation logs once, with its object ("alice/default", "conn 17") as prefix;
 * library folders never log. Control bytes in the text are written as \xNN; no secret is ever
 * passed here. */
#ifndef DAEMON_LOG_H
#define DAEMON_LOG_H

#include "cygnet/err.h"

enum cyg_log_level { CYG_LOG_DEBUG, CYG_LOG_INFO, CYG_LOG_WARN, CYG_LOG_ERROR };

/* Lines below the level are dropped; program goes in front of each line. */
void cyg_log_init(const char *program, enum cyg_log_level level);
void cyg_log(enum cyg_log_level level, const char *object, const char *fmt, ...) CYG_PRINTF(3, 4);
#define cyg_log_debug(object, ...) cyg_log(CYG_LOG_DEBUG, object, __VA_ARGS__)
#define cyg_log_info(object, ...)  cyg_log(CYG_LOG_INFO, object, __VA_ARGS__)
#define cyg_log_warn(object, ...)  cyg_log(CYG_LOG_WARN, object, __VA_ARGS__)
#define cyg_log_error(object, ...) cyg_log(CYG_LOG_ERROR, object, __VA_ARGS__)

#endif

/* What a driver's log says about its end. */
#ifndef SPARK_DRIVER_LOG_H
#define SPARK_DRIVER_LOG_H

/* The first line of the log's last 64 KiB that names an exception or an error, at most 400 bytes of
 * it; NULL when there is none. Caller frees. */
char *driver_log_cause(const char *path);

#endif

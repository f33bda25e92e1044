/* What cells do in Spark, live: the agent reads each driver's REST API while a cell works, keeps
 * for each cell what it saw, and tells subscribers of the event stream (SPARK_EVENTS). Every second
 * while somebody subscribes, every five seconds while nobody does, and not at all while nothing
 * runs. What was seen stays after the driver's end, and for the next agent. */
#ifndef SPARK_MONITOR_H
#define SPARK_MONITOR_H

#include "base/str.h"
#include "cygnet/err.h"
#include "http/server.h"
#include "kernels/base/jsonw.h"

#include <uv.h>

struct events;
struct monitor;

struct monitor_opts {
	uv_loop_t *loop;
	struct events *events;
	const char *schema;   /* of the events */
	const char *base_url; /* of this server: the UI is at BASE/spark-ui/APP/ */
};

struct monitor *monitor_new(const struct monitor_opts *opts);
/* NULL is accepted. */
void monitor_close(struct monitor *m);

struct monitor_driver {
	const char *session, *kernel, *cluster, *label, *flavour;
	unsigned ui_port;
	const char *key; /* of the UI's tokens (base64url), NULL: it asks for none */
	const char *dir; /* folder of the session: cells/ is made in it */
};

/* A driver is ready; all is copied. What an earlier agent kept of it is read. */
void monitor_begin(struct monitor *m, const struct monitor_driver *d);
/* Its driver is gone: lost, or ended as it was asked to. What it did stays. */
void monitor_end(struct monitor *m, const char *session, bool lost);

/* The first Spark command of a cell was sent. cell and msg must not be NULL. */
void monitor_cell_began(struct monitor *m, const char *session, const char *cell, const char *msg);
/* The kernel is idle after that message; msg p NULL: all its cells have ended. */
void monitor_cell_ended(struct monitor *m, const char *kernel, struct cyg_str msg);

/* {"apps": [...]} (docs/decisions/0009) */
void monitor_write(const struct monitor *m, struct jsonw *w);
/* Where the UI of an application that runs is; false: there is none. */
struct monitor_ui {
	unsigned port;
	const char *key; /* as of monitor_driver */
	uv_loop_t *loop;
};
bool monitor_find_ui(const struct monitor *m, struct cyg_str app, struct monitor_ui *ret);
/* Whether the session's driver is watched, or was. */
bool monitor_knows(const struct monitor *m, const char *session);
/* Spark's id of the session's application, or NULL while it is not known. */
const char *monitor_app_of(const struct monitor *m, const char *session);
/* Ends the running jobs of a cell. -CYG_ENOENT: there are none. */
int monitor_cancel(struct monitor *m, struct cyg_str app, struct cyg_str cell, struct cyg_err *err);
/* Ends one job, whosever it is. */
int monitor_kill_job(struct monitor *m, struct cyg_str app, int64_t job, struct cyg_err *err);
/* The same of all cells of a kernel. */
void monitor_cancel_kernel(struct monitor *m, const char *kernel);

/* What the applications of a cluster use, as far as was seen. */
struct monitor_usage {
	int64_t sessions, apps, executors, cores; /* now */
	/* Since what was counted last: of tasks, and bytes. */
	int64_t tasks_ms, input, shuffle_read, shuffle_write;
};
void monitor_count(struct monitor *m, const char *cluster, struct monitor_usage *ret);
/* What monitor_count gave last has been counted. */
void monitor_counted(struct monitor *m, const char *cluster);
/* Whether some of them run, or something is new since then. */
bool monitor_has_news(const struct monitor *m, const char *cluster);
/* For how long the session's driver has been watched, in seconds; -1: it does not run. */
int64_t monitor_seconds(const struct monitor *m, const char *session);

/* api/cygnet/spark/apps, mounted with the place of a struct monitor *. */
extern const struct http_endpoint monitor_endpoints[];

#endif

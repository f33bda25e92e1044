/* What the files of the monitor share. */
#ifndef SPARK_MONITOR_PRIV_H
#define SPARK_MONITOR_PRIV_H

#include "base/list.h"
#include "http/client.h"
#include "kernels/spark/monitor.h"
#include "kernels/spark/rest.h"

enum {
	MONITOR_CELLS_MAX = 100, /* of an application: the oldest goes */
	MONITOR_JOBS_MAX = 200,  /* of a cell; older ones are counted alone */
	MONITOR_STAGES_MAX = 200,
	MONITOR_PLOT_MAX = 240,
	MONITOR_APPS_MAX = 32, /* that are kept after their end */
};

enum cell_state { CELL_RUNNING, CELL_SUCCEEDED, CELL_FAILED, CELL_CANCELLED };

struct cell_point {
	int64_t ms, tasks, executors;
};

/* One run of a cell. */
struct cell {
	struct cyg_link link; /* of app.cells */
	char *id, *msg;
	enum cell_state state;
	bool is_left; /* the kernel is done with it; jobs of threads may go on */
	bool is_cancelled;
	bool is_shown; /* it was told to subscribers */
	int64_t started_us, ended_us;
	struct rest_job *jobs;
	size_t n_jobs;
	struct rest_stage *stages;
	size_t n_stages;
	/* Jobs that ended and are no rows any more, and up to which number; stages likewise. */
	int64_t past_job, past_stage; /* -1: none */
	struct rest_count past_jobs, past_stages, past_tasks;
	struct cell_point plot[MONITOR_PLOT_MAX];
	size_t n_plot;
	unsigned every; /* each so many looks are a point of the plot */
	unsigned looks;
	char *json; /* of a run that is over: the only thing that is kept of it */
};

struct app {
	struct cyg_link link;
	struct monitor *monitor;
	char *session, *kernel, *cluster, *label, *flavour, *key, *dir;
	unsigned port;
	char *id, *name; /* Spark's; NULL: not known yet */
	bool is_running, is_lost;
	int64_t started_us, ended_us;
	struct rest_executors executors;
	/* What the hub has counted, and what it is being told. */
	struct rest_executors counted, counting;
	bool counted_sessions, counting_sessions;
	struct cyg_list cells; /* the oldest first */
	/* ---- a look ---- */
	struct http_call *call;
	int step;
	int64_t next_job; /* no job of that number has been seen */
	unsigned asked;   /* questions of this look */
	bool is_cut;      /* it had too many questions: jobs may be unseen */
	bool is_stale; /* so long after the one before that Spark may have forgotten jobs since */
	uint64_t looked_ms;
	unsigned failures; /* in a row */
	struct http_call *cancel;
	int64_t cancel_jobs[MONITOR_JOBS_MAX];
	size_t n_cancel;
};

struct monitor {
	struct monitor_opts opts;
	struct cyg_list apps;
	uv_timer_t timer;
};

/* ---- monitor_cells.c ---- */
struct cell *cell_new(const char *id, const char *msg);
void cell_free(struct cell *c);
/* The run that a job belongs to: by its tag, or by its time; NULL: none of those that are not over.
 */
struct cell *cells_of_job(struct app *a, const struct rest_job *job);
void cell_take_job(struct cell *c, const struct rest_job *job);
void cell_take_stage(struct cell *c, const struct rest_stage *stage);
void cell_add_point(struct cell *c, int64_t now_us, int64_t tasks, int64_t executors);
bool cell_has_running(const struct cell *c);
/* A job or stage whose end was not seen yet: its number, or -1. */
int64_t cell_open_job(const struct cell *c);
int64_t cell_open_stage(const struct cell *c);
/* All is known: the state follows from the jobs. */
void cell_finish(struct cell *c, int64_t now_us);
void cell_write(const struct cell *c, const char *kernel, struct jsonw *w);

/* ---- monitor_keep.c ---- */
/* Appends a run that is over to the file of its application; then its rows are freed. */
void cell_keep(struct app *a, struct cell *c);
/* Reads runs back, and drops what is not whole. */
void app_read_cells(struct app *a);

/* ---- monitor_look.c ---- */
/* Asks the driver, one question after the other, and then tells what is new. */
void app_look(struct app *a);
bool app_has_work(const struct app *a);
/* Ends jobs, one after the other, by the UI's own form. */
void app_cancel_jobs(struct app *a);
void app_stop(struct app *a);

/* ---- monitor.c ---- */
void app_tell(struct app *a);
void app_tell_cell(struct app *a, struct cell *c);
void monitor_wake(struct monitor *m);

#endif

/* Runs of cells: their jobs and stages, and what follows from them. */
#include "base/clock.h"
#include "base/mem.h"
#include "kernels/spark/monitor_priv.h"

#include <string.h>

struct cell *cell_new(const char *id, const char *msg)
{
	struct cell *c = cyg_xcalloc(1, sizeof(*c));

	c->id = cyg_xstrdup(id);
	c->msg = cyg_xstrdup(msg);
	c->started_us = cyg_clock_wall_us();
	c->every = 1;
	c->past_job = c->past_stage = -1;
	return c;
}

void cell_free(struct cell *c)
{
	free(c->id);
	free(c->msg);
	free(c->jobs);
	free(c->stages);
	free(c->json);
	free(c);
}

/* ---- what belongs to it ---- */

static struct cell *cell_of(struct cyg_link *link)
{
	return CYG_CONTAINER_OF(link, struct cell, link);
}

struct cell *cells_of_job(struct app *a, const struct rest_job *job)
{
	struct cell *found = NULL;

	cyg_list_each (it, &a->cells) {
		struct cell *c = cell_of(it);

		if (c->json != NULL)
			continue;
		if (job->msg[0] != '\0' && strncmp(c->msg, job->msg, REST_TAG_MAX - 1) == 0)
			return c;
		/* Threads that a cell started have no tag: they are of the cell of that time. */
		if (job->msg[0] == '\0' && !c->is_left && job->started_us >= c->started_us)
			found = c;
	}
	return found;
}

static bool is_over(const char *status)
{
	static const char *const words[] = { "SUCCEEDED", "FAILED", "COMPLETE", "SKIPPED" };

	for (size_t i = 0; i < CYG_N(words); i++) {
		if (strcmp(status, words[i]) == 0)
			return true;
	}
	return false;
}

/* ---- what is counted alone ---- */

/* A driver may say anything: sums stay what a browser can hold exactly. */
static int64_t sum(int64_t a, int64_t b)
{
	const int64_t max = (int64_t)1 << 53;

	return a + b < max ? a + b : max;
}

static void add_count(struct rest_count *to, const struct rest_count *n)
{
	to->total = sum(to->total, n->total);
	to->done = sum(to->done, n->done);
	to->active = sum(to->active, n->active);
	to->failed = sum(to->failed, n->failed);
	to->skipped = sum(to->skipped, n->skipped);
}

static void count_job(struct rest_count *jobs, const struct rest_job *job)
{
	jobs->total++;
	jobs->done += strcmp(job->status, "SUCCEEDED") == 0;
	jobs->failed += strcmp(job->status, "FAILED") == 0;
	jobs->active += !is_over(job->status);
}

/* Counts the oldest job that is over instead of keeping it; false when all of them run. */
static bool fold_job(struct cell *c)
{
	size_t i = 0;

	while (i < c->n_jobs && !is_over(c->jobs[i].status))
		i++;
	if (i == c->n_jobs)
		return false;
	count_job(&c->past_jobs, &c->jobs[i]);
	add_count(&c->past_stages, &c->jobs[i].stages);
	add_count(&c->past_tasks, &c->jobs[i].tasks);
	c->past_job = c->jobs[i].id > c->past_job ? c->jobs[i].id : c->past_job;
	c->n_jobs--;
	memmove(&c->jobs[i], &c->jobs[i + 1], (c->n_jobs - i) * sizeof(*c->jobs));
	return true;
}

/* Forgets the oldest stage that is over and did not fail: its job counts it. */
static bool fold_stage(struct cell *c)
{
	size_t i = 0;

	while (
	    i < c->n_stages && (!is_over(c->stages[i].status) || c->stages[i].failure[0] != '\0'))
		i++;
	if (i == c->n_stages)
		return false;
	c->past_stage = c->stages[i].id > c->past_stage ? c->stages[i].id : c->past_stage;
	c->n_stages--;
	memmove(&c->stages[i], &c->stages[i + 1], (c->n_stages - i) * sizeof(*c->stages));
	return true;
}

/* ---- its rows ---- */

/* A stage that its job names, before the driver said more of it. */
static void expect_stages(struct cell *c, const struct rest_job *job)
{
	for (size_t i = 0; i < job->n_stage_ids; i++) {
		const struct rest_stage stage = { .id = job->stage_ids[i], .status = "PENDING" };
		bool is_known = false;

		for (size_t k = 0; !is_known && k < c->n_stages; k++)
			is_known = c->stages[k].id == stage.id;
		if (is_known || stage.id <= c->past_stage)
			continue;
		if (c->n_stages == MONITOR_STAGES_MAX && !fold_stage(c))
			return;
		c->stages = cyg_xrealloc(c->stages, (c->n_stages + 1) * sizeof(*c->stages));
		c->stages[c->n_stages++] = stage;
	}
}

void cell_take_job(struct cell *c, const struct rest_job *job)
{
	size_t i = 0;

	while (i < c->n_jobs && c->jobs[i].id != job->id)
		i++;
	if (i == c->n_jobs && job->id <= c->past_job)
		return;
	if (i == MONITOR_JOBS_MAX && !fold_job(c))
		return;
	i = i < c->n_jobs ? i : c->n_jobs;
	if (i == c->n_jobs)
		c->jobs = cyg_xrealloc(c->jobs, ++c->n_jobs * sizeof(*c->jobs));
	c->jobs[i] = *job;
	expect_stages(c, job);
}

void cell_take_stage(struct cell *c, const struct rest_stage *stage)
{
	for (size_t i = 0; i < c->n_stages; i++) {
		if (c->stages[i].id == stage->id && c->stages[i].attempt <= stage->attempt)
			c->stages[i] = *stage;
	}
}

/* When the plot is full every second point goes, and from then on only every second look is one. */
void cell_add_point(struct cell *c, int64_t now_us, int64_t tasks, int64_t executors)
{
	if (c->looks++ % c->every != 0)
		return;
	if (c->n_plot == MONITOR_PLOT_MAX) {
		for (size_t i = 0; i < MONITOR_PLOT_MAX / 2; i++)
			c->plot[i] = c->plot[2 * i];
		c->n_plot = MONITOR_PLOT_MAX / 2;
		c->every *= 2;
	}
	c->plot[c->n_plot++] =
	    (struct cell_point){ (now_us - c->started_us) / 1000, tasks, executors };
}

int64_t cell_open_job(const struct cell *c)
{
	for (size_t i = 0; i < c->n_jobs; i++) {
		if (!is_over(c->jobs[i].status))
			return c->jobs[i].id;
	}
	return -1;
}

bool cell_has_running(const struct cell *c)
{
	return cell_open_job(c) >= 0;
}

int64_t cell_open_stage(const struct cell *c)
{
	for (size_t i = 0; i < c->n_stages; i++) {
		if (!is_over(c->stages[i].status))
			return c->stages[i].id;
	}
	return -1;
}

/* ---- its end ---- */

static bool has_failed(const struct cell *c)
{
	for (size_t i = 0; i < c->n_jobs; i++) {
		if (strcmp(c->jobs[i].status, "FAILED") == 0)
			return true;
	}
	return c->past_jobs.failed > 0;
}

static const char *failure(const struct cell *c)
{
	for (size_t i = 0; i < c->n_stages; i++) {
		if (c->stages[i].failure[0] != '\0')
			return c->stages[i].failure;
	}
	return NULL;
}

static bool was_cancelled(const struct cell *c)
{
	const char *why = failure(c);

	return c->is_cancelled || (why != NULL && strstr(why, "cancelled") != NULL);
}

void cell_finish(struct cell *c, int64_t now_us)
{
	int64_t last = 0;

	for (size_t i = 0; i < c->n_jobs; i++)
		last = c->jobs[i].ended_us > last ? c->jobs[i].ended_us : last;
	c->ended_us = last != 0 ? last : now_us;
	if (!has_failed(c) && !cell_has_running(c))
		c->state = CELL_SUCCEEDED;
	else
		c->state = was_cancelled(c) ? CELL_CANCELLED : CELL_FAILED;
}

/* ---- as JSON ---- */

static void write_time(struct jsonw *w, const char *key, int64_t us)
{
	char text[CYG_ISO8601_SIZE];

	cyg_clock_format(us, text);
	jsonw_key_cstr(w, key, us != 0 ? text : NULL);
}

static void write_text(struct jsonw *w, const char *key, const char *text)
{
	jsonw_key_cstr(w, key, text != NULL && text[0] != '\0' ? text : NULL);
}

static void write_count(struct jsonw *w, const char *key, const struct rest_count *n)
{
	jsonw_key(w, key);
	jsonw_object(w);
	jsonw_key_int(w, "total", n->total);
	jsonw_key_int(w, "done", n->done);
	jsonw_key_int(w, "active", n->active);
	jsonw_key_int(w, "failed", n->failed);
	jsonw_key_int(w, "skipped", n->skipped);
	jsonw_object_end(w);
}

static void write_counts(const struct cell *c, struct jsonw *w)
{
	struct rest_count jobs = c->past_jobs;
	struct rest_count stages = c->past_stages;
	struct rest_count tasks = c->past_tasks;

	for (size_t i = 0; i < c->n_jobs; i++) {
		const struct rest_job *job = &c->jobs[i];

		count_job(&jobs, job);
		add_count(&stages, &job->stages);
		add_count(&tasks, &job->tasks);
	}
	if (c->state != CELL_RUNNING) { /* what its driver took with it */
		jobs.failed += jobs.active;
		jobs.active = stages.active = tasks.active = 0;
	}
	write_count(w, "jobs", &jobs);
	write_count(w, "stages", &stages);
	write_count(w, "tasks", &tasks);
}

/* While a look goes on, or the driver does not answer it, what ran is in doubt: it is told as it
 * was last seen. */
static const char *status_told(const struct cell *c, const char *status, const char *live)
{
	return c->state == CELL_RUNNING && strcmp(status, "UNKNOWN") == 0 ? live : status;
}

/* The cause of a job is that of one of its stages. */
static const char *failure_of(const struct cell *c, const struct rest_job *job)
{
	for (size_t i = 0; strcmp(job->status, "FAILED") == 0 && i < c->n_stages; i++) {
		for (size_t k = 0; k < job->n_stage_ids; k++) {
			if (c->stages[i].id == job->stage_ids[k] && c->stages[i].failure[0] != '\0')
				return c->stages[i].failure;
		}
	}
	return NULL;
}

static void write_job(const struct cell *c, const struct rest_job *job, struct jsonw *w)
{
	jsonw_object(w);
	jsonw_key_int(w, "id", job->id);
	write_text(w, "name", job->name);
	write_text(w, "state", status_told(c, job->status, "RUNNING"));
	write_time(w, "started", job->started_us);
	write_time(w, "ended", job->ended_us);
	jsonw_key(w, "stage_ids");
	jsonw_array(w);
	for (size_t i = 0; i < job->n_stage_ids; i++)
		jsonw_int(w, job->stage_ids[i]);
	jsonw_array_end(w);
	write_text(w, "failure", failure_of(c, job));
	jsonw_object_end(w);
}

static void write_stage(const struct cell *c, const struct rest_stage *stage, struct jsonw *w)
{
	jsonw_object(w);
	jsonw_key_int(w, "id", stage->id);
	jsonw_key_int(w, "attempt", stage->attempt);
	write_text(w, "name", stage->name);
	write_text(w, "state", status_told(c, stage->status, "ACTIVE"));
	write_count(w, "tasks", &stage->tasks);
	jsonw_key_int(w, "input", stage->input);
	jsonw_key_int(w, "output", stage->output);
	jsonw_key_int(w, "shuffle_read", stage->shuffle_read);
	jsonw_key_int(w, "shuffle_write", stage->shuffle_write);
	jsonw_key_int(w, "spilled", stage->spilled);
	write_text(w, "failure", stage->failure);
	jsonw_object_end(w);
}

static void write_plot(const struct cell *c, struct jsonw *w)
{
	jsonw_key(w, "plot");
	jsonw_array(w);
	for (size_t i = 0; i < c->n_plot; i++) {
		jsonw_array(w);
		jsonw_int(w, c->plot[i].ms);
		jsonw_int(w, c->plot[i].tasks);
		jsonw_int(w, c->plot[i].executors);
		jsonw_array_end(w);
	}
	jsonw_array_end(w);
}

static void write_lists(const struct cell *c, struct jsonw *w)
{
	jsonw_key(w, "job_list");
	jsonw_array(w);
	for (size_t i = 0; i < c->n_jobs; i++)
		write_job(c, &c->jobs[i], w);
	jsonw_array_end(w);
	jsonw_key(w, "stage_list");
	jsonw_array(w);
	for (size_t i = 0; i < c->n_stages; i++)
		write_stage(c, &c->stages[i], w);
	jsonw_array_end(w);
}

void cell_write(const struct cell *c, const char *kernel, struct jsonw *w)
{
	static const char *const states[] = { "running", "succeeded", "failed", "cancelled" };

	if (c->json != NULL) {
		jsonw_raw(w, cyg_str_of(c->json));
		return;
	}
	jsonw_object(w);
	jsonw_key_cstr(w, "cell", c->id);
	jsonw_key_cstr(w, "msg", c->msg);
	jsonw_key_cstr(w, "kernel", kernel);
	jsonw_key_cstr(w, "state", states[c->state]);
	write_time(w, "started", c->started_us);
	write_time(w, "ended", c->ended_us);
	write_counts(c, w);
	jsonw_key_int(w, "executors", c->n_plot > 0 ? c->plot[c->n_plot - 1].executors : 0);
	write_text(w, "failure", c->state == CELL_FAILED ? failure(c) : NULL);
	write_lists(c, w);
	write_plot(c, w);
	jsonw_object_end(w);
}

/* Reads what a driver says of itself. It is the user's own process: everything is bounded. */
#include "kernels/spark/rest.h"

#include "base/clock.h"
#include "base/mem.h"
#include "kernels/base/tape.h"

#include <stdio.h>
#include <string.h>

enum { VALUE_MAX = 64 * 1024 };

/* Bytes and counts beyond it are not believed: sums of all that a body can hold stay in range. */
static const int64_t number_max = (int64_t)1 << 42;

/* ---- members ---- */

static int64_t number(const struct tape *t, tape_node obj, const char *name)
{
	tape_node n = tape_find(t, obj, name);
	int64_t v = 0;

	if (n == TAPE_NONE || tape_int(t, n, &v, NULL) < 0 || v < 0 || v > number_max)
		return 0;
	return v;
}

/* A row without a number is none. */
static bool has_number(const struct tape *t, tape_node obj, const char *name)
{
	tape_node n = tape_find(t, obj, name);
	int64_t v;

	return n != TAPE_NONE && tape_int(t, n, &v, NULL) == 0 && v >= 0 && v <= number_max;
}

/* The first line of a text, as far as it fits. */
static void line(const struct tape *t, tape_node obj, const char *name, char *out, size_t size)
{
	tape_node n = tape_find(t, obj, name);
	cyg_autobuf struct cyg_buf text;
	struct cyg_str rest;
	struct cyg_str first = CYG_STR("");

	cyg_buf_init(&text, VALUE_MAX);
	if (n != TAPE_NONE && tape_type_of(t, n) == TAPE_STRING)
		(void)tape_string(t, n, &text, NULL);
	rest = cyg_buf_str(&text);
	if (rest.len > 0)
		(void)cyg_str_next(&rest, '\n', &first);
	cyg_str_copy_utf8(out, size, first);
}

/* Of a Python worker's traceback the line that names the error, else the first line. */
static void failure_line(const struct tape *t, tape_node obj, char *out, size_t size)
{
	tape_node n = tape_find(t, obj, "failureReason");
	cyg_autobuf struct cyg_buf text;
	struct cyg_str rest;
	struct cyg_str one;
	bool in_traceback = false;

	cyg_buf_init(&text, VALUE_MAX);
	line(t, obj, "failureReason", out, size);
	if (n == TAPE_NONE || tape_type_of(t, n) != TAPE_STRING ||
	    tape_string(t, n, &text, NULL) < 0)
		return;
	rest = cyg_buf_str(&text);
	while (rest.p != NULL && cyg_str_next(&rest, '\n', &one)) {
		if (in_traceback && one.len > 0 && one.p[0] != ' ' && one.p[0] != '\t') {
			cyg_str_copy_utf8(out, size, one);
			return;
		}
		in_traceback =
		    in_traceback || cyg_str_ends(one, "Traceback (most recent call last):");
	}
}

/* "2026-11-24T05:50:22.144GMT" */
static int64_t moment(const struct tape *t, tape_node obj, const char *name)
{
	char text[64];
	size_t len;
	int64_t us = 0;

	line(t, obj, name, text, sizeof(text));
	len = strlen(text);
	if (len > 3 && strcmp(text + len - 3, "GMT") == 0)
		(void)snprintf(text + len - 3, sizeof(text) - len + 3, "Z");
	if (cyg_clock_parse(cyg_str_of(text), &us, NULL) < 0 || us < 0)
		return 0;
	return us;
}

typedef void (*row_fn)(void *arg, const struct tape *t, tape_node obj);

static void each_of_list(const struct tape *t, row_fn row, void *arg, bool backwards)
{
	const tape_node list = tape_root(t);
	const size_t n = tape_count(t, list);
	cyg_autofree tape_node *nodes = cyg_xcalloc(n + 1, sizeof(*nodes));
	size_t got = 0;

	for (tape_node v = tape_first(t, list); v != TAPE_NONE && got < n; v = tape_next(t, v))
		nodes[got++] = v;
	for (size_t i = 0; i < got; i++) {
		const tape_node v = nodes[backwards ? got - 1 - i : i];

		if (tape_type_of(t, v) == TAPE_OBJECT)
			row(arg, t, v);
	}
}

/* Calls row for each object of a list, or for the object that the body is. */
static int each(struct cyg_str body, row_fn row, void *arg, bool backwards, struct cyg_err *err)
{
	struct tape *t = NULL;
	tape_node root;
	int rc = tape_parse(body, &t, NULL, err);

	if (rc < 0)
		return cyg_wrap(err, "Spark's REST API");
	root = tape_root(t);
	if (tape_type_of(t, root) == TAPE_OBJECT) {
		row(arg, t, root);
	} else if (tape_type_of(t, root) == TAPE_ARRAY) {
		each_of_list(t, row, arg, backwards);
	} else {
		rc = cyg_fail(err, CYG_EPROTO, "Spark's REST API gave no list");
	}
	tape_free(t);
	return rc;
}

/* ---- jobs ---- */

/* Connect puts its own words before a tag. */
static void take_tags(const struct tape *t, tape_node obj, struct rest_job *job)
{
	tape_node list = tape_find(t, obj, "jobTags");

	if (list == TAPE_NONE || tape_type_of(t, list) != TAPE_ARRAY)
		return;
	for (tape_node n = tape_first(t, list); n != TAPE_NONE; n = tape_next(t, n)) {
		cyg_autobuf struct cyg_buf text;
		const char *at;

		cyg_buf_init(&text, VALUE_MAX);
		if (tape_type_of(t, n) != TAPE_STRING || tape_string(t, n, &text, NULL) < 0)
			continue;
		at = strstr(text.data, "cyg-msg-");
		if (at != NULL)
			cyg_str_copy_utf8(
			    job->msg, sizeof(job->msg), cyg_str_of(at + strlen("cyg-msg-")));
	}
}

static void take_stage_ids(const struct tape *t, tape_node obj, struct rest_job *job)
{
	tape_node list = tape_find(t, obj, "stageIds");

	if (list == TAPE_NONE || tape_type_of(t, list) != TAPE_ARRAY)
		return;
	for (tape_node n = tape_first(t, list);
	     n != TAPE_NONE && job->n_stage_ids < REST_STAGES_MAX; n = tape_next(t, n)) {
		if (tape_int(t, n, &job->stage_ids[job->n_stage_ids], NULL) == 0 &&
		    job->stage_ids[job->n_stage_ids] >= 0 &&
		    job->stage_ids[job->n_stage_ids] <= number_max)
			job->n_stage_ids++;
	}
}

struct job_rows {
	rest_job_fn row;
	void *arg;
};

static void read_job(void *arg, const struct tape *t, tape_node obj)
{
	const struct job_rows *rows = arg;
	cyg_autofree struct rest_job *job = cyg_xcalloc(1, sizeof(*job));

	if (!has_number(t, obj, "jobId"))
		return;
	job->id = number(t, obj, "jobId");
	line(t, obj, "description", job->name, sizeof(job->name));
	if (job->name[0] == '\0')
		line(t, obj, "name", job->name, sizeof(job->name));
	line(t, obj, "status", job->status, sizeof(job->status));
	job->started_us = moment(t, obj, "submissionTime");
	job->ended_us = moment(t, obj, "completionTime");
	job->tasks = (struct rest_count){ number(t, obj, "numTasks"),
		number(t, obj, "numCompletedTasks"), number(t, obj, "numActiveTasks"),
		number(t, obj, "numFailedTasks"), number(t, obj, "numSkippedTasks") };
	take_stage_ids(t, obj, job);
	job->stages = (struct rest_count){ (int64_t)job->n_stage_ids,
		number(t, obj, "numCompletedStages"), number(t, obj, "numActiveStages"),
		number(t, obj, "numFailedStages"), number(t, obj, "numSkippedStages") };
	take_tags(t, obj, job);
	rows->row(rows->arg, job);
}

int rest_jobs(struct cyg_str body, rest_job_fn row, void *arg, struct cyg_err *err)
{
	struct job_rows rows = { row, arg };

	return each(body, read_job, &rows, true, err);
}

/* ---- stages ---- */

struct stage_rows {
	rest_stage_fn row;
	void *arg;
};

static void read_stage(void *arg, const struct tape *t, tape_node obj)
{
	const struct stage_rows *rows = arg;
	struct rest_stage stage = { .id = number(t, obj, "stageId"),
		.attempt = number(t, obj, "attemptId"),
		.tasks = { number(t, obj, "numTasks"), number(t, obj, "numCompleteTasks"),
		    number(t, obj, "numActiveTasks"), number(t, obj, "numFailedTasks"), 0 },
		.input = number(t, obj, "inputBytes"),
		.output = number(t, obj, "outputBytes"),
		.shuffle_read = number(t, obj, "shuffleReadBytes"),
		.shuffle_write = number(t, obj, "shuffleWriteBytes"),
		.spilled = number(t, obj, "diskBytesSpilled") };

	if (!has_number(t, obj, "stageId"))
		return;
	line(t, obj, "name", stage.name, sizeof(stage.name));
	line(t, obj, "status", stage.status, sizeof(stage.status));
	failure_line(t, obj, stage.failure, sizeof(stage.failure));
	rows->row(rows->arg, &stage);
}

int rest_stages(struct cyg_str body, rest_stage_fn row, void *arg, struct cyg_err *err)
{
	struct stage_rows rows = { row, arg };

	return each(body, read_stage, &rows, true, err);
}

/* ---- executors ---- */

struct executor_sums {
	struct rest_executors all, driver;
};

static void add(struct rest_executors *to, const struct tape *t, tape_node obj)
{
	if (tape_get_bool(t, obj, "isActive", false)) {
		to->active++;
		to->cores += number(t, obj, "totalCores");
		to->memory_mb += number(t, obj, "maxMemory") / (1024 * 1024);
		to->running += number(t, obj, "activeTasks");
	}
	to->tasks_ms += number(t, obj, "totalDuration");
	to->input += number(t, obj, "totalInputBytes");
	to->shuffle_read += number(t, obj, "totalShuffleRead");
	to->shuffle_write += number(t, obj, "totalShuffleWrite");
}

static void read_executor(void *arg, const struct tape *t, tape_node obj)
{
	struct executor_sums *sums = arg;
	const bool is_driver = tape_find(t, obj, "id") != TAPE_NONE &&
			       tape_string_eq(t, tape_find(t, obj, "id"), "driver");

	add(is_driver ? &sums->driver : &sums->all, t, obj);
}

int rest_executors(struct cyg_str body, struct rest_executors *ret, struct cyg_err *err)
{
	struct executor_sums sums = { { 0 }, { 0 } };
	int rc = each(body, read_executor, &sums, false, err);

	/* In local mode the driver has the cores; beside executors it has none. */
	*ret = sums.driver.cores > 0 ? sums.driver : sums.all;
	return rc;
}

/* ---- the application ---- */

static void read_app(void *arg, const struct tape *t, tape_node obj)
{
	struct rest_app *app = arg;

	if (app->id[0] != '\0')
		return;
	line(t, obj, "id", app->id, sizeof(app->id));
	line(t, obj, "name", app->name, sizeof(app->name));
}

int rest_app(struct cyg_str body, struct rest_app *ret, struct cyg_err *err)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	int rc;

	*ret = (struct rest_app){ .id = "" };
	rc = each(body, read_app, ret, false, err);
	if (rc == 0 && (ret->id[0] == '\0' || ret->id[strspn(ret->id, letters)] != '\0'))
		rc = cyg_fail(err, CYG_EPROTO, "Spark's REST API names no application");
	return rc;
}

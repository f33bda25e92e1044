/* One look at a driver: questions to its REST API, one after the other, read downwards. Numbers of
 * jobs follow each other, so that what began and ended between two looks is found too. The time
 * that a driver takes to answer holds up nobody but its own next look. */
#include "base/clock.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "kernels/spark/jws.h"
#include "kernels/spark/monitor_priv.h"

#include <stdio.h>
#include <string.h>

enum {
	ANSWER_MAX = 4 * 1024 * 1024,
	TIMEOUT_MS = 5000,
	ASKED_MAX = 40, /* questions of one look */
	TOKEN_S = 60,
	PATH_SIZE = 256,
	STALE_MS = 30 * 1000, /* Spark keeps 1000 jobs: fewer than that come in this time */
};

enum step {
	STEP_APP,
	STEP_RUNNING,
	STEP_NEW_JOB,
	STEP_LAST_JOB,
	STEP_ALL_JOBS,
	STEP_OPEN_JOB,
	STEP_ACTIVE,
	STEP_OPEN_STAGE,
	STEP_EXECUTORS,
	STEP_END
};

static const char unknown[] = "UNKNOWN";

static void set(char status[REST_STATUS_SIZE], const char *word)
{
	(void)cyg_str_copy(status, REST_STATUS_SIZE, cyg_str_of(word));
}

static struct cell *cell_of(struct cyg_link *link)
{
	return CYG_CONTAINER_OF(link, struct cell, link);
}

/* ---- asking ---- */

static struct http_call *ask(
    struct app *a, const char *method, const char *path, struct cyg_str form, http_call_fn done)
{
	cyg_autofree char *token =
	    a->key != NULL ? spark_jws_token(a->key, cyg_clock_wall_us() / 1000000, TOKEN_S, NULL)
			   : NULL;
	cyg_autofree char *authorization = token != NULL ? cyg_xasprintf("Bearer %s", token) : NULL;
	const struct http_call_spec spec = { .loopback_port = (uint16_t)a->port,
		.method = method,
		.target = path,
		.host = "127.0.0.1",
		.content_type = form.len > 0 ? "application/x-www-form-urlencoded" : NULL,
		.body = form,
		.authorization = authorization,
		.timeout_ms = TIMEOUT_MS,
		.body_max = ANSWER_MAX };

	return http_call_start(a->monitor->opts.loop, &spec, done, a);
}

static void on_answer(void *arg, const struct http_result *result);

/* below: "/jobs?status=running" of the application; number < 0: none. */
static void ask_next(struct app *a, const char *below, int64_t number, const char *query)
{
	char path[PATH_SIZE];
	char text[24] = "";

	if (number >= 0)
		(void)snprintf(text, sizeof(text), "/%lld", (long long)number);
	(void)snprintf(path, sizeof(path), "/api/v1/applications%s%s%s%s%s",
	    a->id != NULL ? "/" : "", a->id != NULL ? a->id : "", below, text, query);
	a->asked++;
	a->call = ask(a, "GET", path, CYG_STR(""), on_answer);
}

/* ---- what a look wants to know ---- */

static int64_t find_open_job(const struct app *a)
{
	cyg_list_each (it, &a->cells) {
		const struct cell *c = cell_of(it);

		for (size_t i = 0; c->json == NULL && i < c->n_jobs; i++) {
			if (strcmp(c->jobs[i].status, unknown) == 0)
				return c->jobs[i].id;
		}
	}
	return -1;
}

static int64_t find_open_stage(const struct app *a)
{
	cyg_list_each (it, &a->cells) {
		const struct cell *c = cell_of(it);

		for (size_t i = 0; c->json == NULL && i < c->n_stages; i++) {
			const bool is_pending = strcmp(c->stages[i].status, "PENDING") == 0;

			if (strcmp(c->stages[i].status, unknown) == 0 ||
			    (is_pending && !cell_has_running(c)))
				return c->stages[i].id;
		}
	}
	return -1;
}

/* What runs may have ended since the last look. */
static void doubt(struct app *a)
{
	cyg_list_each (it, &a->cells) {
		struct cell *c = cell_of(it);

		for (size_t i = 0; i < c->n_jobs; i++) {
			if (strcmp(c->jobs[i].status, "RUNNING") == 0)
				set(c->jobs[i].status, unknown);
		}
		for (size_t i = 0; i < c->n_stages; i++) {
			if (strcmp(c->stages[i].status, "ACTIVE") == 0)
				set(c->stages[i].status, unknown);
		}
	}
}

static void finish(struct app *a);

/* Asks what the step wants, or goes on to the next step that wants something. */
static void go_on(struct app *a)
{
	int64_t number;

	if (a->asked >= ASKED_MAX && a->step < STEP_EXECUTORS) {
		a->is_cut = true;
		a->step = STEP_EXECUTORS;
	}
	if (a->step == STEP_APP && a->id == NULL) {
		ask_next(a, "", -1, "");
		return;
	}
	if (a->step <= STEP_RUNNING) {
		a->step = STEP_RUNNING;
		ask_next(a, "/jobs", -1, "?status=running");
		return;
	}
	if (a->step == STEP_NEW_JOB) {
		ask_next(a, "/jobs", a->next_job, "");
		return;
	}
	if (a->step == STEP_LAST_JOB) {
		ask_next(a, "/jobs", a->next_job - 1, "");
		return;
	}
	if (a->step == STEP_ALL_JOBS) {
		ask_next(a, "/jobs", -1, "");
		return;
	}
	if (a->step == STEP_OPEN_JOB && (number = find_open_job(a)) >= 0) {
		ask_next(a, "/jobs", number, "");
		return;
	}
	if (a->step <= STEP_OPEN_JOB || a->step == STEP_ACTIVE) {
		a->step = STEP_ACTIVE;
		ask_next(a, "/stages", -1, "?status=active");
		return;
	}
	if (a->step == STEP_OPEN_STAGE && (number = find_open_stage(a)) >= 0) {
		ask_next(a, "/stages", number, "?details=false");
		return;
	}
	if (a->step <= STEP_EXECUTORS) {
		a->step = STEP_EXECUTORS;
		ask_next(a, "/allexecutors", -1, "");
		return;
	}
	finish(a);
}

/* ---- answers ---- */

static void on_job(void *arg, const struct rest_job *job)
{
	struct app *a = arg;
	struct cell *c = cells_of_job(a, job);

	if (c != NULL)
		cell_take_job(c, job);
}

static void on_stage(void *arg, const struct rest_stage *stage)
{
	struct app *a = arg;

	cyg_list_each (it, &a->cells) {
		if (cell_of(it)->json == NULL)
			cell_take_stage(cell_of(it), stage);
	}
}

/* The driver has forgotten it: it keeps the latest thousand. */
static void forget(struct app *a)
{
	const int64_t job = a->step == STEP_OPEN_JOB ? find_open_job(a) : -1;
	const int64_t stage = a->step == STEP_OPEN_STAGE ? find_open_stage(a) : -1;

	cyg_list_each (it, &a->cells) {
		struct cell *c = cell_of(it);

		for (size_t i = 0; job >= 0 && i < c->n_jobs; i++) {
			if (c->jobs[i].id == job)
				set(c->jobs[i].status, "SUCCEEDED");
		}
		for (size_t i = 0; stage >= 0 && i < c->n_stages; i++) {
			if (c->stages[i].id == stage)
				set(c->stages[i].status, "SKIPPED");
		}
	}
}

static void on_listed_job(void *arg, const struct rest_job *job)
{
	struct app *a = arg;

	if (job->id >= a->next_job)
		a->next_job = job->id + 1;
	on_job(a, job);
}

/* No job has that number: none is newer, or Spark has forgotten it with others after it. */
static enum step after_last_job(struct app *a)
{
	const bool is_stale = a->is_stale;

	a->is_stale = false;
	if (!is_stale)
		return STEP_OPEN_JOB;
	return a->next_job > 0 ? STEP_LAST_JOB : STEP_ALL_JOBS;
}

static int take_app(struct app *a, struct cyg_str body)
{
	struct rest_app app;
	struct cyg_err err;
	int rc = rest_app(body, &app, &err);

	if (rc < 0)
		return rc;
	a->id = cyg_xstrdup(app.id);
	a->name = cyg_xstrdup(app.name);
	app_tell(a);
	return 0;
}

static void add_points(struct app *a)
{
	const int64_t now = cyg_clock_wall_us();

	cyg_list_each (it, &a->cells) {
		struct cell *c = cell_of(it);

		if (c->json == NULL && (!c->is_left || cell_has_running(c)))
			cell_add_point(c, now, a->executors.running, a->executors.active);
	}
}

/* A stage whose driver gives it a status that is not over, although nothing runs, is not asked for
 * again in this look. */
static int take_open_stage(struct app *a, struct cyg_str body)
{
	const int64_t before = find_open_stage(a);
	int rc = rest_stages(body, on_stage, a, NULL);

	if (rc == 0 && find_open_stage(a) == before)
		a->step = STEP_EXECUTORS;
	return rc;
}

static int take_open_job(struct app *a, struct cyg_str body)
{
	const int64_t before = find_open_job(a);
	int rc = rest_jobs(body, on_job, a, NULL);

	if (rc == 0 && find_open_job(a) == before)
		a->step = STEP_ACTIVE;
	return rc;
}

static int take(struct app *a, struct cyg_str body)
{
	switch (a->step) {
	case STEP_APP:
		a->step = STEP_RUNNING;
		return take_app(a, body);
	case STEP_RUNNING:
		a->step = STEP_NEW_JOB;
		return rest_jobs(body, on_job, a, NULL);
	case STEP_NEW_JOB:
		a->next_job++;
		return rest_jobs(body, on_job, a, NULL);
	case STEP_LAST_JOB: /* it is still there, so its successor was not forgotten */
		a->step = STEP_OPEN_JOB;
		return 0;
	case STEP_ALL_JOBS:
		a->step = STEP_OPEN_JOB;
		return rest_jobs(body, on_listed_job, a, NULL);
	case STEP_OPEN_JOB:
		return take_open_job(a, body);
	case STEP_ACTIVE:
		a->step = STEP_OPEN_STAGE;
		return rest_stages(body, on_stage, a, NULL);
	case STEP_OPEN_STAGE:
		return take_open_stage(a, body);
	case STEP_EXECUTORS:
		a->step = STEP_END;
		if (rest_executors(body, &a->executors, NULL) == 0)
			add_points(a);
		return 0;
	default:
		return 0;
	}
}

static void on_answer(void *arg, const struct http_result *result)
{
	struct app *a = arg;
	int rc = 0;

	a->call = NULL;
	if (result->status == 404 && a->step == STEP_NEW_JOB)
		a->step = (int)after_last_job(a);
	else if (result->status == 404 && a->step == STEP_LAST_JOB)
		a->step = STEP_ALL_JOBS;
	else if (result->err.code == CYG_ELIMIT && a->step == STEP_ALL_JOBS)
		a->step = STEP_OPEN_JOB; /* a list that is too long: what runs is known without */
	else if (result->status == 404 && (a->step == STEP_OPEN_JOB || a->step == STEP_OPEN_STAGE))
		forget(a);
	else if (result->status != 200)
		rc = -(int)CYG_EPROTO;
	else
		rc = take(a, result->body);
	if (rc == 0) {
		go_on(a);
		return;
	}
	if (a->failures++ == 0)
		cyg_log_warn("spark", "the driver of session %s does not tell of its jobs: %s",
		    a->session, result->status == 0 ? result->err.msg : "an unexpected response");
	monitor_wake(a->monitor);
}

/* ---- the end of a look ---- */

static bool is_over(const struct cell *c)
{
	return c->is_left && !cell_has_running(c) && cell_open_stage(c) < 0;
}

static void finish(struct app *a)
{
	a->failures = 0;
	a->looked_ms = cyg_clock_mono_ms();
	cyg_list_each_safe (it, &a->cells) {
		struct cell *c = cell_of(it);

		if (c->json != NULL)
			continue;
		if (c->is_left && c->n_jobs == 0 && !a->is_cut) { /* it had no jobs */
			cyg_list_remove(&a->cells, it);
			cell_free(c);
			continue;
		}
		if (is_over(c) && !a->is_cut)
			cell_finish(c, cyg_clock_wall_us());
		if (c->n_jobs > 0)
			app_tell_cell(a, c);
		if (is_over(c) && !a->is_cut)
			cell_keep(a, c);
	}
	if (a->is_cut) /* there is more to ask for: at once */
		a->looked_ms = 0;
	app_tell(a);
	monitor_wake(a->monitor);
}

void app_look(struct app *a)
{
	if (a->call != NULL || !a->is_running)
		return;
	a->asked = 0;
	a->is_cut = false;
	a->step = STEP_APP;
	a->is_stale = cyg_clock_mono_ms() - a->looked_ms >= STALE_MS;
	a->looked_ms = cyg_clock_mono_ms();
	doubt(a);
	go_on(a);
}

/* Until its number is known, and while a run is not over. */
bool app_has_work(const struct app *a)
{
	if (!a->is_running)
		return false;
	cyg_list_each (it, &a->cells) {
		if (cell_of(it)->json == NULL)
			return true;
	}
	return false;
}

/* ---- ending jobs ---- */

static void next_cancel(struct app *a);

static void on_killed(void *arg, const struct http_result *result)
{
	struct app *a = arg;

	a->cancel = NULL;
	if (result->status == 0 || result->status >= 400)
		cyg_log_warn("spark", "a job of session %s cannot be ended (status %d)", a->session,
		    result->status);
	next_cancel(a);
}

/* The form of a page holds a word that has to come back with it; older versions have none. */
static void on_page(void *arg, const struct http_result *result)
{
	static const char mark[] = "name=\"csrfToken\" value=\"";
	struct app *a = arg;
	char token[65] = "";
	char form[160];
	const char *at = result->status == 200
			     ? memmem(result->body.p, result->body.len, mark, sizeof(mark) - 1)
			     : NULL;

	a->cancel = NULL;
	if (at != NULL) {
		const size_t from = (size_t)(at - result->body.p) + sizeof(mark) - 1;

		for (size_t i = 0; i + 1 < sizeof(token) && from + i < result->body.len; i++) {
			const char ch = result->body.p[from + i];

			if (strchr("0123456789abcdefABCDEF-", ch) == NULL)
				break;
			token[i] = ch;
		}
	}
	(void)snprintf(form, sizeof(form), "id=%lld%s%s", (long long)a->cancel_jobs[--a->n_cancel],
	    token[0] != '\0' ? "&csrfToken=" : "", token);
	a->cancel = ask(a, "POST", "/jobs/job/kill/", cyg_str_of(form), on_killed);
}

static void next_cancel(struct app *a)
{
	if (a->n_cancel > 0)
		a->cancel = ask(a, "GET", "/jobs/", CYG_STR(""), on_page);
	else
		app_look(a);
}

void app_cancel_jobs(struct app *a)
{
	if (a->cancel == NULL && a->is_running)
		next_cancel(a);
}

void app_stop(struct app *a)
{
	http_call_cancel(CYG_TAKE(a->call));
	http_call_cancel(CYG_TAKE(a->cancel));
	a->n_cancel = 0;
}

/* What a driver's REST API says, and what follows for the run of a cell. */
#include "base/mem.h"
#include "kernels/spark/jws.h"
#include "kernels/spark/monitor_priv.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#define JOB                                                                                        \
	"{\"jobId\":7,\"name\":\"collect at x.py:1\",\"submissionTime\":\"2026-11-24T05:50:22."    \
	"144GMT\",\"stageIds\":[3,4],\"jobTags\":[\"spark-session-1\",\"cyg-cell-abc\","           \
	"\"SparkConnect_Tag_cyg-msg-m1\"],\"status\":\"RUNNING\",\"numTasks\":40,"                 \
	"\"numActiveTasks\":1,\"numCompletedTasks\":2,\"numSkippedTasks\":0,\"numFailedTasks\":0," \
	"\"numActiveStages\":1,\"numCompletedStages\":0,\"unknown\":{\"a\":[1]}}"

static struct rest_job job;
static struct rest_stage stage;
static unsigned rows;
static struct cyg_err err;

static void on_job(void *arg, const struct rest_job *one)
{
	job = *one;
	rows++;
}

static void on_stage(void *arg, const struct rest_stage *one)
{
	stage = *one;
	rows++;
}

START_TEST(test_job_is_read)
{
	rows = 0;
	ck_assert_int_eq(
	    rest_jobs(CYG_STR("[" JOB ", 3, {}, {\"jobId\":-1}]"), on_job, NULL, &err), 0);
	ck_assert_uint_eq(rows, 1);
	ck_assert_int_eq(rest_jobs(CYG_STR(JOB), on_job, NULL, &err), 0);
	ck_assert_int_eq(job.id, 7);
	ck_assert_str_eq(job.name, "collect at x.py:1");
	ck_assert_str_eq(job.status, "RUNNING");
	ck_assert_str_eq(job.msg, "m1");
	ck_assert_int_eq(job.tasks.total, 40);
	ck_assert_int_eq(job.tasks.done, 2);
	ck_assert_uint_eq(job.n_stage_ids, 2);
	ck_assert(job.started_us > 0 && job.ended_us == 0);
}
END_TEST

START_TEST(test_stage_has_the_first_line_of_its_failure)
{
	ck_assert_int_eq(
	    rest_stages(CYG_STR("[{\"stageId\":3,\"attemptId\":1,\"status\":\"FAILED\","
				"\"numTasks\":4,\"numCompleteTasks\":3,\"inputBytes\":10,"
				"\"failureReason\":\"Job aborted\\n\\tat java\"}]"),
		on_stage, NULL, &err),
	    0);
	ck_assert_int_eq(stage.id, 3);
	ck_assert_str_eq(stage.failure, "Job aborted");
	ck_assert_int_eq(stage.tasks.done, 3);
	ck_assert_int_eq(stage.input, 10);
}
END_TEST

START_TEST(test_failure_in_python_is_its_own_error)
{
	ck_assert_int_eq(
	    rest_stages(
		CYG_STR(
		    "[{\"stageId\":1,\"failureReason\":\"x: Traceback (most recent call last):\\n"
		    "  File \\\"a.py\\\", line 1\\n    1 // 0\\nZeroDivisionError: by "
		    "zero\\n\\tat java\"}]"),
		on_stage, NULL, &err),
	    0);
	ck_assert_str_eq(stage.failure, "ZeroDivisionError: by zero");
}
END_TEST

START_TEST(test_what_is_no_list_is_refused)
{
	static const char *const texts[] = { "", "1", "\"x\"", "null", "[", "{" };

	for (size_t i = 0; i < CYG_N(texts); i++)
		ck_assert_msg(
		    rest_jobs(cyg_str_of(texts[i]), on_job, NULL, &err) < 0, "%s", texts[i]);
}
END_TEST

START_TEST(test_wrong_values_count_as_nothing)
{
	ck_assert_int_eq(rest_jobs(CYG_STR("[{\"jobId\":5,\"name\":7,\"stageIds\":{},"
					   "\"submissionTime\":\"never\",\"numTasks\":1e99,"
					   "\"jobTags\":[1,null]}]"),
			     on_job, NULL, &err),
	    0);
	ck_assert_int_eq(job.id, 5);
	ck_assert_int_eq(job.tasks.total, 0);
	ck_assert_str_eq(job.name, "");
	ck_assert_int_eq(job.started_us, 0);
	ck_assert_str_eq(job.msg, "");
}
END_TEST

START_TEST(test_numbers_that_cannot_be_added_up_are_not_believed)
{
	struct rest_executors all;

	ck_assert_int_eq(rest_executors(CYG_STR("[{\"id\":\"1\",\"isActive\":true,\"totalCores\":"
						"9223372036854775807},{\"id\":\"2\",\"isActive\":"
						"true,\"totalCores\":9223372036854775807}]"),
			     &all, &err),
	    0);
	ck_assert_int_eq(all.active, 2);
	ck_assert_int_eq(all.cores, 0);
}
END_TEST

START_TEST(test_rows_come_oldest_first)
{
	ck_assert_int_eq(
	    rest_jobs(CYG_STR("[{\"jobId\":2},{\"jobId\":1}]"), on_job, NULL, &err), 0);
	ck_assert_int_eq(job.id, 2);
}
END_TEST

START_TEST(test_executors_without_the_driver)
{
	struct rest_executors e;

	ck_assert_int_eq(
	    rest_executors(CYG_STR("[{\"id\":\"driver\",\"isActive\":true,\"totalCores\":0},"
				   "{\"id\":\"0\",\"isActive\":true,\"totalCores\":2,"
				   "\"activeTasks\":1},{\"id\":\"1\",\"isActive\":false,"
				   "\"totalCores\":2,\"totalDuration\":5}]"),
		&e, &err),
	    0);
	ck_assert_int_eq(e.active, 1);
	ck_assert_int_eq(e.cores, 2);
	ck_assert_int_eq(e.running, 1);
	ck_assert_int_eq(e.tasks_ms, 5);
	ck_assert_int_eq(rest_executors(CYG_STR("[{\"id\":\"driver\",\"isActive\":true,"
						"\"totalCores\":2}]"),
			     &e, &err),
	    0);
	ck_assert_int_eq(e.cores, 2);
}
END_TEST

START_TEST(test_application_id_is_part_of_paths)
{
	struct rest_app app;

	ck_assert_int_eq(
	    rest_app(CYG_STR("[{\"id\":\"app-2026-0001\",\"name\":\"n\"}]"), &app, &err), 0);
	ck_assert_str_eq(app.id, "app-2026-0001");
	ck_assert_int_lt(rest_app(CYG_STR("[{\"id\":\"../x\"}]"), &app, &err), 0);
	ck_assert_int_lt(rest_app(CYG_STR("[]"), &app, &err), 0);
}
END_TEST

/* As another implementation (Python's hmac) signs it. */
START_TEST(test_token_of_the_ui)
{
	cyg_autofree char *token =
	    spark_jws_token("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g", 1000, 60, &err);

	ck_assert_ptr_nonnull(token);
	ck_assert_str_eq(token, "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjEwNjB9.QBpFxJ"
				"oqP4eQdmbh50f2gXQE0IVYzHneIbKNyDxY9k4");
	ck_assert_ptr_null(spark_jws_token("no base64!", 1000, 60, &err));
}
END_TEST

/* ---- runs of cells ---- */

static struct rest_job job_of(int64_t id, const char *status)
{
	struct rest_job one = { .id = id, .n_stage_ids = 1, .stage_ids = { id * 10 } };

	(void)snprintf(one.status, sizeof(one.status), "%s", status);
	return one;
}

static struct rest_stage stage_of(int64_t id, const char *status, const char *failure)
{
	struct rest_stage one = { .id = id };

	(void)snprintf(one.status, sizeof(one.status), "%s", status);
	(void)snprintf(one.failure, sizeof(one.failure), "%s", failure);
	return one;
}

static enum cell_state end_of(const char *status, const char *failure)
{
	struct cell *c = cell_new("c", "m");
	const struct rest_job one = job_of(1, status);
	const struct rest_stage two = stage_of(10, "FAILED", failure);
	enum cell_state state;

	cell_take_job(c, &one);
	cell_take_stage(c, &two);
	cell_finish(c, 1);
	state = c->state;
	cell_free(c);
	return state;
}

START_TEST(test_how_a_run_ended)
{
	ck_assert_int_eq(end_of("SUCCEEDED", ""), CELL_SUCCEEDED);
	ck_assert_int_eq(end_of("FAILED", "Job aborted due to stage failure"), CELL_FAILED);
	ck_assert_int_eq(end_of("FAILED", "Job 1 cancelled part of tags"), CELL_CANCELLED);
	ck_assert_int_eq(end_of("RUNNING", ""), CELL_FAILED);
}
END_TEST

START_TEST(test_jobs_and_stages_of_a_run)
{
	struct cell *c = cell_new("c", "m");
	struct rest_job one = job_of(1, "RUNNING");
	const struct rest_stage two = stage_of(10, "COMPLETE", "");
	const struct rest_stage other = stage_of(99, "COMPLETE", "");

	cell_take_job(c, &one);
	cell_take_job(c, &one);
	ck_assert_uint_eq(c->n_jobs, 1);
	ck_assert_int_eq(cell_open_job(c), 1);
	ck_assert_int_eq(cell_open_stage(c), 10);
	cell_take_stage(c, &other); /* of nobody here */
	ck_assert_uint_eq(c->n_stages, 1);
	cell_take_stage(c, &two);
	one = job_of(1, "SUCCEEDED");
	cell_take_job(c, &one);
	ck_assert_int_eq(cell_open_job(c), -1);
	ck_assert_int_eq(cell_open_stage(c), -1);
	for (int64_t i = 0; i < 2 * MONITOR_JOBS_MAX; i++) {
		one = job_of(i, "RUNNING");
		cell_take_job(c, &one);
	}
	ck_assert_uint_eq(c->n_jobs, MONITOR_JOBS_MAX);
	cell_free(c);
}
END_TEST

START_TEST(test_older_jobs_and_stages_are_counted_once_and_forgotten)
{
	struct cell *c = cell_new("c", "m");

	for (int round = 0; round < 2; round++)
		for (int64_t i = 0; i < 3 * MONITOR_JOBS_MAX; i++) {
			const struct rest_job one = job_of(i, "SUCCEEDED");
			const struct rest_stage two = stage_of(i * 10, "COMPLETE", "");

			cell_take_job(c, &one);
			cell_take_stage(c, &two);
		}
	ck_assert_uint_eq(c->n_jobs, MONITOR_JOBS_MAX);
	ck_assert_uint_eq(c->n_stages, MONITOR_STAGES_MAX);
	ck_assert_int_eq(c->past_jobs.done, 2 * MONITOR_JOBS_MAX);
	ck_assert_int_eq(c->jobs[0].id, 2 * MONITOR_JOBS_MAX);
	ck_assert_int_eq(cell_open_stage(c), -1);
	cell_free(c);
}
END_TEST

START_TEST(test_plot_keeps_its_whole_time)
{
	struct cell *c = cell_new("c", "m");

	for (int64_t i = 0; i < 10000; i++)
		cell_add_point(c, c->started_us + i * 1000000, 1, 1);
	ck_assert_uint_le(c->n_plot, MONITOR_PLOT_MAX);
	ck_assert_uint_ge(c->n_plot, MONITOR_PLOT_MAX / 2);
	ck_assert_int_eq(c->plot[0].ms, 0);
	ck_assert_int_gt(c->plot[c->n_plot - 1].ms, 9800 * 1000);
	for (size_t i = 1; i < c->n_plot; i++)
		ck_assert_int_gt(c->plot[i].ms, c->plot[i - 1].ms);
	cell_free(c);
}
END_TEST

START_TEST(test_untagged_jobs_belong_to_the_cell_of_their_time)
{
	struct app a = { 0 };
	struct cell *first = cell_new("1", "m1");
	struct cell *second = cell_new("2", "m2");
	struct rest_job one = job_of(1, "RUNNING");

	cyg_list_init(&a.cells);
	cyg_list_add(&a.cells, &first->link);
	cyg_list_add(&a.cells, &second->link);
	first->is_left = true;
	one.started_us = second->started_us + 1;
	ck_assert_ptr_eq(cells_of_job(&a, &one), second);
	(void)cyg_str_copy(one.msg, sizeof(one.msg), CYG_STR("m1"));
	ck_assert_ptr_eq(cells_of_job(&a, &one), first);
	(void)cyg_str_copy(one.msg, sizeof(one.msg), CYG_STR("m3"));
	ck_assert_ptr_null(cells_of_job(&a, &one));
	one.msg[0] = '\0';
	one.started_us = 1;
	ck_assert_ptr_null(cells_of_job(&a, &one));
	cell_free(first);
	cell_free(second);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("spark_rest");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, test_job_is_read);
	tcase_add_test(tc, test_stage_has_the_first_line_of_its_failure);
	tcase_add_test(tc, test_failure_in_python_is_its_own_error);
	tcase_add_test(tc, test_what_is_no_list_is_refused);
	tcase_add_test(tc, test_wrong_values_count_as_nothing);
	tcase_add_test(tc, test_numbers_that_cannot_be_added_up_are_not_believed);
	tcase_add_test(tc, test_rows_come_oldest_first);
	tcase_add_test(tc, test_executors_without_the_driver);
	tcase_add_test(tc, test_application_id_is_part_of_paths);
	tcase_add_test(tc, test_token_of_the_ui);
	tcase_add_test(tc, test_how_a_run_ended);
	tcase_add_test(tc, test_jobs_and_stages_of_a_run);
	tcase_add_test(tc, test_older_jobs_and_stages_are_counted_once_and_forgotten);
	tcase_add_test(tc, test_plot_keeps_its_whole_time);
	tcase_add_test(tc, test_untagged_jobs_belong_to_the_cell_of_their_time);
	suite_add_tcase(s, tc);

	SRunner *r = srunner_create(s);

	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}

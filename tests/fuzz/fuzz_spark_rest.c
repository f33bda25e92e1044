/* What a driver says of itself: whatever it is, a run of a cell takes it within its bounds, and
 * what is told of it is JSON. */
#include "base/mem.h"
#include "kernels/base/tape.h"
#include "kernels/spark/monitor_priv.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_job(void *arg, const struct rest_job *job)
{
	cell_take_job(arg, job);
}

static void on_stage(void *arg, const struct rest_stage *stage)
{
	cell_take_stage(arg, stage);
}

static void check_json(const struct cell *c)
{
	cyg_autobuf struct cyg_buf out;
	struct jsonw w;
	struct tape *t = NULL;

	cyg_buf_init(&out, 1 << 20);
	jsonw_init(&w, &out);
	cell_write(c, "k", &w);
	if (jsonw_finish(&w, NULL) < 0 || tape_parse(cyg_buf_str(&out), &t, NULL, NULL) < 0)
		abort();
	tape_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct cyg_str text = { (const char *)data, size };
	struct cell *c = cell_new("c", "m");
	struct rest_executors executors;
	struct rest_app app;

	(void)rest_jobs(text, on_job, c, NULL);
	(void)rest_stages(text, on_stage, c, NULL);
	(void)rest_executors(text, &executors, NULL);
	(void)rest_app(text, &app, NULL);
	if (c->n_jobs > MONITOR_JOBS_MAX || c->n_stages > MONITOR_STAGES_MAX)
		abort();
	cell_finish(c, 1);
	check_json(c);
	cell_free(c);
	return 0;
}

/* Fuzz target: what a server reports of its Spark sessions. Whatever is taken can be summed and is
 * bounded; what is refused is refused with a sentence. */
#include "base/mem.h"
#include "hub/api/spark_report.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_number(double value)
{
	if (!isfinite(value) || value < 0 || value > (double)(1LL << 50))
		abort();
}

static void check_ended(const struct spark_report_ended *e)
{
	if (e->session[0] == '\0' || strlen(e->session) > SPARK_SESSION_ID_MAX ||
	    e->cluster[0] == '\0' || strlen(e->why) > SPARK_REPORT_WHY_MAX || e->seconds < 0 ||
	    spark_flavour_name(e->flavour) == NULL)
		abort();
}

static void check(const struct spark_report *r)
{
	if (r->cluster[0] == '\0' || r->n_ended > SPARK_REPORT_ENDED_MAX)
		abort();
	for (size_t i = 0; i < ACCOUNT_GAUGES; i++)
		check_number(r->figures.gauges[i]);
	for (size_t i = 0; i < ACCOUNT_COUNTERS; i++)
		check_number(r->figures.counters[i]);
	for (size_t i = 0; i < r->n_ended; i++)
		check_ended(&r->ended[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *body = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	struct spark_report report;
	struct cyg_err err = { .msg = "" };

	if (spark_report_read(body, &report, &err) == 0)
		check(&report);
	else if (err.msg[0] == '\0')
		abort();
	json_decref(body);
	return 0;
}

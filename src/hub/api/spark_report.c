/* Reads a report of a server. Each number has a maximum: of gauges what a large cluster has, of
 * counters what it does within a day. So sums stay numbers, whatever a server says; a server that
 * has more to tell divides it. */
#include "hub/api/spark_report.h"

#include "base/mem.h"
#include "cygnet/limits.h"

#include <string.h>

static const struct {
	const char *name;
	json_int_t max;
} gauges[ACCOUNT_GAUGES] = {
	[ACCOUNT_SESSIONS] = { "sessions", 1000 },
	[ACCOUNT_APPS] = { "apps", 1000 },
	[ACCOUNT_EXECUTORS] = { "executors", 100 * 1000 },
	[ACCOUNT_CORES] = { "cores", 1000 * 1000 },
};

static const struct {
	const char *name;
	json_int_t max;
	bool whole;
} counters[ACCOUNT_COUNTERS] = {
	[ACCOUNT_CORE_SECONDS] = { "core_seconds", 100LL * 1000 * 1000, false },
	[ACCOUNT_INPUT_BYTES] = { "input_bytes", 1LL << 50, true },
	[ACCOUNT_SHUFFLE_READ_BYTES] = { "shuffle_read_bytes", 1LL << 50, true },
	[ACCOUNT_SHUFFLE_WRITE_BYTES] = { "shuffle_write_bytes", 1LL << 50, true },
};

static const json_int_t seconds_max = 10LL * 366 * 24 * 3600;

/* ---- one member ---- */

/* 0 when it is not there. */
static int read_whole(
    const json_t *from, const char *name, json_int_t max, json_int_t *ret, struct cyg_err *err)
{
	const json_t *v = json_object_get(from, name);

	*ret = json_integer_value(v);
	if (v != NULL && (!json_is_integer(v) || *ret < 0 || *ret > max))
		return cyg_fail(err, CYG_EINVAL, "%s must be a whole number from 0 to %lld", name,
		    (long long)max);
	return 0;
}

static int read_real(
    const json_t *from, const char *name, json_int_t max, double *ret, struct cyg_err *err)
{
	const json_t *v = json_object_get(from, name);

	*ret = json_number_value(v);
	/* Also false when it is no number at all. */
	if (v != NULL && !(json_is_number(v) && *ret >= 0 && *ret <= (double)max))
		return cyg_fail(
		    err, CYG_EINVAL, "%s must be a number from 0 to %lld", name, (long long)max);
	return 0;
}

/* A text of 1 to max bytes. */
static int read_text(
    const json_t *from, const char *name, size_t max, const char **ret, struct cyg_err *err)
{
	const json_t *v = json_object_get(from, name);
	const size_t len = json_string_length(v);

	if (len == 0 || len > max)
		return cyg_fail(err, CYG_EINVAL, "%s must be a text of 1 to %zu bytes", name, max);
	*ret = json_string_value(v);
	return 0;
}

/* ---- sessions that ended ---- */

static int check_session(const char *id, struct cyg_err *err)
{
	static const char signs[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	if (id[strspn(id, signs)] != '\0')
		return cyg_fail(err, CYG_EINVAL,
		    "session may hold letters, digits, dots, dashes and underscores");
	return 0;
}

static int read_flavour(const json_t *from, enum spark_flavour *ret, struct cyg_err *err)
{
	const char *name = json_string_value(json_object_get(from, "flavour"));

	if (name == NULL || !spark_flavour_find(name, ret))
		return cyg_fail(err, CYG_EINVAL, "flavour must be classic or connect");
	return 0;
}

static int read_one_ended(const json_t *from, const char *usual_cluster,
    struct spark_report_ended *ret, struct cyg_err *err)
{
	json_int_t seconds = 0;

	ret->cluster = usual_cluster;
	if (read_text(from, "session", SPARK_SESSION_ID_MAX, &ret->session, err) < 0 ||
	    check_session(ret->session, err) < 0 || read_flavour(from, &ret->flavour, err) < 0 ||
	    read_text(from, "why", SPARK_REPORT_WHY_MAX, &ret->why, err) < 0 ||
	    read_whole(from, "seconds", seconds_max, &seconds, err) < 0)
		return -(int)CYG_EINVAL;
	ret->seconds = seconds;
	if (json_object_get(from, "cluster") == NULL)
		return 0;
	return read_text(from, "cluster", CYG_NAME_MAX - 1, &ret->cluster, err);
}

static int read_ended(const json_t *body, struct spark_report *r, struct cyg_err *err)
{
	const json_t *list = json_object_get(body, "ended");
	const size_t n = json_array_size(list);

	if (list != NULL && (!json_is_array(list) || n > SPARK_REPORT_ENDED_MAX))
		return cyg_fail(err, CYG_EINVAL, "ended must be a list of at most %d sessions",
		    SPARK_REPORT_ENDED_MAX);
	for (size_t i = 0; i < n; i++) {
		if (read_one_ended(json_array_get(list, i), r->cluster, &r->ended[i], err) < 0)
			return cyg_wrap(err, "ended[%zu]", i);
	}
	r->n_ended = n;
	return 0;
}

/* ---- the whole ---- */

static int read_gauges(const json_t *body, struct account_figures *f, struct cyg_err *err)
{
	json_int_t value = 0;

	for (size_t i = 0; i < ACCOUNT_GAUGES; i++) {
		if (read_whole(body, gauges[i].name, gauges[i].max, &value, err) < 0)
			return -(int)CYG_EINVAL;
		f->gauges[i] = (double)value;
		f->told[i] = json_object_get(body, gauges[i].name) != NULL;
	}
	return 0;
}

static int read_counters(const json_t *body, struct account_figures *f, struct cyg_err *err)
{
	json_int_t value = 0;

	for (size_t i = 0; i < ACCOUNT_COUNTERS; i++) {
		if (counters[i].whole
			? read_whole(body, counters[i].name, counters[i].max, &value, err) < 0
			: read_real(body, counters[i].name, counters[i].max, &f->counters[i], err) <
			      0)
			return -(int)CYG_EINVAL;
		if (counters[i].whole)
			f->counters[i] = (double)value;
	}
	return 0;
}

int spark_report_read(const json_t *body, struct spark_report *ret, struct cyg_err *err)
{
	struct spark_report r = { .n_ended = 0 };

	if (!json_is_object(body))
		return cyg_fail(err, CYG_EINVAL, "The report must be a JSON object.");
	if (read_text(body, "cluster", CYG_NAME_MAX - 1, &r.cluster, err) < 0 ||
	    read_gauges(body, &r.figures, err) < 0 || read_counters(body, &r.figures, err) < 0 ||
	    read_ended(body, &r, err) < 0)
		return -(int)CYG_EINVAL;
	*ret = r;
	return 0;
}

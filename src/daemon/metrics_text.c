/* A table of metrics as Prometheus text format 0.0.4: families in the order of the table, each with
 * its HELP and TYPE line, then its series. */
#include "daemon/metrics_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const type_names[] = { "counter", "gauge", "histogram" };

/* The shortest of two forms that reads back as the same number. */
static int add_number(struct cyg_buf *out, double value, struct cyg_err *err)
{
	char text[40];

	if (isnan(value))
		return cyg_buf_add_str(out, "NaN", err);
	if (isinf(value))
		return cyg_buf_add_str(out, value > 0 ? "+Inf" : "-Inf", err);
	(void)snprintf(text, sizeof(text), "%.15g", value);
	const double back = strtod(text, NULL);
	if (back < value || back > value)
		(void)snprintf(text, sizeof(text), "%.17g", value);
	return cyg_buf_add_str(out, text, err);
}

/* Backslash and line feed, in label values the double quote too. */
static int add_escaped(struct cyg_buf *out, const char *text, bool quote, struct cyg_err *err)
{
	int rc = 0;

	for (; rc == 0 && *text != '\0'; text++) {
		if (*text == '\n')
			rc = cyg_buf_add_str(out, "\\n", err);
		else if (*text == '\\' || (quote && *text == '"'))
			rc = cyg_buf_printf(out, err, "\\%c", *text);
		else
			rc = cyg_buf_add(out, text, 1, err);
	}
	return rc;
}

struct line {
	const struct metrics *m;
	const struct metric_def *def;
	size_t series;      /* among the metric's own */
	const char *suffix; /* "", "_bucket", "_sum", "_count" */
	const double *le;   /* of a bucket; NULL: none */
};

/* {a="x",b="y",le="0.5"}, or nothing. The index of the last label moves fastest. */
static int add_labels(struct cyg_buf *out, const struct line *l, struct cyg_err *err)
{
	size_t below = metric_n_series(l->def);
	size_t rest = l->series;
	const char *sep = "{";
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < METRIC_LABELS_MAX && l->def->labels[i].name != NULL;
	     i++) {
		const struct metric_label *label = &l->def->labels[i];

		below /= metric_n_values(label);
		rc = cyg_buf_printf(out, err, "%s%s=\"", sep, label->name);
		if (rc == 0)
			rc = add_escaped(out, metric_value(l->m, label, rest / below), true, err);
		if (rc == 0)
			rc = cyg_buf_add_str(out, "\"", err);
		rest %= below;
		sep = ",";
	}
	if (rc == 0 && l->le != NULL) {
		rc = cyg_buf_printf(out, err, "%sle=\"", sep);
		if (rc == 0)
			rc = add_number(out, *l->le, err);
		if (rc == 0)
			rc = cyg_buf_add_str(out, "\"", err);
		sep = ",";
	}
	return rc == 0 && sep[0] == ',' ? cyg_buf_add_str(out, "}", err) : rc;
}

static int add_line(struct cyg_buf *out, struct line l, double value, struct cyg_err *err)
{
	if (cyg_buf_printf(out, err, "%s%s", l.def->name, l.suffix) < 0 ||
	    add_labels(out, &l, err) < 0 || cyg_buf_add_str(out, " ", err) < 0 ||
	    add_number(out, value, err) < 0 || cyg_buf_add_str(out, "\n", err) < 0)
		return -CYG_ELIMIT;
	return 0;
}

static int add_histogram(
    struct cyg_buf *out, struct line l, const struct metric_series *s, struct cyg_err *err)
{
	const double infinite = (double)INFINITY;
	const size_t n = metric_n_bounds(l.def);
	uint64_t sum = 0;

	for (size_t i = 0; i <= n; i++) {
		const struct line bucket = { l.m, l.def, l.series, "_bucket",
			i < n ? &l.def->bounds[i] : &infinite };

		sum += s->counts != NULL ? s->counts[i] : 0;
		if (add_line(out, bucket, (double)sum, err) < 0)
			return -CYG_ELIMIT;
	}
	l.suffix = "_sum";
	if (add_line(out, l, s->value, err) < 0)
		return -CYG_ELIMIT;
	l.suffix = "_count";
	return add_line(out, l, (double)sum, err);
}

static int add_head(struct cyg_buf *out, const struct metric_def *def, struct cyg_err *err)
{
	if (cyg_buf_printf(out, err, "# HELP %s ", def->name) < 0 ||
	    add_escaped(out, def->help, false, err) < 0)
		return -CYG_ELIMIT;
	return cyg_buf_printf(out, err, "\n# TYPE %s %s\n", def->name, type_names[def->type]);
}

static int add_family(const struct metrics *m, size_t id, struct cyg_buf *out, struct cyg_err *err)
{
	const struct metric_def *def = &m->table[id];
	const size_t n = metric_n_series(def);
	int rc = add_head(out, def, err);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		const struct metric_series *s = &m->series[m->rows[id].first + i];

		const struct line l = { m, def, i, "", NULL };

		if (def->sparse && !s->touched)
			continue;
		rc = def->type == METRIC_HISTOGRAM ? add_histogram(out, l, s, err)
						   : add_line(out, l, s->value, err);
	}
	return rc;
}

int metrics_write(const struct metrics *m, struct cyg_buf *out, struct cyg_err *err)
{
	const size_t before = out->len;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < m->n; i++)
		rc = add_family(m, i, out, err);
	if (rc < 0) {
		out->len = before;
		out->data[before] = '\0';
	}
	return rc;
}

int metrics_describe(const struct metric_def *table, struct cyg_buf *out, struct cyg_err *err)
{
	int rc = 0;

	for (const struct metric_def *def = table; rc == 0 && def->name != NULL; def++) {
		rc = cyg_buf_printf(out, err, "| `%s` | %s | ", def->name, type_names[def->type]);
		for (size_t i = 0; rc == 0 && i < METRIC_LABELS_MAX; i++)
			if (def->labels[i].name != NULL)
				rc = cyg_buf_printf(
				    out, err, "%s`%s`", i > 0 ? ", " : "", def->labels[i].name);
		if (rc == 0)
			rc = cyg_buf_printf(out, err, " | %s |\n", def->help);
	}
	return rc;
}

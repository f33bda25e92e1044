/* The values behind a table of metrics: one array of series, found by a row's first series and the
 * indexes of its labels. Written as text in metrics_text.c. */
#include "daemon/metrics.h"

#include "base/clock.h"
#include "base/mem.h"
#include "daemon/metrics_internal.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

const double metric_bounds_loop[] = { 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
	0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 0 };
const double metric_bounds_request[] = { 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1,
	2.5, 5, 7.5, 10, 0 };
const double metric_bounds_server[] = { 0.5, 1, 2.5, 5, 10, 15, 30, 60, 120, 180, 300, 600, 0 };

size_t metric_n_values(const struct metric_label *label)
{
	size_t n = 0;

	while (label->values[n] != NULL)
		n++;
	return n;
}

size_t metric_n_bounds(const struct metric_def *def)
{
	size_t n = 0;

	while (def->bounds != NULL && def->bounds[n] > 0)
		n++;
	return n;
}

size_t metric_n_series(const struct metric_def *def)
{
	size_t n = 1;

	for (size_t i = 0; i < METRIC_LABELS_MAX && def->labels[i].name != NULL; i++)
		n *= metric_n_values(&def->labels[i]);
	return n;
}

/* [a-z_][a-z0-9_]*: stricter than the format; the same rule for metrics and labels. */
static bool is_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < 100 && isdigit((unsigned char)name[0]) == 0 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == len;
}

static int check_name(const struct metric_def *def, struct cyg_err *err)
{
	struct cyg_str rest = cyg_str_of(def->name);
	bool total = cyg_str_ends(rest, "_total");

	if (!is_name(def->name))
		return cyg_fail(err, CYG_EINVAL, "'%.80s' cannot be a metric's name", def->name);
	if (total != (def->type == METRIC_COUNTER))
		return cyg_fail(
		    err, CYG_EINVAL, "%s: counters, and they alone, end in _total", def->name);
	if (total)
		rest.len -= strlen("_total");
	if (def->unit != NULL && !cyg_str_ends(rest, def->unit))
		return cyg_fail(
		    err, CYG_EINVAL, "%s: the name must say the unit, %s", def->name, def->unit);
	return 0;
}

int metric_check(const struct metric_def *def, struct cyg_err *err)
{
	const size_t n = metric_n_bounds(def);

	if (check_name(def, err) < 0)
		return -CYG_EINVAL;
	if (def->help == NULL || def->help[0] == '\0')
		return cyg_fail(err, CYG_EINVAL, "%s: no help", def->name);
	for (size_t i = 0; i < METRIC_LABELS_MAX && def->labels[i].name != NULL; i++) {
		const struct metric_label *label = &def->labels[i];

		if (!is_name(label->name) || strcmp(label->name, "le") == 0 ||
		    metric_n_values(label) == 0)
			return cyg_fail(err, CYG_EINVAL,
			    "%s: the label '%.60s' has a bad name or no values", def->name,
			    label->name);
		/* A place that nobody has taken has no name to write. */
		if (metric_n_places(label) > (def->sparse ? METRIC_PLACES_MAX : 0) ||
		    label->values[metric_n_values(label) - 1] == metric_place)
			return cyg_fail(err, CYG_EINVAL,
			    "%s: the open label '%s' has over %d places or no last value, or the "
			    "metric is not sparse",
			    def->name, label->name, METRIC_PLACES_MAX);
	}
	if (metric_n_series(def) > METRIC_SERIES_MAX)
		return cyg_fail(
		    err, CYG_ELIMIT, "%s: over %d series", def->name, METRIC_SERIES_MAX);
	if ((n > 0) != (def->type == METRIC_HISTOGRAM))
		return cyg_fail(
		    err, CYG_EINVAL, "%s: histograms, and they alone, have bounds", def->name);
	for (size_t i = 1; i < n; i++)
		if (def->bounds[i] <= def->bounds[i - 1])
			return cyg_fail(err, CYG_EINVAL, "%s: the bounds do not rise", def->name);
	return 0;
}

struct metrics *metrics_new(const struct metric_def *table)
{
	struct metrics *m = cyg_xcalloc(1, sizeof(*m));
	size_t n_series = 0;

	m->table = table;
	while (table[m->n].name != NULL) {
		assert(metric_check(&table[m->n], NULL) == 0);
		m->n++;
	}
	m->rows = cyg_xcalloc(m->n + 1, sizeof(*m->rows));
	for (size_t i = 0; i < m->n; i++) {
		m->rows[i] = (struct metric_row){ n_series, metric_n_bounds(&table[i]) };
		n_series += metric_n_series(&table[i]);
	}
	m->series = cyg_xcalloc(n_series + 1, sizeof(*m->series));
	m->n_series = n_series;
	metric_names_make(m);
	return m;
}

void metrics_free(struct metrics *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->n_series; i++)
		free(m->series[i].counts);
	metric_names_free(m);
	free(m->series);
	free(m->rows);
	free(m);
}

static struct metric_series *find(const struct metrics *m, unsigned id, struct metric_at at)
{
	const struct metric_def *def = &m->table[id];
	size_t i = 0;

	assert(id < m->n);
	for (size_t k = 0; k < METRIC_LABELS_MAX && def->labels[k].name != NULL; k++) {
		const size_t n = metric_n_values(&def->labels[k]);

		assert(at.label[k] < n);
		i = i * n + at.label[k];
	}
	return &m->series[m->rows[id].first + i];
}

void metrics_add(struct metrics *m, unsigned id, struct metric_at at, double by)
{
	struct metric_series *s;

	if (m == NULL)
		return;
	assert(by >= 0 && m->table[id].type != METRIC_HISTOGRAM);
	s = find(m, id, at);
	s->value += by;
	s->touched = true;
}

void metrics_inc(struct metrics *m, unsigned id, struct metric_at at)
{
	metrics_add(m, id, at, 1);
}

void metrics_set(struct metrics *m, unsigned id, struct metric_at at, double value)
{
	struct metric_series *s;

	if (m == NULL)
		return;
	assert(m->table[id].type == METRIC_GAUGE);
	s = find(m, id, at);
	s->value = value;
	s->touched = true;
}

void metrics_copy(struct metrics *m, unsigned id, struct metric_at at, double value)
{
	struct metric_series *s;

	if (m == NULL)
		return;
	assert(m->table[id].type == METRIC_COUNTER);
	s = find(m, id, at);
	assert(value >= s->value);
	s->touched = true;
	s->value = value;
}

void metrics_clear(struct metrics *m, unsigned id)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < metric_n_series(&m->table[id]); i++) {
		struct metric_series *s = &m->series[m->rows[id].first + i];

		free(s->counts);
		*s = (struct metric_series){ 0 };
	}
}

void metrics_observe(struct metrics *m, unsigned id, struct metric_at at, double value)
{
	struct metric_series *s;
	size_t i = 0;

	if (m == NULL)
		return;
	assert(m->table[id].type == METRIC_HISTOGRAM);
	s = find(m, id, at);
	if (s->counts == NULL)
		s->counts = cyg_xcalloc(m->rows[id].n_bounds + 1, sizeof(*s->counts));
	while (i < m->rows[id].n_bounds && value > m->table[id].bounds[i])
		i++;
	s->counts[i]++;
	s->value += value;
	s->touched = true;
}

void metrics_observe_since(struct metrics *m, unsigned id, struct metric_at at, uint64_t since_ns)
{
	if (m != NULL)
		metrics_observe(m, id, at, (double)(cyg_clock_mono_ns() - since_ns) / 1e9);
}

double metrics_get(const struct metrics *m, unsigned id, struct metric_at at)
{
	const struct metric_series *s = find(m, id, at);
	double n = 0;

	if (m->table[id].type != METRIC_HISTOGRAM)
		return s->value;
	for (size_t i = 0; s->counts != NULL && i <= m->rows[id].n_bounds; i++)
		n += (double)s->counts[i];
	return n;
}

uint16_t metric_label_index(const struct metric_label *label, struct cyg_str value)
{
	uint16_t i = 0;

	while (label->values[i + 1] != NULL && !cyg_str_eq(value, label->values[i]))
		i++;
	return i;
}

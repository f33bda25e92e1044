/* Open labels: names that are known only while the program runs take places among a label's values,
 * as many as its row allows and no more. */
#include "base/mem.h"
#include "daemon/metrics_internal.h"

#include <assert.h>
#include <string.h>

const char metric_place[] = "";

/* Labels with the same values share their places. */
static struct metric_names *names_of(const struct metrics *m, const struct metric_label *label)
{
	struct metric_names *n = m->names;

	while (n != NULL && n->values != label->values)
		n = n->next;
	return n;
}

static void add_names(struct metrics *m, const struct metric_label *label)
{
	struct metric_names *n = cyg_xcalloc(1, sizeof(*n));

	n->values = label->values;
	n->next = m->names;
	m->names = n;
}

void metric_names_make(struct metrics *m)
{
	for (const struct metric_def *def = m->table; def->name != NULL; def++) {
		for (size_t i = 0; i < METRIC_LABELS_MAX && def->labels[i].name != NULL; i++) {
			if (metric_n_places(&def->labels[i]) > 0 &&
			    names_of(m, &def->labels[i]) == NULL)
				add_names(m, &def->labels[i]);
		}
	}
}

void metric_names_free(struct metrics *m)
{
	while (m->names != NULL) {
		struct metric_names *next = m->names->next;

		free(m->names);
		m->names = next;
	}
}

size_t metric_n_places(const struct metric_label *label)
{
	size_t n = 0;

	for (size_t i = 0; label->values[i] != NULL; i++)
		n += label->values[i] == metric_place ? 1 : 0;
	return n;
}

/* Of an open label. */
static uint16_t first_place(const struct metric_label *label)
{
	uint16_t i = 0;

	while (label->values[i] != metric_place)
		i++;
	return i;
}

const char *metric_value(const struct metrics *m, const struct metric_label *label, size_t index)
{
	if (label->values[index] != metric_place)
		return label->values[index];
	return names_of(m, label)->text[index - first_place(label)];
}

/* The last value is for names without a place. */
static uint16_t place_of(
    struct metric_names *names, const struct metric_label *label, struct cyg_str name)
{
	uint16_t i = 0;

	while (i < names->n && !cyg_str_eq(name, names->text[i]))
		i++;
	if (i == names->n && i < metric_n_places(label) &&
	    cyg_str_copy(names->text[i], METRIC_PLACE_SIZE, name))
		names->n++;
	return i < names->n ? (uint16_t)(first_place(label) + i)
			    : (uint16_t)(metric_n_values(label) - 1);
}

static const struct metric_label *label_of(
    const struct metrics *m, unsigned id, const char *label_name)
{
	const struct metric_label *label = m->table[id].labels;

	while (strcmp(label->name, label_name) != 0) {
		label++;
		assert(label->name != NULL); /* our mistake */
	}
	return label;
}

uint16_t metrics_place(struct metrics *m, unsigned id, const char *label_name, struct cyg_str name)
{
	if (m == NULL)
		return 0;
	const struct metric_label *label = label_of(m, id, label_name);
	for (uint16_t i = 0; label->values[i] != NULL; i++) {
		if (label->values[i] != metric_place && cyg_str_eq(name, label->values[i]))
			return i;
	}
	struct metric_names *names = names_of(m, label);
	return names != NULL ? place_of(names, label, name)
			     : (uint16_t)(metric_n_values(label) - 1);
}

/* Describes a table of fields in words: for messages, and as a section of the reference page. */
#include "base/mem.h"
#include "daemon/yaml_fields_internal.h"

#include <stdio.h>
#include <string.h>

/* "1 to 16", "at most 16", "at least 1"; empty without limits. */
static void describe_count(const struct yaml_field *f, char out[64])
{
	const unsigned long long min = f->min;
	const unsigned long long max = f->max;

	out[0] = '\0';
	if (min > 0 && max > 0)
		(void)snprintf(out, 64, "%llu to %llu", min, max);
	else if (max > 0)
		(void)snprintf(out, 64, "at most %llu", max);
	else if (min > 0)
		(void)snprintf(out, 64, "at least %llu", min);
}

static void describe_choices(const struct yaml_field *f, char *out, size_t size)
{
	size_t n = (size_t)snprintf(out, size, "one of ");

	for (const char *const *c = f->choices; *c != NULL && n < size; c++)
		n += (size_t)snprintf(out + n, size - n, "%s%s", c != f->choices ? ", " : "", *c);
}

static void describe_text(const struct yaml_field *f, char *out, size_t size)
{
	const char *text = f->type == FIELD_LINE ? "one line of text" : "text";
	char limits[64];

	describe_count(f, limits);
	if (f->max > 0)
		(void)snprintf(out, size, "%s of %s bytes", text, limits);
	else
		(void)snprintf(out, size, "%s%s", text, f->min > 0 ? ", not empty" : "");
}

/* NOLINTNEXTLINE(misc-no-recursion): a list holds single values */
static void describe_list(const struct yaml_field *f, char *out, size_t size)
{
	char limits[64];
	char item[160] = "a map";

	describe_count(f, limits);
	if (f->type == FIELD_LIST)
		yaml_field_describe(f->of, item, sizeof(item));
	(void)snprintf(
	    out, size, "a list%s%s, each %s", limits[0] != '\0' ? " of " : "", limits, item);
}

static void describe_map(const struct yaml_field *f, char *out, size_t size)
{
	char limits[64];

	describe_count(f, limits);
	(void)snprintf(out, size, "a map of %s%s%s", limits, limits[0] != '\0' ? " " : "",
	    f->type == FIELD_PAIRS ? "names and text" : "names and maps");
}

static void describe_number(const struct yaml_field *f, char *out, size_t size)
{
	if (f->max > 0)
		(void)snprintf(out, size, "a number from %llu to %llu", (unsigned long long)f->min,
		    (unsigned long long)f->max);
	else
		(void)snprintf(out, size, "a number");
}

/* NOLINTNEXTLINE(misc-no-recursion): see describe_list */
void yaml_field_describe(const struct yaml_field *f, char *out, size_t size)
{
	switch (f->type) {
	case FIELD_LINE:
	case FIELD_STRING:
		describe_text(f, out, size);
		return;
	case FIELD_BOOL:
		(void)snprintf(out, size, "true or false");
		return;
	case FIELD_UINT:
		describe_number(f, out, size);
		return;
	case FIELD_SIZE:
		(void)snprintf(out, size, "a size such as 512M or 4G");
		return;
	case FIELD_CHOICE:
		describe_choices(f, out, size);
		return;
	case FIELD_OWN:
		(void)snprintf(out, size, "%s", f->takes);
		return;
	case FIELD_LIST:
	case FIELD_RECORDS:
		describe_list(f, out, size);
		return;
	case FIELD_PAIRS:
	case FIELD_NAMED:
		describe_map(f, out, size);
		return;
	case FIELD_RECORD:
		(void)snprintf(out, size, "a map");
		return;
	case FIELD_IGNORED:
		(void)snprintf(out, size, "anything; for another program");
		return;
	}
}

/* "templates.NAME.mounts[].source": what stands in front of the keys of a nested record. */
static void nest(const struct yaml_field *f, const char *prefix, char out[200])
{
	const char *suffix = f->type == FIELD_RECORDS ? "[]." : ".";

	if (f->type == FIELD_NAMED)
		(void)snprintf(out, 200, "%s%s.%s.", prefix, f->name, f->record->key->name);
	else
		(void)snprintf(out, 200, "%s%s%s", prefix, f->name, suffix);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tables are nested */
static int describe_record(
    const struct yaml_record *record, const char *prefix, struct cyg_buf *out, struct cyg_err *err)
{
	int rc = 0;

	for (const struct yaml_field *f = record->fields; rc == 0 && f->name != NULL; f++) {
		char what[200];
		char usual[120] = "";

		yaml_field_describe(f, what, sizeof(what));
		if (f->value != NULL)
			(void)snprintf(usual, sizeof(usual), "`%s`", f->value);
		else if (f->same_as != NULL)
			(void)snprintf(usual, sizeof(usual), "as `%s`", f->same_as);
		rc = cyg_buf_printf(out, err, "| `%s%s` | %s%s | %s | %s |\n", prefix, f->name,
		    what, f->required ? "; required" : "", usual, f->doc);
		if (rc == 0 && f->record != NULL) {
			char below[200];

			nest(f, prefix, below);
			rc = describe_record(f->record, below, out, err);
		}
	}
	return rc;
}

int yaml_file_describe(const struct yaml_file *file, struct cyg_buf *out, struct cyg_err *err)
{
	int rc = cyg_buf_printf(out, err,
	    "## %s\n\n%s\n\n| key | takes | default | |\n|---|---|---|---|\n", file->name,
	    file->doc);

	return rc < 0 ? rc : describe_record(file->record, "", out, err);
}

enum { NEAR_LEN_MAX = 40 };

/* Levenshtein's distance, one row at a time. */
unsigned yaml_near(struct cyg_str a, struct cyg_str b)
{
	unsigned row[NEAR_LEN_MAX + 1];

	if (a.len > NEAR_LEN_MAX || b.len > NEAR_LEN_MAX)
		return YAML_NEAR_MAX + 1;
	for (unsigned j = 0; j <= b.len; j++)
		row[j] = j;
	for (size_t i = 0; i < a.len; i++) {
		unsigned corner = row[0]++;

		for (size_t j = 0; j < b.len; j++) {
			const unsigned change = corner + (a.p[i] == b.p[j] ? 0 : 1);
			const unsigned gap = (row[j] < row[j + 1] ? row[j] : row[j + 1]) + 1;

			corner = row[j + 1];
			row[j + 1] = change < gap ? change : gap;
		}
	}
	/* of a short name most letters may not change */
	return row[b.len] * 2 <= b.len ? row[b.len] : YAML_NEAR_MAX + 1;
}

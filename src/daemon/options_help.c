/* What --help and --help-options print; built from the same table that reads the options. */
#include "daemon/options_internal.h"

#include <stdio.h>
#include <string.h>

void options_describe(const struct cyg_option *o, char *out, size_t size)
{
	size_t n = 0;

	switch (o->type) {
	case OPT_STRING:
		(void)snprintf(out, size, "text");
		return;
	case OPT_UINT:
		(void)snprintf(out, size, "a number from %llu to %llu", (unsigned long long)o->min,
		    (unsigned long long)o->max);
		return;
	case OPT_SIZE:
		(void)snprintf(out, size, "a size in bytes such as 512M, from %llu to %llu",
		    (unsigned long long)o->min, (unsigned long long)o->max);
		return;
	case OPT_MS:
		(void)snprintf(out, size, "a time such as 500ms, 10s, 5m or 1h");
		return;
	case OPT_BOOL:
		(void)snprintf(out, size, "true or false");
		return;
	case OPT_ENUM:
		n = (size_t)snprintf(out, size, "one of ");
		for (const char *const *c = o->choices; *c != NULL && n < size; c++)
			n += (size_t)snprintf(
			    out + n, size - n, "%s%s", c != o->choices ? ", " : "", *c);
		return;
	}
}

void options_print_help(const struct cyg_program *prog)
{
	(void)printf("%s: %s\n\nusage: %s [--config FILE] [--OPTION VALUE]...%s%s\n\n", prog->name,
	    prog->purpose, prog->name, prog->arguments != NULL ? " " : "",
	    prog->arguments != NULL ? prog->arguments : "");
	for (const struct cyg_option *o = prog->options; o->name != NULL; o++)
		(void)printf("  --%-22s %s%s%s%s\n", o->name, o->doc,
		    o->required ? " (required)" : "", o->value != NULL ? " Default: " : "",
		    o->value != NULL ? o->value : "");
	(void)printf("  --%-22s %s\n  --%-22s %s\n  --%-22s %s\n  --%-22s %s\n  --%-22s %s\n",
	    "config FILE", "Read options from a YAML file first.", "help-options",
	    "Print every option with its type, range and default.", "help-metrics",
	    "Print every metric with its type and labels.", "help-files",
	    "Print the keys of the files that options name.", "version", "Print the version.");
}

void options_print_table(const struct cyg_program *prog)
{
	for (const struct cyg_option *o = prog->options; o->name != NULL; o++) {
		char what[256];

		options_describe(o, what, sizeof(what));
		(void)printf("# %s\n# %s%s\n%s%s: %s\n\n", o->doc, what,
		    o->required ? "; required" : "", o->required ? "" : "#", o->name,
		    o->value != NULL ? o->value : "");
	}
}

void options_print_metrics(const struct cyg_program *prog)
{
	cyg_autobuf struct cyg_buf text;

	cyg_buf_init(&text, METRICS_TEXT_MAX);
	if (prog->metrics != NULL && metrics_describe(prog->metrics, &text, NULL) == 0)
		(void)fwrite(text.data, 1, text.len, stdout);
}

void options_print_files(const struct cyg_program *prog)
{
	cyg_autobuf struct cyg_buf text;
	int rc = 0;

	cyg_buf_init(&text, METRICS_TEXT_MAX);
	for (const struct yaml_file *f = prog->files; f != NULL && f->name != NULL; f++) {
		if (text.len > 0)
			rc = cyg_buf_add_str(&text, "\n", NULL);
		if (rc == 0)
			rc = yaml_file_describe(f, &text, NULL);
	}
	if (rc == 0)
		(void)fwrite(text.data, 1, text.len, stdout);
}

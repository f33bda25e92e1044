/* Options of a program: one table (name, type, range, default, doc) that reads the YAML file and
 * the command line ("--name value", "--name=value"), prints --help and --help-options, and that a
 * lint compares with the annotated sample. The command line wins over the file, the file over the
 * default. No option carries a secret: secrets are files, and options name the file. */
#ifndef DAEMON_OPTIONS_H
#define DAEMON_OPTIONS_H

#include "cygnet/err.h"
#include "daemon/metrics.h"
#include "daemon/yaml_fields.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum opt_type {
	OPT_STRING, /* char *, heap; NULL when neither given nor defaulted */
	OPT_UINT,   /* uint64_t */
	OPT_SIZE,   /* uint64_t, bytes: "512M" */
	OPT_MS,     /* uint64_t, milliseconds: "500ms", "10s", "5m", "1h" */
	OPT_BOOL,   /* bool: true, false */
	OPT_ENUM,   /* int: index into choices */
};

struct cyg_option {
	const char *name; /* "listen", "state-dir": the same in the file and after -- */
	enum opt_type type;
	size_t offset;              /* of the member in the program's struct */
	const char *value;          /* default as text, or NULL: none */
	uint64_t min, max;          /* of OPT_UINT, OPT_SIZE, OPT_MS */
	const char *const *choices; /* NULL-ended, of OPT_ENUM */
	bool required;
	const char *doc; /* one or two sentences */
};

struct cyg_program {
	const char *name;
	const char *purpose;              /* one sentence for --help */
	const struct cyg_option *options; /* ended by a NULL name */
	const char *arguments; /* usage of what stands after the options, or NULL: nothing may */
	const struct metric_def *metrics; /* for --help-metrics, or NULL: it has none */
	const struct yaml_file *files;    /* for --help-files, ended by a NULL name; or NULL */
};

/* Fills *config (zeroed by the caller). Handles --help, --help-options, --help-metrics,
 * --help-files and --version itself by printing and exiting 0, and `--config FILE`. *first_arg is
 * the index of the first word after the options. On failure what was filled in is still to be
 * freed. */
int cyg_options_read(const struct cyg_program *prog, int argc, char **argv, void *config,
    int *first_arg, struct cyg_err *err);
void cyg_options_free(const struct cyg_program *prog, void *config);

/* Descriptors passed in as systemd does (LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES): the one with that
 * name, CLOEXEC, or -1. Each is given out once. */
int cyg_listen_fd(const char *name);

#endif

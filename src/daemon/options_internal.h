/* What options.c and options_help.c share. */
#ifndef DAEMON_OPTIONS_INTERNAL_H
#define DAEMON_OPTIONS_INTERNAL_H

#include "base/buf.h"
#include "daemon/options.h"

/* "--help", "--help-options", "--help-metrics" and "--help-files" on standard output. */
void options_print_help(const struct cyg_program *prog);
void options_print_table(const struct cyg_program *prog);
void options_print_metrics(const struct cyg_program *prog);
void options_print_files(const struct cyg_program *prog);
/* "text", "a number from 1 to 5", "one of a, b": what an option takes, for messages and help. */
void options_describe(const struct cyg_option *o, char *out, size_t size);

#endif

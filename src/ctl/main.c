/* cygnetctl: the administrator's command. Finds the command in a table and runs it. */
#include "base/mem.h"
#include "ctl/command.h"
#include "cygnet/version.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *doc;
} commands[] = {
	{ "up", ctl_up, "Run spawner, proxy and hub on this machine until interrupted." },
	{ "doctor", ctl_doctor, "Check what this machine offers and say what is missing." },
	{ "metrics", ctl_metrics, "Print the metrics of the hub or of a proxy." },
	{ "audit", ctl_audit, "Print who did what, newest first." },
	{ "hand-over", ctl_hand_over,
	    "Give a user the uid and home of a deleted one of that name." },
};

static int usage(int code)
{
	FILE *out = code == 0 ? stdout : stderr;

	(void)fprintf(out,
	    "cygnetctl %s: administers Cygnet.\n\nusage: cygnetctl COMMAND [--OPTION VALUE]...\n\n",
	    CYGNET_VERSION);
	for (size_t i = 0; i < CYG_N(commands); i++)
		(void)fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].doc);
	(void)fprintf(out, "\n`cygnetctl COMMAND --help` lists a command's options.\n");
	return code;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return usage(2);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)
		return usage(0);
	if (strcmp(argv[1], "--version") == 0) {
		(void)printf("cygnetctl %s\n", CYGNET_VERSION);
		return 0;
	}
	for (size_t i = 0; i < CYG_N(commands); i++) {
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	}
	(void)fprintf(stderr, "cygnetctl: no command '%.60s'\n", argv[1]);
	return usage(2);
}

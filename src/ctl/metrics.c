/* `cygnetctl metrics [hub | proxy/N]`: asks a daemon's control socket and prints the response. */
#include "base/file.h"
#include "base/mem.h"
#include "ctl/ask.h"
#include "ctl/command.h"
#include "ctl/up.h"
#include "daemon/options.h"

#include <stdio.h>
#include <string.h>

enum { WAIT_MS = 10 * 1000 };

static const struct cyg_option option_table[] = {
	CTL_RUN_DIR_OPTION(struct up_options, run_dir),
	{ .name = NULL },
};
static const struct cyg_program program = {
	.name = "cygnetctl metrics",
	.purpose =
	    "Prints the metrics of the hub, or of a proxy, as Prometheus text; root or that daemon's own user may.",
	.options = option_table,
	.arguments = "[hub | proxy/N]",
};

static int ask(const char *path, struct cyg_err *err)
{
	const struct http_call_spec spec = { .socket_path = path,
		.method = "GET",
		.target = "/metrics",
		.host = "localhost",
		.timeout_ms = WAIT_MS,
		.body_max = METRICS_TEXT_MAX };
	struct ctl_reply reply = { .body = NULL };
	int code = 1;

	if (ctl_ask(&spec, &reply, err) < 0)
		return cyg_wrap(err, "%s", path);
	if (reply.status != 200)
		(void)fprintf(stderr, "cygnetctl: %s: %d: %s\n", path, reply.status, reply.body);
	else
		code = cyg_file_write_all(STDOUT_FILENO, reply.body, reply.len, NULL) < 0;
	free(reply.body);
	return code;
}

/* "hub", or "proxy/N" with a number. */
static bool is_daemon(const char *name)
{
	return strcmp(name, "hub") == 0 || (strncmp(name, "proxy/", 6) == 0 && name[6] != '\0' &&
					       strspn(name + 6, "0123456789") == strlen(name + 6));
}

int ctl_metrics(int argc, char **argv)
{
	struct up_options o = { .run_dir = NULL };
	cyg_autofree char *path = NULL;
	struct cyg_err err;
	int first = 0;
	int code = 2;

	if (cyg_options_read(&program, argc, argv, &o, &first, &err) == 0 &&
	    up_default_folders(&o, &err) == 0) {
		const char *name = first < argc ? argv[first] : "hub";

		if (first + 1 < argc || !is_daemon(name)) {
			(void)cyg_fail(&err, CYG_EINVAL, "no daemon '%.60s': hub or proxy/N", name);
		} else {
			path = cyg_xasprintf("%s/%s/control.sock", o.run_dir, name);
			code = ask(path, &err);
		}
	}
	if (code == 2 || code < 0)
		(void)fprintf(stderr, "cygnetctl: %s\n", err.msg);
	free(o.state_dir);
	free(o.cache_dir);
	cyg_options_free(&program, &o);
	return code < 0 ? 1 : code;
}

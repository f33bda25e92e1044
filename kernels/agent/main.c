/* cygnet-agent: the Jupyter server of one container; with --relay it passes connections to another
 * server. Reads the options and calls agent_run or relay_run. */
#include "base/mem.h"
#include "cygnet/init_msg.h"
#include "cygnet/paths.h"
#include "daemon/log.h"
#include "daemon/options.h"
#include "kernels/agent/agent.h"
#include "kernels/agent/relay.h"
#include "kernels/spark/spark.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { EXIT_USAGE = 64, EXIT_START = 75 };

struct config {
	char *base_url, *root_dir, *run_dir, *jupyter_prefix, *labextensions, *stack_prefix, *relay,
	    *spark_cluster, *spark_up;
	uint64_t spark_idle;
};

enum { STACKS_MAX = 16 };

static const struct cyg_option options[] = {
	{ .name = "base-url",
	    .type = OPT_STRING,
	    .offset = offsetof(struct config, base_url),
	    .value = "/",
	    .doc = "Path below which this server serves: " CYG_USER_PATH "alice/." },
	{ .name = "root-dir",
	    .type = OPT_STRING,
	    .offset = offsetof(struct config, root_dir),
	    .doc = "Folder that users see as their files; notebooks' paths are below it." },
	{ .name = "run-dir",
	    .type = OPT_STRING,
	    .offset = offsetof(struct config, run_dir),
	    .doc = "The server's run folder on local disk: connection files, logs, what outlives "
		   "a restart." },
	{ .name = "jupyter-prefix",
	    .type = OPT_STRING,
	    .offset = offsetof(struct config, jupyter_prefix),
	    .doc =
		"Prefix of the Python environment whose JupyterLab pages and kernels are served." },
	{ .name = "labextensions",
	    .type = OPT_STRING,
	    .offset = offsetof(struct config, labextensions),
	    .doc =
		"Folder with more of JupyterLab's prebuilt extensions, beside those of the prefix and "
		"of /usr/local/share/jupyter; empty for none." },
	{ .name = "stack-prefix",
	    .type = OPT_STRING,
	    .offset = offsetof(struct config, stack_prefix),
	    .doc = "Prefix of a software stack; its kernels come first. May be given up to 16 "
		   "times." },
	{ .name = "spark-cluster",
	    .type = OPT_STRING,
	    .offset = offsetof(struct config, spark_cluster),
	    .doc =
		"Id of the Spark cluster that kernels and terminals are configured for; empty for none." },
	{ .name = "spark-idle",
	    .type = OPT_MS,
	    .offset = offsetof(struct config, spark_idle),
	    .value = "60m",
	    .max = 30ULL * 24 * 3600 * 1000,
	    .doc =
		"A Spark session that nobody has used for so long is released, with a countdown before; "
		"one with running jobs never. 0s: sessions stay until they are ended." },
	{ .name = "spark-up",
	    .type = OPT_STRING,
	    .offset = offsetof(struct config, spark_up),
	    .doc =
		"Ask the agent on the Unix socket at this path to start the Spark cluster, wait until it is up, "
		"and end: what spark-env.sh runs." },
	{ .name = "relay",
	    .type = OPT_STRING,
	    .offset = offsetof(struct config, relay),
	    .doc = "Run COMMAND instead of serving, and join connections with the Unix socket at "
		   "this path, where the command listens." },
	{ .name = NULL },
};

static const struct cyg_program program = {
	.name = "cygnet-agent",
	.purpose = "The Jupyter server of one container.",
	.options = options,
	.arguments = "[-- COMMAND...]",
};

static bool is_socket(int fd)
{
	int type;
	socklen_t len = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0;
}

static int run_relay(const struct config *config, char **command, struct cyg_err *err)
{
	const struct relay_opts opts = {
		.socket_path = config->relay,
		.command = command,
		.listen_fd = INIT_FD_LISTEN,
		.link_fd = is_socket(INIT_FD_LINK) ? INIT_FD_LINK : -1,
	};

	if (command[0] == NULL)
		return cyg_fail(err, CYG_EINVAL, "--relay needs a command after '--'");
	if (!is_socket(INIT_FD_LISTEN))
		return cyg_fail(err, CYG_EINVAL, "descriptor 3 must be a listening socket");
	return relay_run(&opts, err);
}

/* The option table keeps one value a name: all values of --stack-prefix are gathered here. */
static int gather_stacks(int argc, char **argv, const char **list, struct cyg_err *err)
{
	static const char name[] = "--stack-prefix";
	size_t len = sizeof(name) - 1, n = 0;

	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		const char *value = NULL;

		if (strncmp(argv[i], name, len) == 0 && argv[i][len] == '=')
			value = argv[i] + len + 1;
		else if (strcmp(argv[i], name) == 0 && i + 1 < argc)
			value = argv[++i];
		if (value == NULL)
			continue;
		if (n == STACKS_MAX)
			return cyg_fail(err, CYG_ELIMIT, "more than %d stack prefixes", STACKS_MAX);
		list[n++] = value;
	}
	return 0;
}

static int run_agent(const struct config *config, const char *const *stacks, struct cyg_err *err)
{
	const struct agent_opts opts = {
		.base_url = config->base_url,
		.root_dir = config->root_dir,
		.run_dir = config->run_dir,
		.jupyter_prefix = config->jupyter_prefix,
		.labextensions = config->labextensions,
		.stack_prefixes = stacks,
		.spark_cluster = config->spark_cluster,
		.spark_idle_s = (unsigned)(config->spark_idle / 1000),
		.listen_fd = INIT_FD_LISTEN,
		.link_fd = INIT_FD_LINK,
	};

	if (config->root_dir == NULL || config->run_dir == NULL)
		return cyg_fail(err, CYG_EINVAL, "--root-dir and --run-dir are required");
	if (!is_socket(INIT_FD_LISTEN) || !is_socket(INIT_FD_LINK))
		return cyg_fail(err, CYG_EINVAL,
		    "descriptors 3 and 4 must be the listening socket and the link to init");
	return agent_run(&opts, err);
}

int main(int argc, char **argv)
{
	struct config config = { 0 };
	struct cyg_err err = { 0 };
	const char *stacks[STACKS_MAX + 1] = { NULL };
	int first = 0;
	int rc;

	cyg_log_init(program.name, CYG_LOG_INFO);
	rc = cyg_options_read(&program, argc, argv, &config, &first, &err);
	if (rc == 0)
		rc = gather_stacks(argc, argv, stacks, &err);
	if (rc < 0) {
		cyg_log_error("options", "%s", err.msg);
		cyg_options_free(&program, &config);
		return EXIT_USAGE;
	}
	if (config.spark_up != NULL) {
		rc = spark_up_client(config.spark_up);
		cyg_options_free(&program, &config);
		return rc;
	}
	if (config.relay != NULL)
		rc = run_relay(&config, argv + first, &err);
	else
		rc = run_agent(&config, stacks, &err);
	if (rc < 0)
		cyg_log_error("start", "%s", err.msg);
	cyg_options_free(&program, &config);
	return rc < 0 ? EXIT_START : rc;
}

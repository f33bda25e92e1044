/* cygnet-agent: the Jupyter server of one container, or with --relay the go-between to another
 * server. Reads the options and hands over. */
#include "base/mem.h"
#include "cygnet/init_msg.h"
#include "daemon/log.h"
#include "daemon/options.h"
#include "kernels/agent/relay.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { EXIT_USAGE = 64, EXIT_START = 75 };

struct config {
	char *relay;
};

static const struct cyg_option options[] = {
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

int main(int argc, char **argv)
{
	struct config config = { 0 };
	struct cyg_err err = { 0 };
	int first = 0;
	int rc;

	cyg_log_init(program.name, CYG_LOG_INFO);
	rc = cyg_options_read(&program, argc, argv, &config, &first, &err);
	if (rc < 0) {
		cyg_log_error("options", "%s", err.msg);
		cyg_options_free(&program, &config);
		return EXIT_USAGE;
	}
	rc = run_relay(&config, argv + first, &err);
	if (rc < 0)
		cyg_log_error("start", "%s", err.msg);
	cyg_options_free(&program, &config);
	return rc < 0 ? EXIT_START : rc;
}

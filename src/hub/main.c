/* cygnet-hub: options, start, run, end. */
#include "base/mem.h"
#include "daemon/log.h"
#include "daemon/metrics.h"
#include "hub/hub.h"
#include "hub/offer/offer.h"
#include "hub/offer/reader.h"
#include "hub/options.h"
#include "store/store.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static void on_end(void *arg, const char *why)
{
	struct hub *hub = arg;

	cyg_log_info("hub", "ending: %s", why);
	cyg_loop_stop(hub->loop);
}

/* Each request that waits takes a descriptor; the default limit is for programs with few. */
static void raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		cyg_log_warn("hub", "cannot raise the limit of open files");
}

/* Commits the last turn and runs its effects. When it cannot be written, the next start finds the
 * outside as it is. */
static void last_turn(struct hub *hub)
{
	struct cyg_err err;

	if (store_commit(hub->store, &err) < 0)
		cyg_log_warn("store", "the last turn is not saved: %s", err.msg);
}

static int run(struct hub *hub, struct cyg_err *err)
{
	if (cyg_loop_new(on_end, hub, cyg_listen_fd("parent"), &hub->loop, err) < 0)
		return -(int)err->code;
	hub->uv = cyg_loop_uv(hub->loop);
	int code = hub_start(hub, err);
	if (code == 0) {
		cyg_loop_ready(hub->loop);
		cyg_loop_run(hub->loop);
	}
	if (code == 0 && hub->exit_code == 0)
		last_turn(hub);
	hub_close(hub);
	cyg_loop_free(hub->loop);
	store_close(hub->store);
	metrics_free(hub->metrics);
	offer_free(hub->offer);
	return code;
}

int main(int argc, char **argv)
{
	struct hub hub = { .exit_code = 0 };
	struct cyg_err err;
	int first = 0;

	if (argc == 3 && strcmp(argv[1], "--reader") == 0)
		return reader_main(argv[2]);
	cyg_log_init("hub", CYG_LOG_INFO);
	if (cyg_options_read(&hub_program, argc, argv, &hub.config, &first, &err) < 0) {
		(void)fprintf(stderr, "cygnet-hub: %s\n", err.msg);
		cyg_options_free(&hub_program, &hub.config);
		return 2;
	}
	cyg_log_init("hub", (enum cyg_log_level)hub.config.log_level);
	raise_limits();
	if (run(&hub, &err) < 0) {
		cyg_log_error("hub", "%s", err.msg);
		hub.exit_code = 1;
	}
	cyg_options_free(&hub_program, &hub.config);
	return hub.exit_code;
}

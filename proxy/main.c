/* cygnet-proxy: options, the root, start in order, run, tear down in reverse. */
#include "base/mem.h"
#include "daemon/log.h"
#include "proxy/control.h"
#include "proxy/force.h"
#include "proxy/janitor.h"
#include "proxy/listen.h"
#include "proxy/upstream.h"

#include <stdio.h>
#include <sys/resource.h>

static void on_end(void *arg, const char *why)
{
	proxy_drain(arg, why);
}

static void on_hangup(uv_signal_t *handle, int signum)
{
	struct proxy *p = handle->data;
	struct cyg_err err;

	(void)signum;
	if (p->options.table == NULL)
		return;
	if (force_file(p, &err) < 0)
		cyg_log_error("table", "not read again, the old one stays: %s", err.msg);
}

/* Raises the limit of open files as far as allowed and returns it; 0 when it is unknown. */
static uint64_t raise_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 0;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		cyg_log_warn("proxy", "cannot raise the limit of open files");
	return getrlimit(RLIMIT_NOFILE, &limit) < 0 ? 0 : limit.rlim_cur;
}

/* A client and its target need a descriptor each. With more clients than half of the descriptors,
 * targets could not be reached. */
static void settle_limits(struct proxy *p)
{
	uint64_t files = raise_files();
	uint64_t pairs = files > FILES_RESERVED ? (files - FILES_RESERVED) / 2 : 1;
	uint64_t max = pairs / (INNER_SHARE + 1) * INNER_SHARE;

	if (files == 0 || max > p->options.connections_max)
		max = p->options.connections_max;
	else if (max < INNER_SHARE)
		max = INNER_SHARE;
	p->connections_max = max;
	if (max < p->options.connections_max)
		cyg_log_info("proxy",
		    "%llu open files are allowed: no more than %llu connections at a time instead "
		    "of %llu. Raise the limit (LimitNOFILE, ulimit -n) or lower connections-max.",
		    (unsigned long long)files, (unsigned long long)max,
		    (unsigned long long)p->options.connections_max);
}

static void init(struct proxy *p)
{
	p->loop = cyg_loop_uv(p->daemon);
	p->pools = cyg_hash_new();
	p->activity = cyg_hash_new();
	cyg_buf_init(&p->head, (size_t)4 * CYG_HTTP_HEAD_MAX);
	clients_init(p);
	cyg_list_init(&p->listeners);
	(void)uv_timer_init(p->loop, &p->drain);
	p->drain.data = p;
	(void)uv_signal_init(p->loop, &p->hangup);
	p->hangup.data = p;
	(void)uv_signal_start(&p->hangup, on_hangup, SIGHUP);
}

/* The listeners come last: a client that connects finds everything in place. Without a table the
 * response is 503. */
static int start(struct proxy *p, struct cyg_err *err)
{
	int rc;

	settle_limits(p);
	if (p->options.table != NULL && (rc = force_file(p, err)) < 0)
		return rc;
	janitor_start(p);
	rc = control_open(p, err);
	return rc < 0 ? rc : listen_open(p, err);
}

static void stop(struct proxy *p)
{
	listen_close(p);
	control_close(p);
	clients_close(p);
	while (cyg_hash_count(p->pools) > 0)
		upstream_tidy(p, true);
	if (p->janitor.data != NULL)
		uv_close((uv_handle_t *)&p->janitor, NULL);
	uv_close((uv_handle_t *)&p->drain, NULL);
	uv_close((uv_handle_t *)&p->hangup, NULL);
	cyg_loop_free(p->daemon);
	table_free(p->table);
	cyg_hash_free(p->pools, free);
	cyg_hash_free(p->activity, free);
	listen_free(p);
	peer_spares_free(&p->spares);
	cyg_buf_free(&p->head);
}

int main(int argc, char **argv)
{
	struct proxy *p = cyg_xcalloc(1, sizeof(*p));
	struct cyg_err err;
	int first = argc;
	int rc = cyg_options_read(&proxy_program, argc, argv, &p->options, &first, &err);

	if (rc == 0) {
		cyg_log_init("cygnet-proxy", (enum cyg_log_level)p->options.log_level);
		rc = cyg_loop_new(on_end, p, cyg_listen_fd("parent"), &p->daemon, &err);
	}
	if (rc == 0) {
		init(p);
		rc = start(p, &err);
		if (rc == 0) {
			cyg_loop_ready(p->daemon);
			cyg_loop_run(p->daemon);
		}
		stop(p);
	}
	if (rc < 0)
		(void)fprintf(stderr, "cygnet-proxy: %s\n", err.msg);
	cyg_options_free(&proxy_program, &p->options);
	free(p);
	return rc < 0 ? 1 : 0;
}

/* The option table of cygnet-proxy. */
#include "proxy/options.h"

#include "proxy/metrics.h"

const char *const proxy_schemes[] = { "http", "https", NULL };
static const char *const levels[] = { "debug", "info", "warn", "error", NULL };

#define AT(member) offsetof(struct proxy_options, member)

static const struct cyg_option options[] = {
	{ .name = "listen",
	    .type = OPT_STRING,
	    .offset = AT(listen),
	    .value = "127.0.0.1:8000",
	    .doc = "Address and port of the public listener. Not used when the socket is passed in "
		   "under the name http." },
	{ .name = "control",
	    .type = OPT_STRING,
	    .offset = AT(control),
	    .doc = "Path of the Unix socket on which the hub sends the table. Not used when the "
		   "socket is passed in under the name control." },
	{ .name = "inner",
	    .type = OPT_STRING,
	    .offset = AT(inner),
	    .doc = "Path of the Unix socket on which agents reach the hub. Not used when the "
		   "socket is passed in under the name inner." },
	{ .name = "table",
	    .type = OPT_STRING,
	    .offset = AT(table),
	    .doc = "File with a static table, the same JSON as PUT /table; read again on SIGHUP." },
	{ .name = "hosts",
	    .type = OPT_STRING,
	    .offset = AT(hosts),
	    .doc =
		"Names under which browsers reach the hub, separated by commas; *.NAME stands "
		"for every name below NAME, * for all. Needed unless the listener is on loopback, "
		"where it is localhost, *.localhost, 127.0.0.1 and [::1]." },
	{ .name = "scheme",
	    .type = OPT_ENUM,
	    .offset = AT(scheme),
	    .value = "http",
	    .choices = proxy_schemes,
	    .doc =
		"What browsers speak to reach the public listener: https when something in front "
		"of it ends TLS." },
	{ .name = "log-level",
	    .type = OPT_ENUM,
	    .offset = AT(log_level),
	    .value = "info",
	    .choices = levels,
	    .doc = "The least important lines that are logged." },
	{ .name = "access-log",
	    .type = OPT_BOOL,
	    .offset = AT(access_log),
	    .value = "false",
	    .doc = "Log a line for each request (at debug they are logged always)." },
	{ .name = "reuse-port",
	    .type = OPT_BOOL,
	    .offset = AT(reuse_port),
	    .value = "false",
	    .doc = "Share the public port with further proxy processes, one for each core." },
	{ .name = "connections-max",
	    .type = OPT_UINT,
	    .offset = AT(connections_max),
	    .value = "20000",
	    .min = 16,
	    .max = 1000000,
	    .doc =
		"Client connections at a time; more wait until one ends. The inner listener has a "
		"quarter of this on top." },
	{ .name = "header-timeout",
	    .type = OPT_MS,
	    .offset = AT(header_ms),
	    .value = "10s",
	    .min = 100,
	    .max = 600000,
	    .doc = "A request's head must be complete after this time." },
	{ .name = "idle-timeout",
	    .type = OPT_MS,
	    .offset = AT(idle_ms),
	    .value = "75s",
	    .min = 100,
	    .max = 3600000,
	    .doc = "A kept-alive connection without a request is closed after this time." },
	{ .name = "connect-timeout",
	    .type = OPT_MS,
	    .offset = AT(connect_ms),
	    .value = "5s",
	    .min = 100,
	    .max = 600000,
	    .doc = "A target must have accepted the connection after this time." },
	{ .name = "answer-timeout",
	    .type = OPT_MS,
	    .offset = AT(answer_ms),
	    .value = "2m",
	    .min = 100,
	    .max = 3600000,
	    .doc = "A target must have begun its response after this time." },
	{ .name = "body-timeout",
	    .type = OPT_MS,
	    .offset = AT(body_ms),
	    .value = "30s",
	    .min = 100,
	    .max = 3600000,
	    .doc = "A client that sends a body must send 1 KiB, or the rest, in each such time." },
	{ .name = "drain-timeout",
	    .type = OPT_MS,
	    .offset = AT(drain_ms),
	    .value = "5s",
	    .min = 0,
	    .max = 600000,
	    .doc = "At the end, requests in flight have this long to finish." },
	{ .name = NULL },
};

const struct cyg_program proxy_program = {
	.name = "cygnet-proxy",
	.purpose =
	    "The proxy in front of a Cygnet hub: checks credentials and routes to the hub and to "
	    "users' servers.",
	.options = options,
	.metrics = proxy_metrics,
};
